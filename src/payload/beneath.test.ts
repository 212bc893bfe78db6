import { execFileSync } from 'node:child_process';
import { link, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openBeneath } from './beneath.ts';

let top: string;
let root: string;
let outside: string;
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'beneath-'));
  root = join(top, 'payload');
  outside = join(top, 'outside');
  await mkdir(root);
  await mkdir(outside);
  await writeFile(join(outside, 'secret'), 'secret');
});
afterEach(() => rm(top, { recursive: true }));

async function write(path: string, text = 'content'): Promise<void> {
  const file = await openBeneath(root, path);
  await file.truncate(0);
  await file.write(text, 0);
  await file.close();
}

it('makes files and directories that every user may use and execute', async () => {
  const old = process.umask(0o077);
  try {
    await write('run.sh');
    await write('a/b c/ü.bin');
  } finally {
    process.umask(old);
  }
  expect(await readFile(join(root, 'a/b c/ü.bin'), 'utf8')).toBe('content');
  for (const path of ['run.sh', 'a', 'a/b c', 'a/b c/ü.bin'])
    expect((await stat(join(root, path))).mode & 0o777).toBe(0o777);
});

it('keeps what is in a file, so that a download can go on', async () => {
  await write('f', 'half');
  const file = await openBeneath(root, 'f');
  expect((await file.stat()).size).toBe(4);
  await file.close();
});

it('puts a file in the place of a link', async () => {
  await symlink(join(outside, 'secret'), join(root, 'f'));
  await write('f');
  expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
  expect((await lstat(join(root, 'f'))).isFile()).toBe(true);
});

it('puts a directory in the place of a link, at any depth', async () => {
  await mkdir(join(root, 'a'));
  await symlink(outside, join(root, 'a/b'));
  await write('a/b/secret');
  expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
  expect(await readFile(join(root, 'a/b/secret'), 'utf8')).toBe('content');
});

it('does not write through a second name of a file', async () => {
  await link(join(outside, 'secret'), join(root, 'f'));
  await write('f');
  expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
});

it('does not hang at a FIFO', async () => {
  execFileSync('mkfifo', [join(root, 'f')]);
  await write('f');
  expect((await lstat(join(root, 'f'))).isFile()).toBe(true);
});

it('replaces a file that stands where a directory belongs', async () => {
  await write('a');
  await write('a/b');
  expect((await lstat(join(root, 'a'))).isDirectory()).toBe(true);
});

it('leaves no handle open', async () => {
  const handles = async () => (await readdir('/proc/self/fd')).length;
  const before = await handles();
  for (let i = 0; i < 20; i++) await write(`d/e/f${i}`);
  expect(await handles()).toBeLessThan(before + 10);
});
