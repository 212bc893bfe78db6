/** What `call --compare` and `call --load` print. Pure. */
import { counted } from '../output/counted.ts';
import { type OutputFormat, printAs } from '../output/output-format.ts';
import { cell, printTable } from '../output/print-table.ts';
import type { Look } from '../ports.ts';
import type { Comparison } from './compare.ts';
import type { LoadResult } from './load.ts';
import { maxInFlight } from './load.ts';
import { msText } from './print-calls.ts';
import { type Latencies, printHistogram } from './statistics.ts';

/** Rows that are shown to people; JSON has more of them. */
const maxShown = 20;

export function printComparison(
  model: string,
  result: Comparison,
  format: OutputFormat | undefined,
  look: Look,
): string {
  const { sides, rows, compared, differing, neither, differences } = result;
  const view = {
    kind: 'ModelComparison',
    apiVersion: 'cli.maas.dev/v1',
    model,
    rows,
    compared,
    differing,
    neither,
    versions: sides.map((side) => ({ ...side, latencies: rounded(side.latencies) })),
    differences: differences.map(({ row, answers }) => ({
      row: row.number,
      arguments: Object.fromEntries(row.args),
      answers,
    })),
  };
  return printAs(format, view, {
    name: () => differences.map(({ row }) => `${row.number}\n`).join(''),
    table: () =>
      sidesTable(result, look) +
      (differences.length === 0 ? '' : `\n${differencesTable(result, look)}`) +
      `\n${summary(result)}\n`,
  });
}

function sidesTable({ sides }: Comparison, look: Look): string {
  return printTable(
    ['VERSION', 'MAPS', 'NO MAP', 'P50', 'P90', 'P99', 'MAX'].map((heading) => ({ heading })),
    sides.map(({ version, maps, others, latencies }) => [version, maps, others, ...timeCells(latencies)].map(cell)),
    look.width,
  );
}

function differencesTable({ sides, differences }: Comparison, look: Look): string {
  return printTable(
    ['ROW', 'ARGUMENTS', ...sides.map(({ version }) => version)].map((heading) => ({
      heading: String(cell(heading).text),
    })),
    differences
      .slice(0, maxShown)
      .map(({ row, answers }) => [row.number, argumentsText(row.args), ...answers].map(cell)),
    look.width,
  );
}

function summary({ rows, compared, differing, neither, differences }: Comparison): string {
  const shown = Math.min(maxShown, differences.length);
  const more = differing > shown ? `, of which ${shown} are shown` : '';
  const left = compared < rows ? `; interrupted after ${compared} of ${counted(rows, 'row')}` : '';
  const none = neither > 0 ? `, ${neither} without a map from either` : '';
  return `${counted(compared, 'row')}: ${compared - differing} the same, ${differing} different${more}${none}${left}`;
}

function argumentsText(args: readonly (readonly [string, string | null])[]): string {
  return args.map(([name, value]) => (value === null ? name : `${name}=${value}`)).join(' ');
}

export function printLoad(
  model: string,
  rate: number,
  result: LoadResult,
  format: OutputFormat | undefined,
  look: Look,
): string {
  const { latencies, others, instances } = result;
  const view = {
    kind: 'ModelLoad',
    apiVersion: 'cli.maas.dev/v1',
    model,
    rate,
    ...result,
    tookMs: Math.round(result.tookMs),
    others: Object.fromEntries(others),
    instances: Object.fromEntries(instances),
    latencies: rounded(latencies),
  };
  return printAs(format, view, {
    name: () => instances.map(([instance]) => `${cell(instance).text}\n`).join(''),
    table: () =>
      `${loadLines(rate, result).join('\n')}\n` +
      (result.histogram.length === 0 ? '' : `\n${printHistogram(result.histogram, look.width ?? 80)}`) +
      (instances.length === 0
        ? ''
        : `\n${printTable(
            [{ heading: 'INSTANCE' }, { heading: 'CALLS' }],
            instances.map((row) => row.map(cell)),
            look.width,
          )}`),
  });
}

function loadLines(
  rate: number,
  { tookMs, calls, maps, others, skipped, latencies, givenUp }: LoadResult,
): readonly string[] {
  const seconds = tookMs / 1_000;
  const failed = others.map(([gives, count]) => `, ${count} ${gives}`).join('');
  return [
    `${counted(calls, 'call')} in ${seconds.toFixed(1)} s, ${(calls / Math.max(seconds, 0.001)).toFixed(1)} a second of ${rate}: ${maps} with a map${failed}`,
    ...(latencies === undefined
      ? []
      : [
          `p50 ${msText(latencies.p50)}, p90 ${msText(latencies.p90)}, p99 ${msText(latencies.p99)}, max ${msText(latencies.max)}${latencies.count < calls ? `, of ${counted(latencies.count, 'call')} that had a connection` : ''}`,
        ]),
    ...(skipped > 0 ? [`${counted(skipped, 'call')} left out, because ${maxInFlight} were under way already`] : []),
    ...(givenUp ? ['given up early: the model gave no map any more'] : []),
  ];
}

function timeCells(latencies: Latencies | undefined): readonly (string | undefined)[] {
  if (latencies === undefined) return [undefined, undefined, undefined, undefined];
  const { p50, p90, p99, max } = latencies;
  return [p50, p90, p99, max].map(msText);
}

function rounded(latencies: Latencies | undefined): Latencies | null {
  if (latencies === undefined) return null;
  const round = (ms: number) => Math.round(ms * 100) / 100;
  const { count, p50, p90, p99, max } = latencies;
  return { count, p50: round(p50), p90: round(p90), p99: round(p99), max: round(max) };
}
