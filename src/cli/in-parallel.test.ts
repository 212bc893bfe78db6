import { describe, expect, it } from 'vitest';
import { inParallel } from './in-parallel.ts';

describe('inParallel', () => {
  it('gives the answers in the order of the questions, whoever is first', async () => {
    const answers = await inParallel([3, 1, 2], 3, async (turns) => {
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      return turns * 10;
    });
    expect(answers).toEqual([30, 10, 20]);
    expect(await inParallel([], 5, async () => 1)).toEqual([]);
  });

  it('never asks more than it may at once', async () => {
    let now = 0;
    let most = 0;
    await inParallel(Array.from({ length: 20 }), 4, async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
    });
    expect(most).toBe(4);
  });

  it('asks no more once something failed', async () => {
    const asked: number[] = [];
    await expect(
      inParallel([1, 2, 3, 4], 1, async (item) => {
        asked.push(item);
        if (item === 2) throw new Error('two');
      }),
    ).rejects.toThrow('two');
    expect(asked).toEqual([1, 2]);
  });
});
