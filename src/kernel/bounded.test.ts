import { expect, it } from 'vitest';
import { settle } from '../../test/builders/manual-clock.ts';
import { mapBounded, Slots } from './bounded.ts';

it('keeps the order and never runs more than the limit', async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapBounded([5, 1, 4, 2, 3], 2, async (item) => {
    running += 1;
    most = Math.max(most, running);
    for (let i = 0; i < item; i++) await Promise.resolve();
    running -= 1;
    return item * 2;
  });
  expect(doubled).toEqual([10, 2, 8, 4, 6]);
  expect(most).toBe(2);
  expect(await mapBounded([], 3, async () => 1)).toEqual([]);
});

it('throws the first failure after what was under way has ended, and begins nothing new', async () => {
  const begun: number[] = [];
  let ended = false;
  const running = mapBounded([0, 1, 2, 3], 2, async (item, signal) => {
    begun.push(item);
    if (item === 0) throw new Error('first');
    await new Promise((done) => signal.addEventListener('abort', done, { once: true }));
    ended = true;
    throw signal.reason;
  });
  await expect(running).rejects.toThrow('first');
  expect(ended).toBe(true);
  expect(begun).toEqual([0, 1]);
});

it("throws the caller's reason when it is aborted", async () => {
  const stop = new AbortController();
  const running = mapBounded(
    [1, 2],
    1,
    async (_item, signal) => {
      stop.abort(new Error('enough'));
      signal.throwIfAborted();
    },
    stop.signal,
  );
  await expect(running).rejects.toThrow('enough');
});

it('slots let so many pieces of work run, the others in their order, whatever becomes of them', async () => {
  const slots = new Slots(2);
  const begun: number[] = [];
  const release: ((failed: boolean) => void)[] = [];
  const works = Array.from({ length: 4 }, (_, index) =>
    slots
      .within(async () => {
        begun.push(index);
        if (await new Promise<boolean>((resolve) => release.push(resolve))) throw new Error('failed');
        return index;
      })
      .catch((error: Error) => error.message),
  );
  await settle();
  expect(begun).toEqual([0, 1]);
  release.shift()?.(true);
  await settle();
  expect(begun).toEqual([0, 1, 2]);
  for (let left = 3; left > 0; left -= 1) {
    release.shift()?.(false);
    await settle();
  }
  expect(await Promise.all(works)).toEqual(['failed', 1, 2, 3]);
});
