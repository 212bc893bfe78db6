import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { histogram, latencies, printHistogram } from './statistics.ts';

describe('latencies', () => {
  it('are nearest ranks', () => {
    const times = Array.from({ length: 100 }, (_, at) => 100 - at);
    expect(latencies(times)).toEqual({ count: 100, p50: 50, p90: 90, p99: 99, max: 100 });
    expect(latencies([3])).toEqual({ count: 1, p50: 3, p90: 3, p99: 3, max: 3 });
    expect(latencies([])).toBeUndefined();
  });

  it('lie within what was measured, each not below the one before', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), (times) => {
        const { p50 = 0, p90 = 0, p99 = 0, max = 0 } = latencies(times) ?? {};
        expect([p50, p90, p99, max].toSorted((a, b) => a - b)).toEqual([p50, p90, p99, max]);
        expect(times).toContain(p50);
        expect(max).toBe(Math.max(...times));
      }),
    );
  });
});

describe('a histogram', () => {
  it('has everything in it, once', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e7, noNaN: true })), (times) => {
        expect(histogram(times).reduce((sum, { count }) => sum + count, 0)).toBe(times.length);
      }),
    );
  });

  it('is drawn with the buckets between, too', () => {
    expect(printHistogram(histogram([0.7, 0.8, 0.9, 1, 4, 12.5]), 40)).toBe(
      ' to 1 ms  4  ##########################\n' +
        ' to 2 ms  0\n' +
        ' to 5 ms  1  #######\n' +
        'to 10 ms  0\n' +
        'to 20 ms  1  #######\n',
    );
    expect(printHistogram(histogram([1_500]), 20)).toBe('to 2 s  1  ##########\n');
  });
});
