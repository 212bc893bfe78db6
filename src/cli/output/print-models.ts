/** `list` in its formats. Pure: the time is an argument. */

import { group } from '../../contracts/api-group.ts';
import { formatAge } from '../../contracts/duration.ts';
import { plural } from '../../contracts/resource.ts';
import { visible } from '../../kernel/shown-text.ts';
import type { Look } from '../ports.ts';
import { type Colour, paint } from './colour.ts';
import { type EndpointView, type ModelView, reasonCell } from './model-view.ts';
import { type OutputFormat, printAs } from './output-format.ts';
import { type Cell, type Column, cell, printTable, printWhole } from './print-table.ts';

export interface PrintOptions extends Look {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Show the namespace too. */
  readonly namespaces?: boolean;
}

export function printModels(models: readonly ModelView[], format: OutputFormat, options: PrintOptions): string {
  return printAs(
    format,
    { kind: 'ModelList', apiVersion: 'cli.maas.dev/v1', items: models },
    {
      name: () => models.map(({ resource }) => `${plural.replace(/s$/, '')}.${group}/${visible(resource)}\n`).join(''),
      table: (wide) => table(models, wide, options),
    },
  );
}

function table(models: readonly ModelView[], wide: boolean, options: PrintOptions): string {
  const columns: Column[] = [
    ...(options.namespaces === true ? [{ heading: 'NAMESPACE' }] : []),
    { heading: 'MODEL' },
    { heading: 'VERSION' },
    { heading: 'DESIRED' },
    { heading: 'READY', spare: 1 },
    { heading: 'REGISTERED' },
    { heading: 'REASON' },
    { heading: 'AGE', spare: 2 },
    ...(wide ? ['RESOURCE', 'SERVING', 'ENDPOINTS', 'FUNCTIONS', 'WHY'].map((heading) => ({ heading })) : []),
  ];
  const rows = models.map((model): Cell[] => [
    ...(options.namespaces === true ? [cell(model.namespace)] : []),
    cell(model.model),
    cell(model.version),
    cell(model.desired),
    cell(model.ready),
    // Not known is something else than none.
    cell(model.registered ?? '?'),
    { text: reasonCell(model.state), paint: (text) => paint(options, colourOf(model), text) },
    cell(ageOf(model.created, options.now)),
    ...(wide
      ? [
          cell(model.resource),
          cell(model.serving),
          cell(someOf(model, urlsOf(model.endpoints))),
          cell(functionsOf(model.endpoints)),
          cell(whyOf(model)),
        ]
      : []),
  ]);
  return (wide ? printWhole : printTable)(columns, rows, options.width);
}

function colourOf({ state }: ModelView): Colour {
  if (state.stalled) return 'red';
  return state.ready === 'True' && !state.reconciling && !state.paused ? 'green' : 'yellow';
}

/** How far the clocks of this machine and of the API server may differ; there the age of what is new is 0. */
const clockDifferenceMs = 60_000;

/** As kubectl prints it, which has the server's clock for it. */
export function ageOf(created: string, now: number): string {
  const age = now - Date.parse(created);
  if (Number.isNaN(age)) return '<unknown>';
  return formatAge(age < 0 && age >= -clockDifferenceMs ? 0 : age);
}

/** How many endpoints one line takes, as in `kubectl get endpoints`. */
const shownEndpoints = 3;

function urlsOf(endpoints: readonly EndpointView[]): string[] {
  return endpoints.flatMap(({ registered, url }) => (registered && url !== null ? [url] : []));
}

function someOf(model: ModelView, urls: readonly string[]): string {
  if (urls.length === 0) return '-';
  const more = Math.max(urls.length, model.registered ?? 0) - shownEndpoints;
  return `${urls.slice(0, shownEndpoints).join(',')}${more > 0 ? ` + ${more} more` : ''}`;
}

function functionsOf(endpoints: readonly EndpointView[]): string {
  const all = endpoints
    .filter(({ registered }) => registered)
    .flatMap(({ functions }) => Object.entries(functions).map(([name, path]) => `${name}=${path}`));
  return all.length === 0 ? '-' : [...new Set(all)].sort().join(',');
}

/** What is missing and why: the Ready condition's words, then each listed instance that clients do not see, then failed calls. */
export function whyOf(model: ModelView): string {
  const failing = model.endpoints
    .filter(({ registered }) => !registered)
    .map(({ pod, state, message }) => ({ pod, words: message === null ? state : `${state}: ${message}` }));
  const { message } = model.state;
  // The condition tells about the worst instance already.
  const untold = failing.filter(({ pod }) => !message.includes(pod)).map(({ pod, words }) => `${pod} ${words}`);
  const complete = model.state.ready === 'True' && untold.length === 0 && !model.state.paused;
  const { calls } = model.state;
  const parts = [...(message === '' || complete ? [] : [message]), ...untold, ...(calls === null ? [] : [calls])];
  return parts.length === 0 ? '-' : parts.join('; ');
}
