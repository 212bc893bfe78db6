import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backOffMs } from './back-off.ts';

it.each([
  [0, 100],
  [1, 200],
  [3, 800],
  [4, 1_000],
  [2_000, 1_000],
])('after %i failures before, at the most %i ms', (failures, most) => {
  expect(backOffMs({ firstMs: 100, longestMs: 1_000 }, failures, () => 1)).toBe(most);
  expect(backOffMs({ firstMs: 100, longestMs: 1_000 }, failures, () => 0)).toBe(most / 2);
});

it('grows as it is told to, and stays between half and all of it', () => {
  fc.assert(
    fc.property(
      fc.nat(50),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 1, max: 3, noNaN: true }),
      (failures, random, factor) => {
        const options = { firstMs: 50, longestMs: 20_000, factor };
        const waitMs = backOffMs(options, failures, () => random);
        const most = backOffMs(options, failures, () => 1);
        expect(waitMs).toBeGreaterThanOrEqual(most / 2);
        expect(waitMs).toBeLessThanOrEqual(most);
        expect(backOffMs(options, failures + 1, () => 1)).toBeGreaterThanOrEqual(most);
      },
    ),
  );
});
