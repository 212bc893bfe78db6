/** The payload store in the real HDFS: what an operator copies, and what an agent then reads. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Hdfs } from '../../src/adapters/webhdfs/hdfs.ts';
import { openHdfsReader } from '../../src/adapters/webhdfs/hdfs-reader.ts';
import type { PinnedPayload } from '../../src/contracts/payload.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { fetchPayload } from '../../src/payload/fetch.ts';
import { Originals } from '../../src/payload/originals.ts';
import { PayloadStore } from '../../src/payload/payload-store.ts';
import { payloadChange, resolvePayload } from '../../src/payload/resolve.ts';
import { uploadOver } from '../../src/payload/upload-over.ts';
import { realHdfsSettings } from './hdfs-settings.ts';
import { openRealHdfs, ownDirectory } from './hdfs-world.ts';
import { present } from './world.ts';

const hdfs = openRealHdfs();
const { nameservice } = present('hdfs');
const reader = openHdfsReader(realHdfsSettings(), nameservice, { clock: systemClock });
const hour = 3_600_000;
const { signal } = new AbortController();
let own: Awaited<ReturnType<typeof ownDirectory>>;
let root: string;
let top: string;
let ids = 0;
let later = 0;

beforeAll(async () => {
  own = await ownDirectory(hdfs);
});
afterAll(async () => {
  await own[Symbol.asyncDispose]();
});
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'store-'));
  root = `${own.path}/store-${ids++}/c1/maas-system`;
  later = 0;
});
afterEach(() => rm(top, { recursive: true }));

function aStore(of: Hdfs = hdfs): PayloadStore {
  const clock = { now: laterNow, monotonic: () => systemClock.monotonic() + later };
  return new PayloadStore(of, { nameservice, root, removeAfterMs: hour, clock });
}

/** As the old deploy client does it: over what is there. */
async function uploadAsOfOld(directory: string, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  const local = await mkdtemp(join(top, 'local-'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(local, name), content);
  await uploadOver(hdfs, local, directory, { now: systemClock.now, id: `id${ids++}` });
}

async function fetched(pinned: PinnedPayload, file: string): Promise<string> {
  const directory = await mkdtemp(join(top, 'fetched-'));
  await fetchPayload(reader, pinned, directory, { clock: systemClock, random: Math.random });
  return await readFile(join(directory, file), 'utf8');
}

// Long after the last write, so that nothing counts as being written still.
const laterNow = () => systemClock.now() + hour;
const keep = async (directory: string, by = aStore()) =>
  by.keep(await resolvePayload(hdfs, { nameservice, directory }, laterNow, signal), () => {}, signal);
const namesBelow = async (directory: string) => (await hdfs.list(directory)).map(({ name }) => name);

describe('the path that a copy was made from', () => {
  it('is compared with what was copied: other bytes, more, fewer, none and the same again', async () => {
    const path = `${own.path}/original`;
    const files = { 'run.sh': 'echo 1.0', 'data.txt': 'first' };
    await uploadAsOfOld(path, files);
    const copy = await keep(path);
    const originals = new Originals(hdfs);
    const change = () => originals.change(copy, signal);
    expect(await change()).toBeUndefined();
    await uploadAsOfOld(path, { ...files, 'data.txt': 'other' });
    expect(await change()).toMatch(/have other content/);
    await uploadAsOfOld(path, { ...files, 'data.txt': 'longer than before' });
    expect(await change()).toMatch(/data\.txt" has 18 bytes, it had 5/);
    await uploadAsOfOld(path, files);
    expect(await change()).toBeUndefined();
    await uploadAsOfOld(path, { 'more.txt': '' });
    expect(await change()).toMatch(/more\.txt" is new/);
    await hdfs.delete(path, { recursive: true });
    expect(await change()).toMatch(/nothing at/);
  });
});

describe('versions that a script of old uploads over one path', () => {
  it('are all there for an agent, whatever the path holds by now', async () => {
    const path = `${own.path}/dga`;
    await uploadAsOfOld(path, { 'run.sh': 'echo 1.0', 'größe 100%.txt': 'first', empty: '' });
    const first = await keep(path);
    await uploadAsOfOld(path, { 'run.sh': 'echo 2.0', 'größe 100%.txt': 'second' });
    const second = await keep(path);
    expect(second.digest).not.toBe(first.digest);
    await hdfs.delete(path, { recursive: true });
    expect([await fetched(first, 'größe 100%.txt'), await fetched(second, 'größe 100%.txt')]).toEqual([
      'first',
      'second',
    ]);
    expect(await namesBelow(root)).toHaveLength(2);
    // Its root, which keeps everybody else out.
    expect(await hdfs.status(root)).toMatchObject({ permission: '700' });
  });

  it('have the files of one moment, also when they are replaced while they are copied', async () => {
    const path = `${own.path}/replaced`;
    const weights = (text: string) => Buffer.alloc(8 * 2 ** 20, text);
    await uploadAsOfOld(path, { 'run.sh': 'echo old', 'weights.bin': weights('old ') });
    let replaced = false;
    const slow: Hdfs = {
      ...hdfs,
      async read(from, options) {
        if (from.endsWith('/weights.bin') && !replaced) {
          replaced = true;
          await uploadAsOfOld(path, { 'run.sh': 'echo new', 'weights.bin': weights('new ') });
        }
        return await hdfs.read(from, options);
      },
    };
    const pin = await keep(path, aStore(slow));
    expect(replaced).toBe(true);
    expect(await fetched(pin, 'run.sh')).toBe('echo new');
    expect((await fetched(pin, 'weights.bin')).slice(0, 8)).toBe('new new ');
    expect(await payloadChange(hdfs, pin)).toBeUndefined();
  });
});

describe('a copy', () => {
  it('is mended from its original, and shown as damaged where that is gone', async () => {
    const path = `${own.path}/mended`;
    await uploadAsOfOld(path, { 'run.sh': 'echo', data: 'data' });
    const store = aStore();
    const pin = await keep(path, store);
    await hdfs.delete(`${pin.path}/data`, { recursive: false });
    expect(await payloadChange(hdfs, pin)).toMatch(/"data" is gone/);
    await store.mend(pin, signal);
    expect(await payloadChange(hdfs, pin)).toBeUndefined();
    expect(await fetched(pin, 'data')).toBe('data');
    await hdfs.delete(`${pin.path}/data`, { recursive: false });
    await uploadAsOfOld(path, { data: 'other' });
    await store.mend(pin, signal);
    expect(await payloadChange(hdfs, pin)).toMatch(/"data" is gone/);
  });

  it('goes when nothing has referred to it for long enough, and no sooner', async () => {
    const path = `${own.path}/swept`;
    await uploadAsOfOld(path, { 'run.sh': 'echo 1' });
    const store = aStore();
    const first = await keep(path, store);
    await uploadAsOfOld(path, { 'run.sh': 'echo 2' });
    const second = await keep(path, store);
    const sweep = () => store.sweep(new Set([second.path]), () => true, signal);
    expect(await sweep()).toEqual([]);
    later += hour;
    expect(await sweep()).toEqual([first.path]);
    expect(await hdfs.status(first.path)).toBeUndefined();
    expect(await fetched(second, 'run.sh')).toBe('echo 2');
  });
});

describe('an operator that is killed while it copies', () => {
  it('leaves nothing that looks like a copy, and the next one ends what it began', async () => {
    const path = `${own.path}/killed`;
    const parts = Object.fromEntries(
      Array.from({ length: 6 }, (_, part) => [`part${part}.bin`, Buffer.alloc(20_000_000, `part${part}`)]),
    );
    await uploadAsOfOld(path, { 'run.sh': 'echo', ...parts });
    const child = copying(path);
    await bytesCopied(child, 30_000_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect((await namesBelow(root)).filter((name) => !name.startsWith('.staging-'))).toEqual([]);
    const pin = await keep(path);
    expect(await fetched(pin, 'part5.bin')).toBe(parts['part5.bin']?.toString());
    expect(await namesBelow(root)).toEqual([pin.path.slice(root.length + 1)]);
  });
});

describe('a payload of 1 GB', () => {
  it('is copied with little memory', { timeout: 600_000 }, async () => {
    const path = `${own.path}/large`;
    const chunk = Buffer.alloc(2 ** 20, 'weights ');
    const source = async function* () {
      for (let sent = 0; sent < 1024; sent++) yield chunk;
    };
    await hdfs.write(`${path}/weights.bin`, source, { length: 1024 * chunk.length });
    await uploadAsOfOld(path, { 'run.sh': 'echo' });
    const child = copying(path);
    const last = await lastLine(child);
    const { path: copy, grownBytes }: { path: string; grownBytes: number } = JSON.parse(last);
    console.log(`copied 1 GB; memory grew by ${Math.round(grownBytes / 1e6)} MB`);
    expect(await hdfs.status(`${copy}/weights.bin`)).toMatchObject({ length: 2 ** 30 });
    // Node lets some 64 MB of used-up buffers lie before it collects them, here for reading and for writing.
    expect(grownBytes).toBeLessThan(192e6);
    await hdfs.delete(path, { recursive: true });
    await hdfs.delete(root, { recursive: true });
  });
});

function copying(directory: string): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, 'store-process.ts'), root, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function bytesCopied(child: ChildProcess, bytes: number): Promise<void> {
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) if (Number(line) >= bytes) return;
  throw new Error('the copy ended before it could be killed');
}

async function lastLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output');
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) last = line;
  return last;
}
