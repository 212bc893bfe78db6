import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelDeploymentSpec } from './resource.ts';
import {
  compareAsClients,
  compareAsPeople,
  outranked,
  servedVersion,
  whatClientsDo,
  whatToDoInstead,
} from './version-order.ts';

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

describe('a version that clients do not take', () => {
  it.each([
    ['1.10', ['1.9', '1.8'], '1.9', 'v1.10'],
    ['10.0', ['9.0'], '9.0', 'v10.0'],
    [' 1.10 ', ['1.9'], '1.9', 'v1.10'],
    ['v10', ['v9', '1.0'], 'v9', 'v9.10'],
    ['V3', ['v2'], 'v2', 'v3'],
    ['1.0', ['blue'], 'blue', 'v1.0'],
    ['azure', ['blue'], 'blue', 'blue.azure'],
    ['1', ['~'], '~', '~.1'],
    ['1', ['9'.repeat(128)], '9'.repeat(128), 'v1'],
    ['v1', ['w'.repeat(128)], 'w'.repeat(128), `${'w'.repeat(127)}z`],
  ])('%j beside %j is below %j and named %j is above', (version, registered, by, better) => {
    expect(outranked(version, registered)).toEqual({ version, by, better });
  });

  it.each([
    ['1.0', []],
    ['1.0', ['1.0']],
    ['1.9', ['1.10', '1.9']],
    ['v1', ['9.0']],
  ])('is not %j beside %j', (version, registered) => {
    expect(outranked(version, registered)).toBeUndefined();
  });

  it('is told with what clients do and with what to do', () => {
    const found = outranked('1.10', ['1.9']);
    if (found === undefined) throw new Error('it is outranked');
    expect(whatClientsDo(found)).toBe(
      'clients that name no version get "1.9", not "1.10": they compare versions as plain text and take the highest',
    );
    expect(whatToDoInstead(found)).toBe(
      'Name it "v1.10", remove "1.9", or have clients ask for the version by its name.',
    );
  });

  it('gets a name that is valid and above all others, wherever there is one', () => {
    const schema = modelDeploymentSpec.shape.version;
    const version = fc
      .oneof(
        fc.stringMatching(/^v?\d{1,3}(\.\d{1,3}){0,3}(-[a-z0-9]{1,4})?$/),
        fc.string({ minLength: 1, maxLength: 128 }),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }),
        fc.string({ minLength: 128, maxLength: 128, unit: fc.constantFrom('~', 'z', 'v', '\uffed') }),
      )
      .filter((text) => schema.safeParse(text).success);
    fc.assert(
      fc.property(version, fc.array(version, { minLength: 1 }), (one, others) => {
        const found = outranked(one, others);
        if (found === undefined) {
          expect(others.every((other) => compareAsClients(other, one) <= 0)).toBe(true);
        } else if (found.by !== '\uffed'.repeat(128)) {
          const { better = '' } = found;
          expect(schema.safeParse(better).success).toBe(true);
          expect(others.every((other) => compareAsClients(better, other) > 0)).toBe(true);
          expect(outranked(better, others)).toBeUndefined();
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('gets none where nothing is above the other', () => {
    expect(outranked('1', ['\uffee'.repeat(128)])?.better).toBeUndefined();
  });
});
