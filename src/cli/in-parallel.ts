/** Many questions at once, but never all of thousands. */

/** What `ask` gives for each item, in their order. The first failure fails all; what is under way is left to end. */
export async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  ask: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const answers = new Map<number, R>();
  const queue = items.entries();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failed) return;
      try {
        answers.set(index, await ask(item));
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return [...answers.entries()].sort(([a], [b]) => a - b).map(([, answer]) => answer);
}
