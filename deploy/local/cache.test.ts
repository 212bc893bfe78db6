import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtIn, cacheDirectoryFor, keyOf, keyOfFiles } from './cache.ts';

describe('the cache directory', () => {
  test.each([
    [{}, '/home/ann/.cache/maas-operator'],
    [{ XDG_CACHE_HOME: '/var/cache/ann' }, '/var/cache/ann/maas-operator'],
    [{ XDG_CACHE_HOME: '' }, '/home/ann/.cache/maas-operator'],
    [{ MAAS_CACHE: '/big/disk', XDG_CACHE_HOME: '/var/cache/ann' }, '/big/disk'],
  ])('for %j is %s', (env, wanted) => {
    expect(cacheDirectoryFor(env, '/home/ann')).toBe(wanted);
  });
});

describe('a key', () => {
  test('tells any two lists of parts apart', () => {
    const parts = fc.array(fc.string(), { maxLength: 4 });
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(keyOf(...a) === keyOf(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  test('is the same wherever a part ends, only when the parts are', () => {
    expect(keyOf('ab', 'c')).not.toBe(keyOf('a', 'bc'));
  });

  describe('of files', () => {
    let directory: string;
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'cache-test-'));
    });
    afterEach(() => rmSync(directory, { recursive: true }));

    const file = (name: string, content: string) => {
      writeFileSync(join(directory, name), content);
      return join(directory, name);
    };

    test('changes with name and content, not with the directory', () => {
      const before = keyOfFiles([file('a', 'one')]);
      expect(keyOfFiles([file('a', 'two')])).not.toBe(before);
      expect(keyOfFiles([file('b', 'one')])).not.toBe(before);
      expect(keyOfFiles([file('a', 'one')])).toBe(before);
    });
  });
});

describe('what is built', () => {
  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'built-test-'));
  });
  afterEach(() => rmSync(cache, { recursive: true }));

  test('is built once, also when two want it at a time', async () => {
    let builds = 0;
    const build = async (into: string) => {
      builds += 1;
      writeFileSync(join(into, 'program'), '');
    };
    const [first, second] = await Promise.all([
      builtIn(cache, 'thing', '1', build),
      builtIn(cache, 'thing', '1', build),
    ]);
    expect(first).toBe(second);
    expect(builds).toBe(1);
    expect(existsSync(join(first, 'program'))).toBe(true);
  });

  test('is not there after a failure, and is tried again', async () => {
    const failing = builtIn(cache, 'thing', '1', async (into) => {
      writeFileSync(join(into, 'half'), '');
      throw new Error('no space');
    });
    await expect(failing).rejects.toThrow('no space');
    const directory = await builtIn(cache, 'thing', '1', async (into) => writeFileSync(join(into, 'whole'), ''));
    expect(existsSync(join(directory, 'whole'))).toBe(true);
    expect(existsSync(join(directory, 'half'))).toBe(false);
  });
});
