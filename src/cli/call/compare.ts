/** Runs the rows of a file through two versions, and finds those that they answer differently. */
import { mapBounded } from '../../kernel/bounded.ts';
import { sameJson } from '../../kernel/canonical-json.ts';
import type { Called } from './call-instance.ts';
import type { InputRow } from './inputs.ts';
import { type Latencies, latencies, timesOf } from './statistics.ts';

export interface Difference {
  readonly row: InputRow;
  readonly answers: readonly [string, string];
}

export interface Side {
  readonly version: string;
  /** Calls that gave a map, and all others. */
  readonly maps: number;
  readonly others: number;
  /** Of those that were answered, and of those that waited until they were given up. */
  readonly latencies: Latencies | undefined;
}

export interface Comparison {
  readonly sides: readonly [Side, Side];
  readonly rows: number;
  /** Rows that both have answered, or failed at; less than all where it was interrupted. */
  readonly compared: number;
  readonly differing: number;
  /** Those to which neither gave a map. */
  readonly neither: number;
  /** The first of them, in the order of the rows. */
  readonly differences: readonly Difference[];
}

/** More of the differences are counted, and not kept. */
const maxKept = 1_000;

export interface CompareOptions {
  readonly versions: readonly [string, string];
  /** Calls that are under way at once. */
  readonly parallel: number;
  /** Of fields of the answer that are not compared. */
  readonly ignore: readonly string[];
  readonly call: (version: string, args: InputRow['args'], signal: AbortSignal) => Promise<Called>;
  readonly onRow: (done: number, differing: number) => void;
  readonly signal: AbortSignal;
}

/** Gives what there is when the signal fires. */
export async function compare(rows: readonly InputRow[], options: CompareOptions): Promise<Comparison> {
  const { versions, ignore, signal } = options;
  const tallies = [tally(), tally()] as const;
  const found: Difference[] = [];
  let [compared, differing, neither] = [0, 0, 0];
  const one = async (row: InputRow, stop: AbortSignal) => {
    const first = options.call(versions[0], row.args, stop);
    if (options.parallel === 1) await first;
    // Else both at once: what a row costs the models does not depend on which of them is asked first.
    const [left, right] = await Promise.all([first, options.call(versions[1], row.args, stop)]);
    count(tallies[0], left);
    count(tallies[1], right);
    compared += 1;
    if (left.answer === undefined && right.answer === undefined) neither += 1;
    if (!sameAnswer(left, right, ignore)) {
      differing += 1;
      if (found.length < maxKept) found.push({ row, answers: [answerText(left), answerText(right)] });
    }
    options.onRow(compared, differing);
  };
  try {
    await mapBounded(rows, Math.max(1, Math.floor(options.parallel / 2)), one, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const side = (at: 0 | 1): Side => {
    const { maps, others, times } = tallies[at];
    return { version: versions[at], maps, others, latencies: latencies(times) };
  };
  return {
    sides: [side(0), side(1)],
    rows: rows.length,
    compared,
    differing,
    neither,
    differences: found.toSorted((a, b) => a.row.number - b.row.number),
  };
}

function tally(): { maps: number; others: number; times: number[] } {
  return { maps: 0, others: 0, times: [] };
}

function count(into: ReturnType<typeof tally>, called: Called): void {
  if (called.gives === 'map') into.maps += 1;
  else into.others += 1;
  into.times.push(...timesOf(called));
}

/** As a rule sees them: the same map, or no map from either. */
export function sameAnswer(left: Called, right: Called, ignore: readonly string[]): boolean {
  if (left.answer === undefined || right.answer === undefined) return left.answer === right.answer;
  return sameJson(without(left.answer.fields, ignore), without(right.answer.fields, ignore));
}

function without(fields: Readonly<Record<string, unknown>>, ignore: readonly string[]) {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !ignore.includes(name)));
}

function answerText({ answer, gives, why }: Called): string {
  return answer?.json ?? `${gives}: ${why}`;
}
