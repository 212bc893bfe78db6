import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { FakeWebHdfs, remote } from '../../test/builders/fake-webhdfs.ts';
import { HastyClock } from '../../test/builders/manual-clock.ts';
import { openHdfs } from '../adapters/webhdfs/hdfs.ts';
import { openHdfsReader } from '../adapters/webhdfs/hdfs-reader.ts';
import type { FetchProgress, PinnedPayload } from '../contracts/payload.ts';
import { type FetchOptions, fetchPayload } from './fetch.ts';
import type { FetchSource } from './fetch-file.ts';
import { resolvePayload } from './resolve.ts';

let fake: FakeWebHdfs;
let source: FetchSource;
let directory: string;
let clock: HastyClock;
const big = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * 37) % 253));

beforeEach(async () => {
  clock = new HastyClock();
  directory = await mkdtemp(join(tmpdir(), 'fetch-'));
  fake = await FakeWebHdfs.start();
  source = openHdfsReader(fake.settings, 'fake', {
    clock: new HastyClock(),
    deadlines: { firstByteMs: 300, stallMs: 300 },
    rounds: 1,
  });
  fake.put('/m/run.sh', '#!/bin/sh\n');
  fake.put('/m/big', big, { blockSize: 1 << 16 });
  fake.put('/m/lib/a b/ü', 'text');
  fake.put('/m/empty', '');
});
afterEach(async () => {
  await fake.stop();
  await rm(directory, { recursive: true });
});

const hdfs = () => openHdfs(fake.settings, 'fake', { clock: new HastyClock() });
const pin = (): Promise<PinnedPayload> =>
  resolvePayload(hdfs(), { nameservice: 'fake', directory: '/m' }, () => fake.now + 3_600_000);
const fetch = (pinned: PinnedPayload, options: Partial<FetchOptions> = {}, from = source) =>
  fetchPayload(from, pinned, directory, { clock, random: () => 0.5, ...options });
const local = (path: string) => readFile(join(directory, path));

async function expectComplete(): Promise<void> {
  expect((await local('big')).equals(big)).toBe(true);
  expect((await local('run.sh')).toString()).toBe('#!/bin/sh\n');
  expect((await local('lib/a b/ü')).toString()).toBe('text');
  expect(await local('empty')).toHaveLength(0);
}

describe('fetchPayload', () => {
  it('brings all files into place, executable, and tells how far it is', async () => {
    const seen: FetchProgress[] = [];
    const { bytesFetched } = await fetch(await pin(), { progress: (progress) => seen.push(progress) });
    await expectComplete();
    expect(bytesFetched).toBe(big.length + 14);
    expect((await stat(join(directory, 'run.sh'))).mode & 0o777).toBe(0o777);
    expect(await readdir(directory)).toEqual(['big', 'empty', 'lib', 'run.sh']);
    expect(seen.at(-1)).toEqual({
      filesDone: 4,
      filesTotal: 4,
      bytesDone: bytesFetched,
      bytesTotal: bytesFetched,
      lastError: undefined,
    });
    for (const [index, progress] of seen.entries())
      expect(progress.filesDone).toBeGreaterThanOrEqual(seen[index - 1]?.filesDone ?? 0);
  });

  it('fetches nothing that is there, and leaves other files alone', async () => {
    const pinned = await pin();
    await fetch(pinned);
    await writeFile(join(directory, 'own.log'), 'of the model');
    fake.requests.length = 0;
    expect(await fetch(pinned)).toEqual({ bytesFetched: 0 });
    expect(fake.requests).toEqual([]);
    expect((await local('own.log')).toString()).toBe('of the model');
  });

  it('goes on where an earlier attempt stopped', async () => {
    const pinned = await pin();
    await writeFile(join(directory, 'big'), big.subarray(0, 250_000));
    expect((await fetch(pinned)).bytesFetched).toBe(big.length - 250_000 + 14);
    await expectComplete();
    expect(fake.requests.find(({ op, path }) => op === 'OPEN' && path === '/m/big')?.parameters.get('offset')).toBe(
      '250000',
    );
  });

  it.each([
    ['a wrong beginning', Buffer.alloc(1000, 'wrong')],
    ['wrong bytes of the right length', Buffer.alloc(big.length, 'wrong')],
    ['too many bytes', Buffer.concat([big, Buffer.from('x')])],
  ])('begins anew where %s is left over', async (_what, leftover) => {
    await writeFile(join(directory, 'big'), leftover);
    await fetch(await pin());
    await expectComplete();
  });

  it('fetches a few files at a time', async () => {
    for (let i = 0; i < 20; i++) fake.put(`/m/f${i}`, `${i}`);
    const pinned = await pin();
    let running = 0;
    let most = 0;
    const eight = Promise.withResolvers<void>();
    fake.intercept = async ({ op, node }) => {
      if (op !== 'OPEN' || !node.startsWith('dn')) return false;
      running += 1;
      most = Math.max(most, running);
      if (running === 8) eight.resolve();
      await eight.promise;
      // One too many would have come before somebody who begins to ask only now.
      await hdfs().status('/m');
      running -= 1;
      return false;
    };
    await fetch(pinned);
    expect(most).toBe(8);
  });
});

describe('a source that is another now', () => {
  it('is taken when only times and ids differ', async () => {
    const pinned = await pin();
    fake.now += 1000;
    fake.put('/m/run.sh', '#!/bin/sh\n');
    fake.put('/m/empty', '');
    await fetch(pinned);
    await expectComplete();
  });

  it.each<[string, () => void]>([
    ['other content', () => fake.put('/m/run.sh', '#!/bin/ba\n')],
    ['another length', () => fake.put('/m/run.sh', '#!/bin/bash\n')],
    ['nothing', () => fake.files.delete('/m/run.sh')],
    [
      'a directory',
      () => {
        fake.files.delete('/m/run.sh');
        fake.makeDirectories('/m/run.sh');
      },
    ],
  ])('is refused with %s', async (_what, change) => {
    const pinned = await pin();
    fake.now += 1;
    change();
    expect(await failure(fetch(pinned))).toMatchObject({ code: 'PAYLOAD_CHANGED' });
  });

  it('is refused when it is gone between looking and opening', async () => {
    const pinned = await pin();
    fake.intercept = ({ op, path }) => {
      if (op === 'OPEN' && path === '/m/run.sh') fake.files.delete(path);
      return false;
    };
    expect(await failure(fetch(pinned))).toMatchObject({ code: 'PAYLOAD_CHANGED' });
  });

  it('changed while it was read, without a digest to tell, is refused', async () => {
    const pinned = await pin();
    const bare = { ...pinned, files: pinned.files.map(({ checksum: _, ...file }) => file) };
    await fetch(bare);
    await expectComplete();
    await rm(join(directory, 'run.sh'));
    fake.intercept = ({ op, node, path }) => {
      fake.now += 1;
      if (op === 'OPEN' && node.startsWith('dn') && path === '/m/run.sh') fake.put(path, '#!/bin/no\n');
      return false;
    };
    expect(await failure(fetch(bare))).toMatchObject({ code: 'PAYLOAD_CHANGED' });
  });
});

describe('wrong bytes', () => {
  const flipped = Buffer.from(big);
  flipped[123_456] = (flipped[123_456] ?? 0) ^ 4;

  it('from one data node are thrown away, and that node is left out', async () => {
    const pinned = await pin();
    const errors: string[] = [];
    fake.intercept = ({ op, node, path }, response) => {
      if (op !== 'OPEN' || node !== 'dn1' || path !== '/m/big') return false;
      response.writeHead(200, { 'content-length': flipped.length }).end(flipped);
      return true;
    };
    await fetch(pinned, { progress: ({ lastError }) => lastError !== undefined && errors.push(lastError.code) });
    await expectComplete();
    expect(errors).toContain('HDFS_DATA_CORRUPT');
    const opened = fake.requests.filter(
      ({ op, node, path }) => op === 'OPEN' && node.startsWith('dn') && path === '/m/big',
    );
    expect(opened.map(({ node }) => node)).toEqual(['dn1', 'dn2']);
  });

  it('that keep coming are final', async () => {
    const pinned = await pin();
    fake.intercept = ({ op, node, path }, response) => {
      if (op !== 'OPEN' || !node.startsWith('dn') || path !== '/m/big') return false;
      response.writeHead(200, { 'content-length': flipped.length }).end(flipped);
      return true;
    };
    const error = await failure(fetch(pinned));
    expect(error.code).toBe('HDFS_DATA_CORRUPT');
    expect(error.message).toContain('another checksum');
    expect(await local('big')).toHaveLength(0);
  });

  it('are found by the SHA-256 of the upload too', async () => {
    const pinned = await pin();
    const files = pinned.files.map(({ checksum: _, ...file }) => ({ ...file, sha256: 'a'.repeat(64) }));
    const error = await failure(fetch({ ...pinned, files }));
    expect(error).toMatchObject({ code: 'HDFS_DATA_CORRUPT' });
    expect(error.message).toContain('SHA-256');
  });
});

describe('a file of several segments', () => {
  const cut = { bytes: 1024 * 1024, atOnce: 4, slow: Number.POSITIVE_INFINITY };
  const length = 6.5 * cut.bytes;
  const large = Buffer.from(new Uint32Array(length / 4).map((_, i) => Math.imul(i, 2_654_435_761)).buffer);
  const sha256 = createHash('sha256').update(large).digest('hex');
  /** Each segment from another data node than the one before. */
  const offers = (parameters: URLSearchParams) => Math.floor(Number(parameters.get('offset') ?? 0) / cut.bytes);
  const opened = () => fake.requests.filter(({ op, node }) => op === 'OPEN' && node.startsWith('dn'));
  let pinned: PinnedPayload;

  beforeEach(async () => {
    const small = await pin();
    const { fileId, modificationTime, blockSize } = fake.put('/m/large', large);
    const file = { path: 'large', length, fileId: String(fileId), modificationTime, blockSize, sha256 };
    pinned = { ...small, bytes: length, files: [file] };
    fake.offers = offers;
    fake.requests.length = 0;
  });
  const isRight = async () => expect((await local('large')).equals(large)).toBe(true);

  it('comes from several data nodes at once, and only so many requests are under way', async () => {
    let running = 0;
    let most = 0;
    const all = Promise.withResolvers<void>();
    fake.intercept = async ({ op, node, parameters }, response) => {
      // The first two segments come alone.
      if (op !== 'OPEN' || !node.startsWith('dn') || Number(parameters.get('offset')) < 2 * cut.bytes) return false;
      running += 1;
      most = Math.max(most, running);
      if (running === cut.atOnce) all.resolve();
      await all.promise;
      response.once('close', () => {
        running -= 1;
      });
      return false;
    };
    expect((await fetch(pinned, { cut })).bytesFetched).toBe(length);
    await isRight();
    expect(most).toBe(cut.atOnce);
    expect(opened()).toHaveLength(7);
    expect(new Set(opened().map(({ node }) => node))).toEqual(new Set(['dn1', 'dn2']));
  });

  it('comes block after block from data nodes that are fast enough', async () => {
    await fetch(
      { ...pinned, files: pinned.files.map((file) => ({ ...file, blockSize: 4 * cut.bytes })) },
      { cut: { ...cut, slow: 1 } },
    );
    await isRight();
    const asked = opened().map(({ parameters }) => [parameters.get('offset'), parameters.get('length')].map(Number));
    const inSegments = [
      [0, 1],
      [1, 1],
      [2, 2],
      [4, 2.5],
    ];
    expect(asked).toEqual(inSegments.map((each) => each.map((number) => number * cut.bytes)));
  });

  it('is gone on with where an earlier attempt was killed, whatever gaps that left', async () => {
    const from = 2 * cut.bytes;
    const left = Buffer.alloc(from + (cut.atOnce - 0.5) * cut.bytes);
    large.copy(left, 0, 0, from);
    large.copy(left, from + cut.bytes, from + cut.bytes, left.length);
    await writeFile(join(directory, 'large'), left);
    const { bytesFetched } = await fetch(pinned, { cut });
    await isRight();
    expect(bytesFetched).toBe(length - 1.5 * cut.bytes);
  });

  it('that is there in its whole length, but for a gap, keeps what is before all gaps', async () => {
    const left = Buffer.from(large);
    left.fill(0, length - 3 * cut.bytes, length - 2 * cut.bytes);
    await writeFile(join(directory, 'large'), left);
    expect((await fetch(pinned, { cut })).bytesFetched).toBe(cut.atOnce * cut.bytes);
    await isRight();
  });

  it('goes on after a failure without asking again for what is there', async () => {
    let failures = 5;
    fake.intercept = ({ op, node, parameters }, response) => {
      if (op !== 'OPEN' || !node.startsWith('dn') || parameters.get('offset') !== `${3 * cut.bytes}`) return false;
      if (failures-- <= 0) return false;
      response.destroy();
      return true;
    };
    await fetch(pinned, { cut });
    await isRight();
    expect(opened().filter(({ parameters }) => parameters.get('offset') === null)).toHaveLength(1);
  });

  it('with wrong bytes from one of several data nodes comes from the other one in the end', async () => {
    const errors: string[] = [];
    fake.intercept = ({ op, node, parameters }, response) => {
      if (op !== 'OPEN' || node !== 'dn2') return false;
      const offset = Number(parameters.get('offset') ?? 0);
      const bytes = Buffer.from(large.subarray(offset, offset + Number(parameters.get('length'))));
      bytes[1000] = (bytes[1000] ?? 0) ^ 1;
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      return true;
    };
    // The whole file is offered at the bad one first.
    fake.offers = (parameters) => (parameters.get('length') === `${length}` ? 1 : offers(parameters));
    await fetch(pinned, { cut, progress: ({ lastError }) => lastError !== undefined && errors.push(lastError.code) });
    await isRight();
    expect(errors).toEqual(['HDFS_DATA_CORRUPT', 'HDFS_DATA_CORRUPT']);
  });
});

it('a file that was joined from others is checked along its own blocks', async () => {
  const file = fake.put('/m/big', big, { blockSize: 1 << 16 });
  file.blocks = [big.subarray(0, 10_000), big.subarray(10_000, 10_001), big.subarray(10_001)];
  const pinned = await pin();
  await fetch(pinned);
  await expectComplete();
  file.blocks = [big.subarray(0, 10_000), big.subarray(10_000)];
  await rm(join(directory, 'big'));
  expect(await failure(fetch(pinned))).toMatchObject({ code: 'HDFS_DATA_CORRUPT' });
});

it('an encrypted or striped file is believed by its identity, but what was left of it is not', async () => {
  const pinned = await pin();
  const files = pinned.files.map((file) =>
    file.checksum === undefined ? file : { ...file, checksum: { ...file.checksum, bytes: '00'.repeat(28) } },
  );
  const opaque: FetchSource = {
    ...source,
    status: async (path, signal) => {
      const status = await source.status(path, signal);
      return status && { ...status, opaqueChecksum: true };
    },
  };
  await writeFile(join(directory, 'big'), Buffer.alloc(1000, 'of whom?'));
  await fetch({ ...pinned, files }, {}, opaque);
  await expectComplete();
});

describe('trouble', () => {
  it('that passes is waited for as long as it takes, with growing pauses', async () => {
    const pinned = await pin();
    let trouble = 25;
    const errors: string[] = [];
    fake.intercept = ({ node }, response) => {
      if (node !== 'nn1' || trouble-- <= 0) return false;
      remote(response, 403, 'SafeModeException', 'Name node is in safe mode');
      return true;
    };
    await fetch(pinned, { concurrency: 1, progress: ({ lastError }) => lastError && errors.push(lastError.code) });
    await expectComplete();
    expect(errors).toHaveLength(25);
    expect(new Set(errors)).toEqual(new Set(['HDFS_UNAVAILABLE']));
    expect(clock.waits[0]).toBeLessThan(1000);
    expect(Math.max(...clock.waits)).toBeGreaterThan(15_000);
    expect(Math.max(...clock.waits)).toBeLessThanOrEqual(30_000);
  });

  it('that does not pass is thrown at once', async () => {
    const pinned = await pin();
    fake.intercept = (_request, response) => {
      remote(response, 403, 'AccessControlException', 'Permission denied');
      return true;
    };
    expect(await failure(fetch(pinned))).toMatchObject({ code: 'HDFS_FORBIDDEN' });
    expect(clock.waits).toEqual([]);
  });

  it('a full disk is named', async () => {
    const pinned = await pin();
    const full: FetchSource = {
      ...source,
      read: async () =>
        (async function* () {
          yield Buffer.alloc(1);
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        })(),
    };
    expect(await failure(fetch(pinned, {}, full))).toMatchObject({ code: 'PAYLOAD_NO_SPACE' });
  });

  it('an aborted fetch ends soon, with the reason', async () => {
    const pinned = await pin();
    const stop = new AbortController();
    fake.intercept = ({ op, node }) => {
      if (op !== 'OPEN' || !node.startsWith('dn')) return false;
      stop.abort(new Error('enough'));
      return true;
    };
    await expect(fetch(pinned, { signal: stop.signal })).rejects.toThrow('enough');
  });
});

it('a progress that is told of an error forgets it after the next success', async () => {
  const pinned = await pin();
  const errors: FetchProgress['lastError'][] = [];
  const progress = ({ lastError }: FetchProgress) => errors.push(lastError);
  let once = true;
  fake.intercept = ({ op }, response) => {
    if (op !== 'OPEN' || !once) return false;
    once = false;
    remote(response, 403, 'RetriableException', 'startup mode');
    return true;
  };
  await fetch(pinned, { progress, concurrency: 1 });
  expect(errors[0]).toMatchObject({ code: 'HDFS_UNAVAILABLE' });
  expect(errors.length).toBeGreaterThan(1);
  expect(errors.at(-1)).toBeUndefined();
});
