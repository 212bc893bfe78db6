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
