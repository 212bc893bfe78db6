import fc from 'fast-check';
import { expect, it } from 'vitest';
import { durationBounds, Histogram } from './histogram.ts';

it('counts each call below every bound that it did not exceed', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 100_000, noNaN: true })), (all) => {
      const histogram = new Histogram();
      for (const ms of all) histogram.add(ms);
      const below = durationBounds.map((bound) => all.filter((ms) => ms / 1_000 <= bound).length);
      expect(histogram.cumulative().map(([, count]) => count)).toEqual([...below, all.length]);
      expect(histogram.count).toBe(all.length);
      expect(histogram.seconds).toBeCloseTo(all.reduce((sum, ms) => sum + ms / 1_000, 0));
    }),
  );
});
