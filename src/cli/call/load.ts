/** Calls a model so many times a second for a while, and counts what comes back. */
import type { Clock } from '../../kernel/clock.ts';
import type { Called } from './call-instance.ts';
import { type Bar, histogram, type Latencies, latencies, timesOf } from './statistics.ts';

export interface LoadOptions {
  /** Calls a second. */
  readonly rate: number;
  readonly forMs: number;
  readonly call: (signal: AbortSignal) => Promise<Called>;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly onTick: (done: number, seconds: number) => void;
  readonly signal: AbortSignal;
}

export interface LoadResult {
  /** Of the load itself, in milliseconds. */
  readonly tookMs: number;
  readonly calls: number;
  readonly maps: number;
  /** What the others gave, and how many of them. */
  readonly others: readonly (readonly [gives: Called['gives'], count: number])[];
  /** Calls that were due when too many were under way, and so were never made. */
  readonly skipped: number;
  /** Of calls that were answered, and of those that waited until they were given up. */
  readonly latencies: Latencies | undefined;
  readonly histogram: readonly Bar[];
  /** By instance, in the order of their names. */
  readonly instances: readonly (readonly [instance: string, count: number])[];
  /** It ended early because of what came back. */
  readonly givenUp: boolean;
}

/** At most so many are under way: a model that does not keep up is not buried. */
export const maxInFlight = 64;
/** Of so many calls in a row that gave no map, the load ends: it would do harm and show nothing more. */
export const failuresInARow = 20;

/**
 * Calls begin at their times whether or not those before have come back, as they do from a topology. Gives what there is
 * when the signal fires.
 */
export async function load({ rate, forMs, call, clock, onTick, signal }: LoadOptions): Promise<LoadResult> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const times: number[] = [];
  const others = new Map<Called['gives'], number>();
  const instances = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  let [calls, maps, skipped, inARow] = [0, 0, 0, 0];
  let failure: unknown;
  const begin = clock.monotonic();

  const one = async () => {
    const called = await call(either);
    const { gives, instance } = called;
    calls += 1;
    times.push(...timesOf(called));
    instances.set(instance.name, (instances.get(instance.name) ?? 0) + 1);
    if (gives === 'map') maps += 1;
    else others.set(gives, (others.get(gives) ?? 0) + 1);
    inARow = gives === 'map' ? 0 : inARow + 1;
    if (inARow >= failuresInARow) stop.abort(new Error('given up'));
  };
  const due = Math.max(1, Math.floor((rate * forMs) / 1_000));
  for (let number = 0; number < due && !either.aborted; number += 1) {
    const waitMs = begin + (number * 1_000) / rate - clock.monotonic();
    if (waitMs > 0) await clock.sleep(waitMs, either).catch(() => {});
    if (either.aborted) break;
    onTick(calls, (clock.monotonic() - begin) / 1_000);
    if (underWay.size >= maxInFlight) {
      skipped += 1;
      continue;
    }
    const running: Promise<void> = one()
      .catch((error: unknown) => {
        if (!either.aborted) failure ??= error;
      })
      .finally(() => underWay.delete(running));
    underWay.add(running);
  }
  const tookMs = clock.monotonic() - begin;
  await Promise.all(underWay);
  if (failure !== undefined) throw failure;
  return {
    tookMs,
    calls,
    maps,
    others: [...others].sort(),
    skipped,
    latencies: latencies(times),
    histogram: histogram(times),
    instances: [...instances].sort(),
    givenUp: stop.signal.aborted,
  };
}
