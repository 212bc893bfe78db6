/** `history` in its formats, and the shape of `history -o json`: fields are added, never renamed or removed. Pure. */
import type { Revision } from '../../contracts/resource-status.ts';
import { visible } from '../../kernel/shown-text.ts';
import type { Model } from '../cluster/model.ts';
import type { JsonShape } from '../define-command.ts';
import type { Look } from '../ports.ts';
import { type Colour, paint } from './colour.ts';
import { type OutputFormat, printAs } from './output-format.ts';
import { ageOf } from './print-models.ts';
import { type Cell, type Column, cell, printTable, printWhole } from './print-table.ts';

interface HistoryView {
  readonly kind: 'ModelHistory';
  readonly apiVersion: 'cli.maas.dev/v1';
  readonly namespace: string;
  readonly resource: string;
  readonly items: readonly RevisionView[];
}

type RevisionView = Revision & { readonly serves: boolean };

/** Fields of `history -o json`, in the order of the output. */
export const historyFields: JsonShape['fields'] = [
  ['namespace', 'Namespace of the resource.'],
  ['resource', 'metadata.name of the ModelDeployment.'],
  ['items[].revision', 'Its number, which counts up; `undo --to` takes it.'],
  ['items[].version', 'The version that was asked for.'],
  ['items[].path', 'Path of its payload.'],
  ['items[].digest', 'Digest of the payload that was pinned for it; absent where it did not come so far.'],
  ['items[].by', 'Who asked for it: the field manager of the API server; absent where nobody says.'],
  ['items[].startedAt', 'When the operator first saw it, RFC 3339.'],
  ['items[].servedAt', 'When all its instances served for the first time; absent where they never did.'],
  ['items[].endedAt', 'When another one served in its place, or was asked for; absent until then.'],
  ['items[].result', 'RollingOut, Stalled, Serving, Served, Failed or Replaced.'],
  ['items[].reason', 'Why it stalled.'],
  ['items[].spec', 'What was asked for, without name and instances; absent where it was too long to be kept.'],
  ['items[].serves', 'True of the one that clients are served by now.'],
];

export function historyView({ metadata, status }: Model): HistoryView {
  return {
    kind: 'ModelHistory',
    apiVersion: 'cli.maas.dev/v1',
    namespace: metadata.namespace,
    resource: metadata.name,
    items: (status.history ?? []).map((revision) => ({ ...revision, serves: revision.result === 'Serving' })),
  };
}

export function printHistory(
  view: HistoryView,
  format: OutputFormat | undefined,
  options: Look & { readonly now: number },
): string {
  return printAs(format, view, {
    name: () => view.items.map(({ revision }) => `${revision}\n`).join(''),
    table: (wide) => {
      const rows = view.items.map((revision) => row(revision, wide, options));
      return (wide ? printWhole : printTable)(wide ? [...columns, ...wideColumns] : columns, rows, options.width);
    },
  });
}

const columns: readonly Column[] = [
  { heading: 'REVISION' },
  { heading: 'VERSION' },
  { heading: 'SERVES' },
  { heading: 'RESULT' },
  { heading: 'WHO', spare: 1 },
  { heading: 'AGE' },
  { heading: 'DIGEST', spare: 2 },
];
const wideColumns: readonly Column[] = ['SERVED-AT', 'ENDED-AT', 'PATH', 'WHY'].map((heading) => ({ heading }));

function row(revision: RevisionView, wide: boolean, options: Look & { readonly now: number }): readonly Cell[] {
  const { result, serves, digest } = revision;
  return [
    cell(revision.revision),
    cell(revision.version),
    { text: serves ? 'yes' : '-', paint: (text) => paint(options, serves ? 'green' : undefined, text) },
    { text: visible(result), paint: (text) => paint(options, colours[result], text) },
    cell(revision.by),
    cell(ageOf(revision.startedAt, options.now)),
    cell(wide ? digest : digest?.slice(0, shownDigest)),
    ...(wide ? [cell(revision.servedAt), cell(revision.endedAt), cell(revision.path), cell(revision.reason)] : []),
  ];
}

/** `sha256:` and twelve digits. */
const shownDigest = 19;

const colours: Readonly<Record<Revision['result'], Colour | undefined>> = {
  RollingOut: 'yellow',
  Stalled: 'red',
  Serving: 'green',
  Served: undefined,
  Failed: 'red',
  Replaced: undefined,
};
