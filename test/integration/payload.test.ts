/** Payloads up to the real HDFS, resolved there, and down again. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, truncate } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openHdfsReader } from '../../src/adapters/webhdfs/hdfs-reader.ts';
import type { PinnedPayload } from '../../src/contracts/payload.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { fetchPayload } from '../../src/payload/fetch.ts';
import { payloadChange, resolvePayload } from '../../src/payload/resolve.ts';
import { usualCut, withoutGap } from '../../src/payload/segments.ts';
import { uploadPayload } from '../../src/payload/upload.ts';
import { realHdfsSettings } from './hdfs-settings.ts';
import { openRealHdfs, ownDirectory } from './hdfs-world.ts';
import { present } from './world.ts';

const run = promisify(execFile);
const hdfs = openRealHdfs();
const { nameservice } = present('hdfs');
const reader = openHdfsReader(realHdfsSettings(), nameservice, { clock: systemClock });
let own: Awaited<ReturnType<typeof ownDirectory>>;
let top: string;
let local: string;
let fetched: string;
let ids = 0;

beforeAll(async () => {
  own = await ownDirectory(hdfs);
});
afterAll(async () => {
  await own[Symbol.asyncDispose]();
});
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'payload-'));
  local = join(top, 'local');
  fetched = join(top, 'fetched');
  await mkdir(local);
  await mkdir(fetched);
});
afterEach(() => rm(top, { recursive: true }));

const put = async (path: string, content: string | Buffer) => {
  await mkdir(join(local, path, '..'), { recursive: true });
  await writeFile(join(local, path), content);
};
const upload = (target: string) =>
  uploadPayload(hdfs, local, target, { now: systemClock.now, id: `id${ids++}`, warn: (text) => expect.fail(text) });
/** As if nothing had been written for a while, unless told. */
const resolve = (directory: string, laterMs = 3_600_000) =>
  resolvePayload(hdfs, { nameservice, directory }, () => Date.now() + laterMs);
const fetch = (pinned: PinnedPayload) =>
  fetchPayload(reader, pinned, fetched, { clock: systemClock, random: Math.random });

async function tree(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sums = await Promise.all(
    files.map(async (file) =>
      createHash('md5')
        .update(await readFile(file))
        .digest('hex'),
    ),
  );
  return Object.fromEntries(files.map((file, index) => [file.slice(directory.length + 1), sums[index] ?? '']).sort());
}

async function sample(): Promise<void> {
  await put('run.sh', '#!/bin/sh\nexec ./lib/serve.py\n');
  await put('lib/serve.py', 'print("hi")');
  await put('lib/deep er/50% ü/日本 & co.bin', Buffer.alloc(3_000_000, 'deep'));
  await put('empty', '');
  for (let i = 0; i < 30; i++) await put(`many/f${i}`, 'x'.repeat(i * 100));
}

describe('a payload', () => {
  it('is not taken for whole while a file of it is being written, however long that takes', async () => {
    const target = `${own.path}/being-written`;
    const text = Buffer.from('echo hi');
    await hdfs.write(`${target}/run.sh`, () => Readable.from([text]), { length: text.length });
    const { promise: written, resolve: finish } = Promise.withResolvers<void>();
    const half = Buffer.alloc(1_000, 'half');
    const writing = hdfs.write(
      `${target}/model.bin`,
      async function* () {
        yield half;
        await written;
        yield half;
      },
      { length: 2 * half.length },
    );
    await vi.waitFor(async () => expect(await hdfs.status(`${target}/model.bin`)).toMatchObject({ length: 0 }), 20_000);
    await expect(resolve(target)).rejects.toMatchObject({ code: 'PAYLOAD_INCOMPLETE' });
    finish();
    await writing;
    await expect(resolve(target, 0)).rejects.toMatchObject({ code: 'PAYLOAD_INCOMPLETE' });
    expect(await resolve(target)).toMatchObject({ bytes: text.length + 2 * half.length });
  });

  it('comes down as it went up', async () => {
    await sample();
    const target = `${own.path}/round-trip`;
    expect(await upload(target)).toMatchObject({ outcome: 'uploaded', files: 34 });
    const pinned = await resolve(target);
    expect(pinned.files.every(({ sha256 }) => sha256 !== undefined)).toBe(true);
    expect((await fetch(pinned)).bytesFetched).toBe(pinned.bytes);
    expect(await tree(fetched)).toEqual(await tree(local));
    expect((await stat(join(fetched, 'run.sh'))).mode & 0o111).toBe(0o111);
    expect((await fetch(pinned)).bytesFetched).toBe(0);
    expect(await payloadChange(hdfs, pinned)).toBeUndefined();
  });

  it('uploaded again is there already; with other content it is refused', async () => {
    await sample();
    const target = `${own.path}/again`;
    await upload(target);
    expect(await upload(target)).toMatchObject({ outcome: 'present' });
    const pinned = await resolve(target);
    await put('lib/serve.py', 'print("ho")');
    await expect(upload(target)).rejects.toMatchObject({ code: 'HDFS_PATH_EXISTS' });
    expect((await resolve(target)).digest).toBe(pinned.digest);
    expect((await hdfs.list(own.path)).filter(({ name }) => name.startsWith('.staging'))).toEqual([]);
  });

  it('put there by another tool is pinned without a manifest, and changes are seen', async () => {
    const target = `${own.path}/foreign`;
    const write = (name: string, text: string) =>
      hdfs.write(
        `${target}/${name}`,
        async function* () {
          yield Buffer.from(text);
        },
        { length: Buffer.byteLength(text), overwrite: true },
      );
    await expect(resolve(target)).rejects.toMatchObject({ code: 'HDFS_PATH_MISSING' });
    await hdfs.mkdirs(target);
    await expect(resolve(target)).rejects.toMatchObject({ code: 'PAYLOAD_NO_SCRIPT' });
    await write('run.sh', 'echo');
    await write('data', 'first');
    const pinned = await resolve(target);
    expect(pinned.files.map(({ path, sha256 }) => [path, sha256])).toEqual([
      ['data', undefined],
      ['run.sh', undefined],
    ]);
    await write('data', 'first');
    expect(await payloadChange(hdfs, pinned)).toBeUndefined();
    await fetch(pinned);
    await write('data', 'other');
    expect(await payloadChange(hdfs, pinned)).toMatch(/other content/);
    await rm(join(fetched, 'data'));
    await expect(fetch(pinned)).rejects.toMatchObject({ code: 'PAYLOAD_CHANGED' });
    await hdfs.delete(target, { recursive: true });
    expect(await payloadChange(hdfs, pinned)).toMatch(/nothing at/);
  });

  it('is gone on with where an earlier fetch was killed', async () => {
    await put('run.sh', 'echo');
    await put('model.bin', Buffer.alloc(16_000_000, 'model'));
    const target = `${own.path}/resume`;
    await upload(target);
    const pinned = await resolve(target);
    await fetch(pinned);
    await promisify(truncate)(join(fetched, 'model.bin'), 9_000_001);
    await rm(join(fetched, 'run.sh'));
    expect((await fetch(pinned)).bytesFetched).toBe(16_000_000 - 9_000_001 + 4);
    expect(await tree(fetched)).toEqual(await tree(local));
  });

  it('of several blocks is right in the end, however often and whenever its fetch is killed', async () => {
    const target = `${own.path}/kills`;
    const mebibyte = Buffer.from(Array.from({ length: 1024 * 1024 }, (_, i) => (i * 2_654_435_761) >>> 24));
    const length = 400 * mebibyte.length;
    const content = async function* () {
      for (let i = 0; i < 400; i++) {
        mebibyte.writeUInt32LE(i);
        yield Buffer.from(mebibyte);
      }
    };
    await hdfs.write(`${target}/model.bin`, content, { length, blockSize: 32 * mebibyte.length });
    await hdfs.write(`${target}/run.sh`, async function* () {}, { length: 0 });
    const pinned = await resolve(target);
    const pinFile = join(top, 'pin.json');
    await writeFile(pinFile, JSON.stringify(pinned));
    const size = async () => (await stat(join(fetched, 'model.bin')).catch(() => undefined))?.size ?? 0;

    let kept = 0;
    for (const killedAt of [60, 61, 150, 280, 399].map((mebibytes) => mebibytes * mebibyte.length)) {
      const program = join(import.meta.dirname, 'fetch-process.ts');
      const fetching = spawn(process.execPath, [program, pinFile, fetched, 'side-by-side']);
      const ended = once(fetching, 'exit');
      while ((await size()) < killedAt && fetching.exitCode === null) await new Promise(setImmediate);
      fetching.kill('SIGKILL');
      await ended;
      kept = Math.max(kept, withoutGap(await size(), length, usualCut));
    }
    expect(kept).toBeGreaterThan(250 * mebibyte.length);
    expect((await fetch(pinned)).bytesFetched).toBeLessThanOrEqual(
      length - withoutGap(399 * mebibyte.length, length, usualCut),
    );
    const sums = [createHash('sha256'), createHash('sha256')];
    for await (const chunk of content()) sums[0]?.update(chunk);
    for await (const chunk of createReadStream(join(fetched, 'model.bin'))) sums[1]?.update(chunk);
    expect(sums[1]?.digest('hex')).toBe(sums[0]?.digest('hex'));
  });
});

describe('an upload that is killed', () => {
  it('leaves nothing that looks whole, and the next one is not disturbed', async () => {
    await put('run.sh', 'echo');
    for (let i = 0; i < 6; i++) await put(`part${i}.bin`, Buffer.alloc(20_000_000, `part${i}`));
    const target = `${own.path}/killed`;
    const child = spawn(process.execPath, [join(import.meta.dirname, 'upload-process.ts'), local, target], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await bytesSent(child, 30_000_000);
    child.kill('SIGKILL');
    await once(child, 'exit');

    expect(await hdfs.status(target)).toBeUndefined();
    await expect(resolve(target)).rejects.toMatchObject({ code: 'HDFS_PATH_MISSING' });
    const [staging] = (await hdfs.list(own.path)).filter(({ name }) => name.startsWith('.staging-'));
    expect((await hdfs.list(`${own.path}/${staging?.name}`)).map(({ name }) => name)).not.toContain(
      '.maas-manifest.json',
    );

    expect(await upload(target)).toMatchObject({ outcome: 'uploaded' });
    await fetch(await resolve(target));
    expect(await tree(fetched)).toEqual(await tree(local));
  });

  it('and forgotten for a day is cleared away by the next one', async () => {
    await put('run.sh', 'echo');
    const target = `${own.path}/forgotten`;
    const prefix = `.staging-${createHash('sha256').update('forgotten').digest('hex').slice(0, 12)}-`;
    await hdfs.mkdirs(`${own.path}/${prefix}dead/lib`);
    const later = () => systemClock.now() + 25 * 60 * 60 * 1000;
    await uploadPayload(hdfs, local, `${own.path}/other`, { now: later, id: 'other' });
    expect(await hdfs.status(`${own.path}/${prefix}dead`)).toBeDefined();
    await uploadPayload(hdfs, local, target, { now: later, id: 'next' });
    expect(await hdfs.status(`${own.path}/${prefix}dead`)).toBeUndefined();
  });
});

async function bytesSent(child: ChildProcess, bytes: number): Promise<void> {
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) {
    if (Number(line.split(' ')[1]) >= bytes) return;
  }
  throw new Error('the upload ended before it could be killed');
}

describe('a payload of 3 GB', () => {
  const chunk = Buffer.from(Array.from({ length: 1024 * 1024 }, (_, i) => (i * 2_654_435_761) >>> 24));

  async function fetchInProcess(name: string, mebibytes: number) {
    const target = `${own.path}/${name}`;
    const source = async function* () {
      for (let i = 0; i < mebibytes; i++) yield chunk;
    };
    await hdfs.write(`${target}/model.bin`, source, { length: mebibytes * chunk.length, blockSize: 128 * 1024 * 1024 });
    await hdfs.write(`${target}/run.sh`, async function* () {}, { length: 0 });
    const pinFile = join(top, `${name}.json`);
    await writeFile(pinFile, JSON.stringify(await resolve(target)));
    const directory = join(top, name);
    await mkdir(directory);
    const { stdout } = await run(process.execPath, [join(import.meta.dirname, 'fetch-process.ts'), pinFile, directory]);
    const file = await open(join(directory, 'model.bin'));
    const last = Buffer.alloc(chunk.length);
    await file.read(last, 0, last.length, (mebibytes - 1) * last.length);
    await file.close();
    expect(last.equals(chunk)).toBe(true);
    const result: { bytesFetched: number; seconds: number; grownBytes: number } = JSON.parse(stdout);
    expect(result.bytesFetched).toBe(mebibytes * chunk.length);
    await rm(directory, { recursive: true });
    await hdfs.delete(target, { recursive: true });
    return result;
  }

  it('needs little memory, whatever its size', { timeout: 600_000 }, async () => {
    const { seconds, grownBytes } = await fetchInProcess('large', 3 * 1024);
    console.log(`fetched 3 GB in ${seconds.toFixed(1)} s; memory grew by ${Math.round(grownBytes / 1e6)} MB`);
    // Node lets some 64 MB of used-up buffers lie before it collects them.
    expect(grownBytes).toBeLessThan(128e6);
  });
});
