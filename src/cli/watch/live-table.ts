/** The models as a table, and below it the instances where one model is looked at. Pure. */

import { rankOf, traitsOf } from '../../contracts/reasons.ts';
import { visible } from '../../kernel/shown-text.ts';
import { compareTexts } from '../../kernel/text-order.ts';
import type { Model } from '../cluster/model.ts';
import { paint } from '../output/colour.ts';
import { type EndpointView, viewOf } from '../output/model-view.ts';
import { type PrintOptions, printModels } from '../output/print-models.ts';
import { type Cell, cell, printTable } from '../output/print-table.ts';
import { foldTo } from '../output/text-columns.ts';

interface Options extends PrintOptions {
  readonly instances: boolean;
  /** Why the models may not be as shown any more. */
  readonly trouble?: string | undefined;
}

export function liveTable(models: readonly Model[], options: Options): string {
  const { trouble } = options;
  return trouble === undefined
    ? tables(models, options)
    : `${paint(options, 'red', folded(trouble, options))}\n\n${tables(models, options)}`;
}

function folded(words: string, { width }: Options): string {
  return foldTo(width ?? Number.POSITIVE_INFINITY, visible(words)).join('\n');
}

function tables(models: readonly Model[], options: Options): string {
  if (models.length === 0) return 'No models.\n';
  const views = models
    .map(viewOf)
    .sort((a, b) => compareTexts(`${a.namespace}/${a.resource}`, `${b.namespace}/${b.resource}`));
  const table = printModels(views, 'table', options);
  const [one] = views;
  if (!options.instances || one === undefined) return table;
  const { message } = one.state;
  const words = message === '' ? '' : folded(message, options);
  return [table, ...(words === '' ? [] : [`\n${words}\n`]), `\n${instances(one.endpoints, options)}`].join('');
}

function instances(endpoints: readonly EndpointView[], options: Options): string {
  if (endpoints.length === 0) return 'No instances.\n';
  const columns = [{ heading: 'INSTANCE' }, { heading: 'VERSION' }, { heading: 'STATE' }, { heading: 'URL', spare: 1 }];
  const rows = endpoints.map((endpoint): Cell[] => [
    cell(endpoint.pod),
    cell(endpoint.version),
    {
      text: visible(endpoint.message === null ? endpoint.state : `${endpoint.state}: ${endpoint.message}`),
      paint: (text) => paint(options, colourOf(endpoint.state), text),
    },
    cell(endpoint.url),
  ]);
  return printTable(columns, rows, options.width);
}

function colourOf(state: string) {
  const { severity } = traitsOf(state);
  if (severity === 'up') return 'green';
  return rankOf(severity) >= rankOf('failing') ? 'red' : 'yellow';
}
