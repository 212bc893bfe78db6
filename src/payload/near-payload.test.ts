/** Payloads with a cache near by: one that works, and those that lie, die, stall and give a little now and then. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeWebHdfs } from '../../test/builders/fake-webhdfs.ts';
import { HastyClock, ManualClock } from '../../test/builders/manual-clock.ts';
import { PayloadCacheClient } from '../adapters/payload-cache.ts';
import { openHdfs } from '../adapters/webhdfs/hdfs.ts';
import { openHdfsReader } from '../adapters/webhdfs/hdfs-reader.ts';
import { type PinnedPayload, uploadManifestName } from '../contracts/payload.ts';
import type { Clock } from '../kernel/clock.ts';
import { silentLog } from '../kernel/log.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { type ServedCache, serveCache } from '../payload-cache/http-server.ts';
import { PayloadCache } from '../payload-cache/payload-cache.ts';
import { fetchPayload } from './fetch.ts';
import type { FetchSource } from './fetch-file.ts';
import type { NearAnswer, NearFile, NearFiles } from './near-files.ts';
import { NearPayload } from './near-payload.ts';
import { resolvePayload } from './resolve.ts';

const big = Buffer.from(Uint8Array.from({ length: 700_000 }, (_, i) => (i * 37) % 253));
const content: Readonly<Record<string, Buffer>> = {
  'run.sh': Buffer.from('#!/bin/sh\n'),
  big,
  'lib/small': Buffer.from('small'),
  empty: Buffer.alloc(0),
};
const nameOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const contentOf = new Map(Object.values(content).map((bytes) => [nameOf(bytes), bytes]));

let fake: FakeWebHdfs;
let source: FetchSource;
let top: string;
let pods = 0;
const life = new AbortController();

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'near-'));
  fake = await FakeWebHdfs.start();
  source = openHdfsReader(fake.settings, 'fake', { clock: new HastyClock(), rounds: 1 });
  for (const [path, bytes] of Object.entries(content)) fake.put(`/m/${path}`, bytes, { blockSize: 1 << 16 });
});
afterEach(async () => {
  await fake.stop();
  await rm(top, { recursive: true });
});

/** @param listed with the SHA-256s that an upload leaves */
async function pin(listed = true): Promise<PinnedPayload> {
  const files = Object.entries(content).map(([path, bytes]) => ({ path, length: bytes.length, sha256: nameOf(bytes) }));
  if (listed) fake.put(`/m/${uploadManifestName}`, JSON.stringify({ maasManifest: 1, files }));
  const hdfs = openHdfs(fake.settings, 'fake', { clock: new HastyClock() });
  return resolvePayload(hdfs, { nameservice: 'fake', directory: '/m' }, () => fake.now + 3_600_000);
}

async function emptyPod(): Promise<string> {
  return await mkdtemp(join(top, `pod${pods++}-`));
}

interface Come {
  readonly directory: string;
  readonly near: NearPayload;
  readonly bytesFetched: number;
}

async function comesTo(
  directory: string,
  pinned: PinnedPayload,
  files: NearFiles,
  clock: Clock = systemClock,
): Promise<Come> {
  const near = new NearPayload({ near: files, directory, clock, log: silentLog, signal: life.signal });
  const options = { clock: new HastyClock(), random: () => 0.5, near };
  const { bytesFetched } = await fetchPayload(source, pinned, directory, options);
  return { directory, near, bytesFetched };
}

async function comes(pinned: PinnedPayload, files: NearFiles, clock?: Clock): Promise<Come> {
  return await comesTo(await emptyPod(), pinned, files, clock);
}

async function expectRight(directory: string): Promise<void> {
  for (const [path, bytes] of Object.entries(content)) {
    expect((await readFile(join(directory, path))).equals(bytes)).toBe(true);
  }
}

const readFromHdfs = () =>
  fake.requests.filter(({ op, node, path }) => op === 'OPEN' && node.startsWith('dn') && !path.includes('manifest'));

describe('a cache that works', () => {
  let cache: PayloadCache;
  let served: ServedCache;
  let leases = 0;

  beforeEach(async () => {
    const directory = await mkdtemp(join(top, 'cache-'));
    const newLease = () => `lease${leases++}`;
    cache = await PayloadCache.open({ directory, room: 1e8, clock: systemClock, newLease, log: silentLog });
    served = await serveCache(cache, 0);
  });
  afterEach(() => served.close());
  const client = () => new PayloadCacheClient(`http://127.0.0.1:${served.port}`);

  it('has ten at once read HDFS once, each byte verified by each of them', async () => {
    const pinned = await pin();
    fake.requests.length = 0;
    const all = await Promise.all(Array.from({ length: 10 }, () => comes(pinned, client())));
    for (const { directory } of all) await expectRight(directory);
    expect(
      readFromHdfs()
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['/m/big', '/m/lib/small', '/m/run.sh']);
    expect(all.reduce((sum, { near }) => sum + near.bytes, 0)).toBe(9 * pinned.bytes);
    expect(all.reduce((sum, { bytesFetched }) => sum + bytesFetched, 0)).toBe(pinned.bytes);
  });

  it('has what the first one read for those who come later', async () => {
    const pinned = await pin();
    await comes(pinned, client());
    await vi.waitFor(() => expect(cache.counts.bytesIn).toBe(pinned.bytes));
    fake.requests.length = 0;
    const later = await comes(pinned, client());
    await expectRight(later.directory);
    expect(later.near.bytes).toBe(pinned.bytes);
    expect(fake.requests).toEqual([]);
  });

  it('is not asked for files whose SHA-256 nobody knows', async () => {
    const pinned = await pin(false);
    const { directory, near } = await comes(pinned, client());
    await expectRight(directory);
    expect([near.bytes, cache.counts.misses]).toEqual([0, 0]);
  });

  it('gives what is missing of a file that an earlier agent left half-way, and gets it whole', async () => {
    const pinned = await pin();
    const directory = await emptyPod();
    await writeFile(join(directory, 'big'), big.subarray(0, 500_000));
    await comesTo(directory, pinned, client());
    await expectRight(directory);
    await vi.waitFor(() => expect(cache.counts.bytesIn).toBe(pinned.bytes));
    const other = await emptyPod();
    await writeFile(join(other, 'big'), big.subarray(0, 500_000));
    const { near } = await comesTo(other, pinned, client());
    await expectRight(other);
    expect(near.bytes).toBe(pinned.bytes - 500_000);
  });

  it('is gone in the middle of it', async () => {
    const pinned = await pin();
    await comes(pinned, client());
    await vi.waitFor(() => expect(cache.counts.bytesIn).toBe(pinned.bytes));
    const cut: NearFiles = {
      ask: async (file, offset, signal) => {
        const answer = await client().ask(file, offset, signal);
        if (file.length === big.length) await served.close();
        return answer;
      },
      doubt: async () => {},
    };
    const { directory } = await comes(pinned, cut);
    await expectRight(directory);
    served = await serveCache(cache, 0);
  });
});

async function* bytesOf(bytes: Buffer, offset: number, until = bytes.length): AsyncGenerator<Buffer, void> {
  for (let at = offset; at < until; at += 50_000) yield bytes.subarray(at, Math.min(until, at + 50_000));
}

const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

/** @param ask how it answers for a file's true bytes */
function cacheThat(
  ask: (bytes: Buffer, offset: number, signal: AbortSignal) => Promise<NearAnswer>,
): NearFiles & { asked: number; readonly doubted: NearFile[] } {
  const doubted: NearFile[] = [];
  return {
    asked: 0,
    doubted,
    async ask(file, offset, signal) {
      this.asked += 1;
      return await ask(contentOf.get(file.sha256) ?? Buffer.alloc(0), offset, signal);
    },
    doubt: async (file) => void doubted.push(file),
  };
}

describe('a cache that', () => {
  it.each<[string, (bytes: Buffer, offset: number, signal: AbortSignal) => Promise<NearAnswer>]>([
    ['cannot be asked', async () => Promise.reject(new Error('refused'))],
    ['has nothing', async () => ({ kind: 'without' })],
    ['breaks off', async (bytes, offset) => ({ kind: 'bytes', bytes: bytesOf(bytes, offset, bytes.length / 2) })],
    ['gives nothing', async (bytes) => ({ kind: 'bytes', bytes: bytesOf(bytes, bytes.length) })],
    [
      'gives wrong bytes',
      async (bytes, at) => ({ kind: 'bytes', bytes: bytesOf(Buffer.alloc(bytes.length, 'x'), at) }),
    ],
    ['gives too many', async (bytes, at) => ({ kind: 'bytes', bytes: bytesOf(Buffer.concat([bytes, bytes]), at) })],
    ['takes nothing', async () => ({ kind: 'bring', bring: async () => Promise.reject(new Error('no')) })],
    ['never ends to take', async (_bytes, _at, signal) => ({ kind: 'bring', bring: () => never(signal) })],
  ])('%s does no harm', async (_what, ask) => {
    const cache = cacheThat(ask);
    const { directory, bytesFetched } = await comes(await pin(), cache);
    await expectRight(directory);
    expect(bytesFetched).toBeGreaterThanOrEqual(0);
  });

  it('gave wrong bytes once is told so, and is asked no more', async () => {
    const cache = cacheThat(async (bytes, at) => ({ kind: 'bytes', bytes: bytesOf(Buffer.alloc(bytes.length), at) }));
    const { directory } = await comes(await pin(), cache);
    await expectRight(directory);
    expect(cache.doubted.length).toBeGreaterThan(0);
    expect(cache.asked).toBeLessThanOrEqual(3);
  });

  it('is silent is waited for no longer than patience lasts', async () => {
    const clock = new ManualClock();
    const cache = cacheThat((_bytes, _offset, signal) => never(signal));
    const coming = comes(await pin(), cache, clock);
    await vi.waitFor(() => expect(cache.asked).toBe(3));
    await clock.advance(14_999);
    expect(readFromHdfs()).toEqual([]);
    await clock.advance(1);
    await expectRight((await coming).directory);
  });

  it('gives a little now and then is not waited for longer', async () => {
    const clock = new ManualClock();
    const cache = cacheThat(async (bytes, offset, signal) => ({
      kind: 'bytes',
      bytes: (async function* () {
        for (let at = offset; at < bytes.length; at += 1_000) {
          await clock.sleep(10_000, signal);
          yield bytes.subarray(at, Math.min(bytes.length, at + 1_000));
        }
      })(),
    }));
    const coming = comes(await pin(), cache, clock);
    await vi.waitFor(() => expect(clock.sleepers).toBe(4));
    await clock.advance(10_000);
    await vi.waitFor(() => expect(clock.sleepers).toBe(2));
    await clock.advance(5_100);
    const { directory, near } = await coming;
    await expectRight(directory);
    expect(near.bytes).toBe(1_000 + 15);
  });

  it('does whatever it likes never changes what is in place', async () => {
    const pinned = await pin();
    const answers = fc.constantFrom<(bytes: Buffer, offset: number, signal: AbortSignal) => Promise<NearAnswer>>(
      async () => Promise.reject(new Error('reset')),
      async () => ({ kind: 'without' }),
      async (bytes, offset) => ({ kind: 'bytes', bytes: bytesOf(bytes, offset) }),
      async (bytes, offset) => ({ kind: 'bytes', bytes: bytesOf(bytes, offset, (offset + bytes.length) / 2) }),
      async (bytes, offset) => ({ kind: 'bytes', bytes: bytesOf(Buffer.alloc(bytes.length), offset) }),
      async (bytes, offset) => ({
        kind: 'bytes',
        bytes: bytesOf(Buffer.concat([bytes.subarray(0, bytes.length / 2), Buffer.alloc(bytes.length / 2)]), offset),
      }),
      async (bytes) => ({
        kind: 'bring',
        bring: async (given) => {
          const chunks: Buffer[] = [];
          for await (const chunk of given) chunks.push(Buffer.from(chunk));
          expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
        },
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(answers, { minLength: 1, maxLength: 8 }), fc.nat(big.length), async (script, left) => {
        const directory = await emptyPod();
        if (left % 2 === 0) await writeFile(join(directory, 'big'), big.subarray(0, left));
        let next = 0;
        const cache = cacheThat((...asked) =>
          (script[next++ % script.length] ?? (async () => ({ kind: 'without' })))(...asked),
        );
        await comesTo(directory, pinned, cache);
        await expectRight(directory);
      }),
      { numRuns: 60 },
    );
  });
});

it('what is offered is withdrawn when the agent ends, and nothing keeps the file open', async () => {
  const end = new AbortController();
  const directory = await emptyPod();
  const begun = Promise.withResolvers<AbortSignal>();
  const files = cacheThat(async () => ({
    kind: 'bring',
    bring: (_bytes, signal) => {
      begun.resolve(signal);
      return never(signal);
    },
  }));
  const near = new NearPayload({ near: files, directory, clock: systemClock, log: silentLog, signal: end.signal });
  await fetchPayload(source, await pin(), directory, { clock: new HastyClock(), random: () => 0.5, near });
  expect((await begun.promise).aborted).toBe(false);
  end.abort(new Error('the agent ends'));
  expect((await begun.promise).aborted).toBe(true);
});
