/** What `payload` prints. Pure. */
import { formatAge } from '../../contracts/duration.ts';
import { formatBytes } from '../../contracts/quantity.ts';
import type { StoredPayload } from '../../contracts/stored-payload.ts';
import { visible } from '../../kernel/shown-text.ts';
import type { JsonShape } from '../define-command.ts';
import { counted } from '../output/counted.ts';
import { type OutputFormat, printAs } from '../output/output-format.ts';
import { cell, printTable } from '../output/print-table.ts';
import type { Look } from '../ports.ts';
import type { FileDifference } from './payload-diff.ts';
import { type Reference, usersOf } from './references.ts';

/** Fields of an item of `payload ls -o json`, in the order of the output. */
export const payloadFields: JsonShape['fields'] = [
  ['path', 'Directory in HDFS, absolute.'],
  ['nameservice', 'Where HDFS has it.'],
  [
    'kind',
    '`payload`: an upload put it there whole. `unfinished`: one under way, or given up. `other`: whatever else.',
  ],
  ['digest', 'Of what an upload put there; null otherwise.'],
  ['files', 'How many files.'],
  ['bytes', 'How long they are together.'],
  ['changedAt', 'When it was changed last, by the clock of HDFS.'],
  ['uses[].by', 'Who refers to it, as namespace and name.'],
  ['uses[].use', '`wanted` by a spec, `pinned` for pods, in the `history`, or anywhere else in a `status`.'],
];

export function payloadView(payload: StoredPayload, references: readonly Reference[]) {
  const { directory, nameservice, kind, digest, files, bytes, changedAt } = payload;
  return {
    path: directory,
    nameservice,
    kind,
    digest: digest ?? null,
    files,
    bytes,
    changedAt: new Date(changedAt).toISOString(),
    uses: usersOf(payload, references).map(({ by, use }) => ({ by, use })),
  };
}
type PayloadView = ReturnType<typeof payloadView>;

export function printPayloads(
  items: readonly PayloadView[],
  now: number,
  format: OutputFormat | undefined,
  look: Look,
): string {
  const view = { kind: 'PayloadList', apiVersion: 'cli.maas.dev/v1', items };
  return printAs(format, view, {
    name: () => items.map(({ path }) => `${visible(path)}\n`).join(''),
    table: (wide) =>
      printTable(
        [
          { heading: 'PATH' },
          { heading: 'DIGEST', spare: 1 },
          { heading: 'FILES', spare: 2 },
          { heading: 'SIZE' },
          { heading: 'AGE' },
          { heading: 'USED BY' },
        ],
        items.map(({ path, digest, files, bytes, changedAt, uses, kind }) =>
          [
            path,
            wide ? digest : digest?.slice(0, 'sha256:'.length + 12),
            files,
            formatBytes(bytes),
            formatAge(now - Date.parse(changedAt)),
            usesText(uses, kind),
          ].map(cell),
        ),
        look.width,
      ),
  });
}

function usesText(uses: PayloadView['uses'], kind: PayloadView['kind']): string {
  const byWhom = Map.groupBy(uses, ({ by }) => by);
  const texts = [...byWhom].map(([by, all]) => `${by} (${[...new Set(all.map(({ use }) => use))].join(', ')})`);
  if (texts.length > 0) return texts.join(', ');
  return kind === 'payload'
    ? 'nothing'
    : kind === 'unfinished'
      ? 'nothing; an upload that is not finished'
      : 'nothing; not of an upload';
}

export interface DiffView {
  readonly from: string;
  readonly to: string;
  readonly files: readonly (Omit<FileDifference, 'before' | 'after'> & {
    readonly before: number | null;
    readonly after: number | null;
    /** Lines, where both are text; null otherwise. */
    readonly text: readonly string[] | null;
  })[];
}

const marks = { added: 'A', removed: 'D', changed: 'M', unclear: '?' } as const;

export function printDiff(diff: DiffView, format: OutputFormat | undefined): string {
  const view = { kind: 'PayloadDiff', apiVersion: 'cli.maas.dev/v1', ...diff };
  const { files } = diff;
  const size = (bytes: number | null) => (bytes === null ? '-' : formatBytes(bytes));
  const lines = files.flatMap(({ path, change, before, after, text }) => [
    `${marks[change]} ${path}  ${before !== null && after !== null ? `${size(before)} -> ${size(after)}` : size(after ?? before)}`,
    ...(text ?? []).map((line) => `    ${line}`),
  ]);
  return printAs(format, view, {
    name: () => files.map(({ path }) => `${visible(path)}\n`).join(''),
    table: () =>
      [
        `from ${diff.from}`,
        `to   ${diff.to}`,
        ...lines,
        files.length === 0 ? 'the same files' : `${counted(files.length, 'file')} different`,
      ]
        .map((line) => `${visible(line)}\n`)
        .join(''),
  });
}
