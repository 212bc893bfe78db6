/** Many pieces of work, but never all at once. */

/**
 * Applies an asynchronous function to all items, at most `limit` at a time, and keeps the order. After the first
 * failure nothing new is begun; what is under way is told by its signal and awaited, then the failure is thrown.
 */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  apply: (item: T, signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  const results: R[] = [];
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const entries = items.entries();
  const failures: unknown[] = [];
  const work = async () => {
    for (const [index, item] of entries) {
      if (either.aborted) return;
      try {
        results[index] = await apply(item, either);
      } catch (error) {
        failures.push(error);
        stop.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  signal?.throwIfAborted();
  if (failures.length > 0) throw failures[0];
  return results;
}

/** Lets a given number of pieces of work run at once; the others wait in their order. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async within<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // A place that is handed on is never free in between.
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
