import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, sameJson } from './canonical-json.ts';

describe('sameJson', () => {
  it.each([
    ['another order of keys', { a: 1, b: { c: [1, 2], d: 2 } }, { b: { d: 2, c: [1, 2] }, a: 1 }, true],
    ['another order in a list', { a: [1, 2] }, { a: [2, 1] }, false],
    ['undefined, which JSON does not have', { a: undefined }, {}, true],
    ['another value deep inside', [{ a: { b: 1 } }], [{ a: { b: 2 } }], false],
    ['null and nothing', { a: null }, {}, false],
  ])('%s', (_name, left, right, same) => {
    expect(sameJson(left, right)).toBe(same);
  });

  it('says what the canonical texts say, whatever the values', () => {
    const value = fc.anything({
      maxDepth: 3,
      withDate: true,
      withNullPrototype: true,
      key: fc.constantFrom('a', 'b', '0'),
    });
    fc.assert(
      fc.property(value, value, (left, right) => {
        const same = canonicalJson(left) === canonicalJson(right);
        expect([sameJson(left, right), sameJson(left, structuredClone(left))]).toEqual([same, true]);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('canonicalJson', () => {
  it('sorts keys', () => {
    expect(canonicalJson({ b: 1, a: { d: 1, c: null } })).toBe('{"a":{"c":null,"d":1},"b":1}');
  });
});
