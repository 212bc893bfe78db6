/** Agents, a payload cache and a real HDFS, each a process of its own, some of which are killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import type { PinnedPayload } from '../../src/contracts/payload.ts';
import { resolvePayload } from '../../src/payload/resolve.ts';
import { writeManifest } from '../../src/payload/upload-manifest.ts';
import { openRealHdfs, ownDirectory } from './hdfs-world.ts';
import { present } from './world.ts';

const hdfs = openRealHdfs();
const mebibyte = Buffer.from(Uint8Array.from({ length: 1024 * 1024 }, (_, i) => (i * 2_654_435_761) >>> 24));
let own: Awaited<ReturnType<typeof ownDirectory>>;
let top: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  own = await ownDirectory(hdfs);
});
afterAll(async () => {
  await own[Symbol.asyncDispose]();
});
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'cache-'));
  await mkdir(join(top, 'cache'));
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(top, { recursive: true });
});

/** As an upload leaves it, with the SHA-256 of each file. @param sizes of its files in mebibytes */
async function payload(name: string, sizes: readonly number[]): Promise<PinnedPayload> {
  const directory = `${own.path}/${name}`;
  const content = async function* (seed: number, count: number) {
    for (let i = 0; i < count; i++) {
      mebibyte.writeUInt32LE(seed * 10_000 + i);
      yield Buffer.from(mebibyte);
    }
  };
  const files: { path: string; length: number; sha256: string }[] = [];
  const put = async (path: string, chunks: () => AsyncIterable<Buffer>, length: number) => {
    const hash = createHash('sha256');
    for await (const chunk of chunks()) hash.update(chunk);
    await hdfs.write(`${directory}/${path}`, chunks, { length, blockSize: 128 * 1024 * 1024 });
    files.push({ path, length, sha256: hash.digest('hex') });
  };
  for (const [index, size] of sizes.entries()) {
    await put(`part${index}.bin`, () => content(index, size), size * mebibyte.length);
  }
  const script = Buffer.from('#!/bin/sh\n');
  await put(
    'run.sh',
    async function* () {
      yield script;
    },
    script.length,
  );
  await writeManifest(hdfs, { maasManifest: 1, files }, directory, undefined);
  const where = { nameservice: present('hdfs').nameservice, directory };
  const pinned = await resolvePayload(hdfs, where, () => Date.now() + 3_600_000);
  await writeFile(join(top, 'pin.json'), JSON.stringify(pinned));
  return pinned;
}

function start(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function firstLine(child: ChildProcess, holds: (line: string) => boolean): Promise<string> {
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) if (holds(line)) return line;
  throw new Error('it ended before it said that');
}

async function startCache(): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = start(join(projectRoot, 'src/bin/payload-cache.ts'), [join(top, 'cache'), '4Gi'], { PORT: '0' });
  const { port } = JSON.parse(await firstLine(child, (line) => line.includes('"listening"'))) as { port: number };
  return { url: `http://127.0.0.1:${port}`, child };
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^maas_payload_cache_${name} (\\d+)$`, 'm').exec(text)?.[1]);
}

interface Fetching {
  readonly child: ChildProcess;
  readonly directory: string;
  readonly result: Promise<{ readonly bytesFetched: number; readonly bytesFromCache: number }>;
}

let pods = 0;
async function startFetch(url: string): Promise<Fetching> {
  const directory = join(top, `pod${pods++}`);
  await mkdir(directory);
  const child = start(join(import.meta.dirname, 'fetch-process.ts'), [join(top, 'pin.json'), directory, url]);
  const result = firstLine(child, () => true).then((line) => JSON.parse(line));
  result.catch(() => undefined);
  return { child, directory, result };
}

async function expectRight(directory: string, pinned: PinnedPayload): Promise<void> {
  for (const { path, sha256 } of pinned.files) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(join(directory, path))) hash.update(chunk);
    expect(hash.digest('hex')).toBe(sha256);
  }
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** Sum of what they read from HDFS, once all of them have the right bytes. */
async function allRight(fetching: readonly Fetching[], pinned: PinnedPayload): Promise<number> {
  const results = await Promise.all(fetching.map(({ result }) => result));
  for (const { directory } of fetching) await expectRight(directory, pinned);
  return results.reduce((sum, { bytesFetched }) => sum + bytesFetched, 0);
}

describe('six agents and a cache', () => {
  it('read HDFS once, and not again when the cache was started again on the same files', async () => {
    const pinned = await payload('once', [40, 3, 1, 1]);
    const { url, child } = await startCache();
    const fetching = await Promise.all(Array.from({ length: 6 }, () => startFetch(url)));
    expect(await allRight(fetching, pinned)).toBe(pinned.bytes);
    await vi.waitFor(async () => expect(await metric(url, 'received_bytes_total')).toBe(pinned.bytes), 10_000);
    await kill(child);
    const again = await startCache();
    const later = await startFetch(again.url);
    expect(await later.result).toMatchObject({ bytesFetched: 0, bytesFromCache: pinned.bytes });
    await expectRight(later.directory, pinned);
  });

  it('read on once where the one that brings a file is killed', async () => {
    const pinned = await payload('bringer', [300]);
    const { url } = await startCache();
    const first = await startFetch(url);
    await vi.waitFor(async () => expect(await metric(url, 'received_bytes_total')).toBeGreaterThan(0), {
      timeout: 20_000,
      interval: 5,
    });
    first.child.kill('SIGSTOP');
    expect(await metric(url, 'received_bytes_total')).toBeLessThan(pinned.bytes / 2);
    const others = [await startFetch(url), await startFetch(url)];
    await vi.waitFor(async () => expect(await metric(url, 'hits_total')).toBeGreaterThanOrEqual(2), 20_000);
    await kill(first.child);
    const read = await allRight(others, pinned);
    expect(read).toBeLessThanOrEqual(pinned.bytes);
  });

  it('come to the right bytes where the cache is killed', async () => {
    const pinned = await payload('cache', [200]);
    const { url, child } = await startCache();
    const fetching = await Promise.all(Array.from({ length: 3 }, () => startFetch(url)));
    await vi.waitFor(async () => expect(await metric(url, 'sent_bytes_total')).toBeGreaterThan(0), {
      timeout: 20_000,
      interval: 5,
    });
    await kill(child);
    const read = await allRight(fetching, pinned);
    expect(read).toBeGreaterThan(pinned.bytes);
    expect(read).toBeLessThan(3 * pinned.bytes);
  });
});
