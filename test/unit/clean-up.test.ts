import { expect, it } from 'vitest';
import { cleanUp } from '../e2e/clean-up.ts';

it('a clean-up takes every step in turn, also after one that failed, and tells of each failure', async () => {
  const taken: string[] = [];
  const step = (name: string, failure?: string) => async () => {
    taken.push(name);
    if (failure !== undefined) throw new Error(failure);
  };
  const nothingThere = () => undefined;
  const cleaned = cleanUp(step('a', 'a is stuck'), nothingThere, step('b'), step('c', 'c is stuck'), step('d'));
  await expect(cleaned).rejects.toThrow(/a is stuck\n.*c is stuck/);
  expect(taken).toEqual(['a', 'b', 'c', 'd']);
  await expect(cleanUp(step('e'))).resolves.toBeUndefined();
});
