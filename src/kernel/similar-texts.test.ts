import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editsBetween, similarTexts } from './similar-texts.ts';

describe('names that may have been meant', () => {
  it.each<[string, string[]]>([
    ['chaty', ['chatty']],
    ['dag-1.0', ['dga-1.0', 'dga-2.0']],
    ['DGA-1.0', ['dga-1.0', 'dga-2.0']],
    ['fra', ['fraud', 'fraud-2']],
    ['x', []],
    ['weather', []],
    ['', []],
  ])('%s: %j', (typed, near) => {
    expect(similarTexts(typed, ['dga-1.0', 'dga-2.0', 'chatty', 'fraud', 'fraud-2', 'fraud'])).toEqual(near);
  });

  it('counts edits alike in both directions, none where nothing differs, and one for each of them', () => {
    const text = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(text, text, fc.nat(11), (a, b, at) => {
        expect(editsBetween(a, b)).toBe(editsBetween(b, a));
        expect(editsBetween(a, a)).toBe(0);
        expect(editsBetween(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(editsBetween(a, `${a.slice(0, at)}x${a.slice(at)}`)).toBe(1);
      }),
    );
  });
});
