/** The cache as it is: on a disk, over HTTP, asked as agents ask it. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { type CacheAnswer, type CachedFile, PayloadCacheClient } from '../adapters/payload-cache.ts';
import { silentLog } from '../kernel/log.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { type ServedCache, serveCache } from './http-server.ts';
import { PayloadCache, type PayloadCacheOptions } from './payload-cache.ts';
import { spaceOf } from './shelf.ts';

let directory: string;
let cache: PayloadCache;
let served: ServedCache;
let leases: number;
const stop = new AbortController().signal;
const big = Buffer.from(Uint8Array.from({ length: 1_500_000 }, (_, i) => (i * 37) % 251));

beforeEach(async () => {
  leases = 0;
  directory = await mkdtemp(join(tmpdir(), 'cache-'));
  await start();
});
afterEach(async () => {
  await served.close();
  await rm(directory, { recursive: true, force: true });
});

async function start(options: Partial<PayloadCacheOptions> = {}): Promise<void> {
  const newLease = () => `lease${leases++}`;
  const usual = { directory, room: 100_000_000, clock: systemClock, newLease, log: silentLog };
  cache = await PayloadCache.open({ ...usual, ...options });
  served = await serveCache(cache, 0);
}

async function restart(options: Partial<PayloadCacheOptions> = {}): Promise<void> {
  await served.close();
  await start(options);
}

const client = () => new PayloadCacheClient(`http://127.0.0.1:${served.port}`);
const fileOf = (content: Buffer): CachedFile => ({
  sha256: createHash('sha256').update(content).digest('hex'),
  length: content.length,
});
const ask = (content: Buffer, offset = 0) => client().ask(fileOf(content), offset, stop);

async function* pieces(content: Buffer, bytes = 300_000): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < content.length; at += bytes) yield content.subarray(at, at + bytes);
}

function toBring(answer: CacheAnswer): Extract<CacheAnswer, { kind: 'bring' }>['bring'] {
  if (answer.kind !== 'bring') throw new Error(answer.kind);
  return answer.bring;
}

async function received(answer: CacheAnswer): Promise<Buffer> {
  if (answer.kind !== 'bytes') throw new Error(answer.kind);
  const chunks: Buffer[] = [];
  for await (const chunk of answer.bytes) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function store(content: Buffer): Promise<void> {
  await toBring(await ask(content))(pieces(content), stop);
}

/** Brings the first half at once, and the other when it is told to. */
function byHalves(content: Buffer, bring: Extract<CacheAnswer, { kind: 'bring' }>['bring']) {
  const half = content.length / 2;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  async function* bytes(): AsyncGenerator<Buffer, void> {
    yield content.subarray(0, half);
    await promise;
    yield content.subarray(half);
  }
  const brought = bring(bytes(), stop);
  brought.catch(() => undefined);
  return { half, goOn: resolve, die: () => reject(new Error('killed')), brought };
}

describe('a file', () => {
  it('is brought once, and given to all who ask for it afterwards, from where they want it', async () => {
    await store(big);
    expect((await received(await ask(big))).equals(big)).toBe(true);
    expect((await received(await ask(big, 1_499_990))).equals(big.subarray(1_499_990))).toBe(true);
    expect(await readdir(directory)).toEqual([fileOf(big).sha256]);
    expect(cache.counts).toMatchObject({ misses: 1, hits: 2, bytesIn: big.length, bytesOut: big.length + 10 });
  });

  it('is given while it arrives', async () => {
    const { half, goOn, brought } = byHalves(big, toBring(await ask(big)));
    const answer = await ask(big);
    if (answer.kind !== 'bytes') throw new Error(answer.kind);
    const chunks = answer.bytes[Symbol.asyncIterator]();
    let came = 0;
    while (came < half) came += (await chunks.next()).value?.length ?? 0;
    expect(came).toBe(half);
    goOn();
    while (came < big.length) came += (await chunks.next()).value?.length ?? 0;
    expect((await chunks.next()).done).toBe(true);
    await brought;
  });

  it('with other bytes than its name says is refused, and its last bytes are given to nobody', async () => {
    const wrong = Buffer.from(big);
    wrong[7] = 0xff;
    const { goOn, brought } = byHalves(wrong, toBring(await ask(big)));
    const reading = received(await ask(big));
    reading.catch(() => undefined);
    goOn();
    expect(await failure(brought)).toBeInstanceOf(Error);
    expect(await failure(reading)).toMatchObject({ message: expect.stringContaining('too early') });
    expect(await readdir(directory)).toEqual([]);
    expect((await ask(big)).kind).toBe('bring');
  });

  it('that is not brought to its end is brought by somebody else, and those who read it know', async () => {
    const { die } = byHalves(big, toBring(await ask(big)));
    const reading = received(await ask(big));
    reading.catch(() => undefined);
    die();
    expect(await failure(reading)).toBeInstanceOf(Error);
    const [first, second] = [ask(big), ask(big)];
    const bring = toBring(await Promise.race([first, second]));
    await bring(pieces(big), stop);
    const answers = await Promise.all([first, second]);
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['bring', 'bytes']);
  });

  it('is not taken from somebody without the lease', async () => {
    const bring = toBring(await ask(big));
    await bring(pieces(big), stop);
    expect(await failure(bring(pieces(big), stop))).toMatchObject({ message: 'status 409' });
    expect((await received(await ask(big))).equals(big)).toBe(true);
  });

  it('that comes slowly is not waited for', async () => {
    await restart({ limits: { slowAfterMs: 0, slowest: Number.POSITIVE_INFINITY } });
    expect(await failure(store(big))).toBeInstanceOf(Error);
    expect(await readdir(directory)).toEqual([]);
  });
});

it('is whole for each of many who come and go at once', async () => {
  const small = Buffer.from('small');
  await store(small);
  for (let round = 0; round < 60; round += 1) {
    const all = Array.from({ length: 8 }, async () => received(await ask(small)));
    for (const content of await Promise.all(all)) expect(content.equals(small)).toBe(true);
  }
});

describe('whoever asks while another is about to bring it', () => {
  it('waits for the first byte', async () => {
    const bring = toBring(await ask(big));
    const second = ask(big);
    await bring(pieces(big), stop);
    expect((await received(await second)).equals(big)).toBe(true);
  });

  it('brings it where the other does not begin', async () => {
    await restart({ limits: { leaseMs: 50 } });
    await ask(big);
    const [second, third] = await Promise.all([ask(big), ask(big)]);
    expect([second.kind, third.kind]).toEqual(['bring', 'bring']);
  });

  it('does without it where nobody begins in time', async () => {
    await restart({ limits: { leaseMs: 60_000, waitMs: 50 } });
    await ask(big);
    expect((await ask(big)).kind).toBe('without');
    expect(cache.counts.without).toBe(1);
  });
});

describe('room', () => {
  it('is made on the disk, too', async () => {
    const files = ['a', 'b', 'c'].map((letter) => Buffer.from(letter.repeat(10_000)));
    await restart({ room: 2 * spaceOf(10_000) });
    for (const file of files) await store(file);
    expect((await readdir(directory)).sort()).toEqual(
      files
        .slice(1)
        .map((file) => fileOf(file).sha256)
        .sort(),
    );
    expect(cache.counts.evictions).toBe(1);
    expect((await ask(big)).kind).toBe('without');
  });

  it('that the disk does not have costs only the file, and is asked for by nobody for a while', async () => {
    const bring = toBring(await ask(big));
    await rm(directory, { recursive: true });
    expect(await failure(bring(pieces(big), stop))).toMatchObject({ message: 'status 422' });
    expect(cache.counts.refused).toBe(1);
    expect((await ask(Buffer.from('another'))).kind).toBe('without');
  });
});

describe('another process', () => {
  it('finds the files again, and forgets what was arriving', async () => {
    await store(big);
    await writeFile(join(directory, 'arriving-7'), 'half of');
    // Whoever put them there.
    await Promise.all(['arriving-8', 'f'.repeat(64)].map((name) => mkdir(join(directory, name))));
    await restart();
    expect((await received(await ask(big))).equals(big)).toBe(true);
    expect(await readdir(directory)).toEqual([fileOf(big).sha256]);
  });

  it('removes a damaged one that somebody read', async () => {
    await store(big);
    const path = join(directory, fileOf(big).sha256);
    const damaged = await readFile(path);
    damaged[3] = 0xff;
    await writeFile(path, damaged);
    await restart();
    await received(await ask(big));
    await vi.waitFor(() => expect(cache.counts.damaged).toBe(1));
    expect((await ask(big)).kind).toBe('bring');
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([
    ['a shorter one', (path: string) => truncate(path, 100)],
    ['one that is gone', (path: string) => rm(path)],
  ])('has %s brought again', async (_what, harm) => {
    await store(big);
    const path = join(directory, fileOf(big).sha256);
    await restart();
    await harm(path);
    expect((await ask(big)).kind).toBe('without');
    expect((await ask(big)).kind).toBe('bring');
  });

  it('with less room keeps what was used last', async () => {
    for (const letter of ['a', 'b']) await store(Buffer.from(letter.repeat(10_000)));
    await restart({ room: spaceOf(10_000) });
    expect(await readdir(directory)).toHaveLength(1);
  });
});

describe('a doubt', () => {
  it('removes what is damaged, and nothing else', async () => {
    await store(big);
    const other = Buffer.from('other');
    await store(other);
    await restart();
    const path = join(directory, fileOf(big).sha256);
    const damaged = await readFile(path);
    damaged[1_000_000] = 0xff;
    await writeFile(path, damaged);
    await client().doubt(fileOf(big));
    await vi.waitFor(() => expect(cache.counts.damaged).toBe(1));
    await client().doubt(fileOf(other));
    expect((await received(await ask(other))).toString()).toBe('other');
    expect(await readdir(directory)).toEqual([fileOf(other).sha256]);
  });
});

describe('over HTTP', () => {
  const url = (path: string) => `http://127.0.0.1:${served.port}${path}`;
  const digest = 'a'.repeat(64);

  it.each<[string, string, string, number]>([
    ['GET', 'health', '/healthz', 200],
    ['GET', 'a path out of the directory', '/files/..%2f..%2fetc%2fpasswd?bytes=1', 404],
    ['GET', 'no digest', '/files/abc?bytes=1', 404],
    ['GET', 'no length', `/files/${digest}`, 400],
    ['GET', 'a negative length', `/files/${digest}?bytes=-1`, 400],
    ['GET', 'an offset behind the end', `/files/${digest}?bytes=5&offset=5`, 400],
    ['DELETE', 'another method', `/files/${digest}?bytes=5`, 405],
    ['GET', 'a doubt that is only looked at', `/files/${digest}/doubt`, 405],
    ['PUT', 'nothing', `/files/${digest}?lease=x`, 411],
  ])('%s of %s', async (method, _what, path, status) => {
    const answer = await fetch(url(path), { method });
    await answer.text();
    expect(answer.status).toBe(status);
  });

  it('tells what it did', async () => {
    await store(big);
    await received(await ask(big));
    const text = await (await fetch(url('/metrics'))).text();
    expect(text).toContain('maas_payload_cache_hits_total 1\n');
    expect(text).toContain(`maas_payload_cache_received_bytes_total ${big.length}\n`);
    expect(text).toContain(`maas_payload_cache_used_bytes ${spaceOf(big.length)}\n`);
  });
});
