import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareAsClients, compareAsPeople, servedVersion } from './version-order.ts';

describe('the order of clients', () => {
  it.each([
    ['9.0', '10.0'],
    ['1.9', '1.10'],
    ['v2', 'V3'],
    ['2', '10'],
    ['1.0a', '1.0'],
    ['1', ''],
  ])('has %j above %j', (higher, lower) => {
    expect(compareAsClients(higher, lower)).toBeGreaterThan(0);
    expect(compareAsClients(lower, higher)).toBeLessThan(0);
    expect(servedVersion([lower, higher, lower])).toBe(higher);
  });

  it('compares code units, as Java does, not characters', () => {
    // U+1F600 is two code units from U+D83D on, below U+FF5E.
    expect(compareAsClients('\u{1f600}', '\uff5e')).toBeLessThan(0);
  });

  it('is the same for equal texts', () => {
    expect(compareAsClients('1.0', '1.0')).toBe(0);
    expect(servedVersion([])).toBeUndefined();
  });
});

describe('the order of people', () => {
  it.each([
    ['1.10', '1.9'],
    ['10.0', '9.0'],
    ['10', '2'],
    ['V3', 'v2'],
    ['v10', '9'],
    ['1.0.1', '1.0'],
    ['2.0', '2.0-rc1'],
    ['2.0-rc10', '2.0-rc9'],
    ['99999999999999999999', '9'],
  ])('has %j above %j', (newer, older) => {
    expect(compareAsPeople(newer, older)).toBeGreaterThan(0);
    expect(compareAsPeople(older, newer)).toBeLessThan(0);
  });

  it.each([
    ['1.0', '1'],
    ['v1', '1.0'],
    ['blue', 'green'],
    ['blue', '2'],
    ['', '1'],
  ])('does not tell %j from %j', (one, other) => {
    expect(compareAsPeople(one, other)).toBe(0);
  });

  it('is antisymmetric for whatever is written', () => {
    const version = fc.oneof(fc.string(), fc.stringMatching(/^v?\d{1,3}(\.\d{1,3}){0,3}(-[a-z0-9]{1,4})?$/));
    fc.assert(
      fc.property(version, version, (one, other) => {
        expect(compareAsPeople(one, other) + compareAsPeople(other, one)).toBe(0);
      }),
    );
  });
});
