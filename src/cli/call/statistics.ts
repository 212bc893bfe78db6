/** Latencies in numbers and as a picture. Pure. */
import type { Called } from './call-instance.ts';
import { msText } from './print-calls.ts';

/**
 * What of a call is a latency: how long an answer took, and how long it was waited for in vain, or those who wait the longest
 * would be in no percentile. A connection that was refused has none.
 */
export function timesOf({ reply, gives, ms }: Pick<Called, 'reply' | 'gives' | 'ms'>): readonly number[] {
  return reply !== undefined || gives === 'waiting' ? [ms] : [];
}

export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Undefined of none. @param times milliseconds, in any order */
export function latencies(times: readonly number[]): Latencies | undefined {
  if (times.length === 0) return undefined;
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

export interface Bar {
  /** Milliseconds, included. */
  readonly upTo: number;
  readonly count: number;
}

/** From the first bucket that has something in it to the last; they end at 1, 2 and 5 of each power of ten. */
export function histogram(times: readonly number[]): readonly Bar[] {
  const counts = new Map<number, number>();
  for (const time of times) {
    const end = bucketOf(time);
    counts.set(end, (counts.get(end) ?? 0) + 1);
  }
  const ends = [...counts.keys()];
  if (ends.length === 0) return [];
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  return bucketEnds
    .filter((end) => end >= least && end <= most)
    .map((upTo) => ({ upTo, count: counts.get(upTo) ?? 0 }));
}

const bucketEnds = [0.1, 1, 10, 100, 1_000, 10_000, 100_000].flatMap((power) => [power, 2 * power, 5 * power]);

function bucketOf(time: number): number {
  return bucketEnds.find((end) => time <= end) ?? bucketEnds.at(-1) ?? 0;
}

/** @param columns that a line may take */
export function printHistogram(bars: readonly Bar[], columns: number): string {
  const most = Math.max(...bars.map(({ count }) => count));
  const labels = bars.map(({ upTo }) => `to ${msText(upTo).replace('.0 ', ' ')}`);
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const countWidth = String(most).length;
  const room = Math.max(10, Math.min(columns, 80) - labelWidth - countWidth - 5);
  return bars
    .map(({ count }, at) => {
      const bar = '#'.repeat(count === 0 ? 0 : Math.max(1, Math.round((count / most) * room)));
      return `${`${(labels[at] ?? '').padStart(labelWidth)}  ${String(count).padStart(countWidth)}  ${bar}`.trimEnd()}\n`;
    })
    .join('');
}
