import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beforeGaps, segmentsOf, usualCut, withoutGap } from './segments.ts';

const mebibyte = 1024 * 1024;
const cut = { bytes: 8 * mebibyte, atOnce: 4, slow: 0 };
const lengths = fc.integer({ min: 1, max: 700 * mebibyte });
const blockSizes = fc.constantFrom(0, 512, mebibyte, 10 * mebibyte, 128 * mebibyte, 100_000_000);

describe('segments', () => {
  it('are the whole file from where it begins, in order, and none reaches over a block or is too long', () => {
    fc.assert(
      fc.property(lengths, blockSizes, fc.double({ min: 0, max: 1, noNaN: true }), (length, blockSize, share) => {
        const from = Math.floor(length * share);
        let offset = from;
        for (const segment of segmentsOf({ length, blockSize }, from, cut)) {
          expect(segment.offset).toBe(offset);
          expect(segment.length).toBeGreaterThan(0);
          expect(segment.length).toBeLessThanOrEqual(cut.bytes);
          offset += segment.length;
          if (blockSize > cut.bytes) {
            expect(Math.floor((offset - 1) / blockSize)).toBe(Math.floor(segment.offset / blockSize));
          }
        }
        expect(offset).toBe(length);
      }),
    );
  });

  it('of small blocks hold several, so that a file is not asked for in pieces', () => {
    expect(segmentsOf({ length: mebibyte, blockSize: 65_536 }, 0, usualCut)).toEqual([{ offset: 0, length: mebibyte }]);
  });
});

describe('a file that was left half-way', () => {
  it('has come without a gap as far as is believed, whenever its writer ended', () => {
    const steps = fc.array(fc.record({ which: fc.nat(cut.atOnce - 1), share: fc.constantFrom(0.1, 0.5, 1) }));
    fc.assert(
      fc.property(lengths, blockSizes, fc.nat(), steps, (length, blockSize, before, moves) => {
        // An attempt, itself perhaps one that went on, that is ended after any of its writes.
        const from = before % length;
        const segments = segmentsOf({ length, blockSize }, from, cut);
        const arrived = segments.map(({ offset }) => offset);
        const ends = segments.map(({ offset, length: bytes }) => offset + bytes);
        const firstGap = () => segments.findIndex((_, index) => arrived[index] !== ends[index]);
        let size = from;
        for (const { which, share } of moves) {
          const first = firstGap();
          if (first < 0) break;
          // Any that may have begun; one that is complete does nothing more.
          const index = Math.min(first + which, segments.length - 1);
          const left = (ends[index] ?? 0) - (arrived[index] ?? 0);
          arrived[index] = (arrived[index] ?? 0) + Math.ceil(left * share);
          if (left > 0) size = Math.max(size, arrived[index] ?? 0);
        }
        const gap = firstGap();
        const front = gap < 0 ? length : (arrived[gap] ?? 0);
        expect(withoutGap(size, length, cut)).toBeLessThanOrEqual(front);
        if (size === length) expect(segments.length === 1 ? 0 : beforeGaps(size, cut)).toBeLessThanOrEqual(front);
      }),
      { numRuns: 300 },
    );
  });

  it('is believed to its end where it was written from one end to the other', () => {
    expect(withoutGap(cut.bytes - 1, cut.bytes, cut)).toBe(cut.bytes - 1);
    expect(withoutGap(cut.bytes + 1, cut.bytes + 2, cut)).toBe(0);
  });
});
