import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { identityOf, withLock } from './lock.ts';

describe('a lock between programs', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lock-test-'));
    path = join(directory, 'locks', 'one');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test('lets one in at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    await Promise.all([withLock(path, work), withLock(path, work), withLock(path, work)]);
    expect(most).toBe(1);
  });

  test('is given back after a failure', async () => {
    await expect(withLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(existsSync(path)).toBe(false);
  });

  test('of a process that is gone is taken over', async () => {
    const child = spawn('true');
    const owner = identityOf(child.pid ?? 0) ?? `${child.pid} 1`;
    await once(child, 'close');
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'owner'), owner);
    expect(await withLock(path, async () => 'mine')).toBe('mine');
  });

  test('whose owner died before it could say its name is taken over', async () => {
    mkdirSync(path, { recursive: true });
    utimesSync(path, 0, 0);
    expect(await withLock(path, async () => 'mine')).toBe('mine');
  });

  test('of a process whose number another one has now is taken over', async () => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'owner'), `${process.pid} 1`);
    expect(await withLock(path, async () => 'mine')).toBe('mine');
  });
});

test('a living process has an identity, a dead one has none', async () => {
  expect(identityOf(process.pid)).toMatch(new RegExp(`^${process.pid} `));
  const child = spawn('true');
  await once(child, 'close');
  expect(identityOf(child.pid ?? 0)).toBeUndefined();
});
