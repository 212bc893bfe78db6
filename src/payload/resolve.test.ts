import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { FakeWebHdfs, remote } from '../../test/builders/fake-webhdfs.ts';
import { HastyClock } from '../../test/builders/manual-clock.ts';
import { type Hdfs, openHdfs } from '../adapters/webhdfs/hdfs.ts';
import { hasCode } from '../contracts/errors.ts';
import { pinnedPayload } from '../contracts/payload.ts';
import { payloadChange, payloadDigest, resolvePayload } from './resolve.ts';

let fake: FakeWebHdfs;
let hdfs: Hdfs;
beforeEach(async () => {
  fake = await FakeWebHdfs.start();
  hdfs = openHdfs(fake.settings, 'fake', { clock: new HastyClock() });
});
afterEach(() => fake.stop());

const where = { nameservice: 'fake', directory: '/m' };
/** Long after the last write, unless told. */
const resolve = (laterMs = 3_600_000) => resolvePayload(hdfs, where, () => fake.now + laterMs);

function samplePayload(): void {
  fake.put('/m/run.sh', 'echo hi');
  fake.put('/m/model.bin', 'x'.repeat(3000), { blockSize: 1024 });
  fake.put('/m/lib/a b/ü.py', 'import os');
  fake.put('/m/empty', '');
}

describe('resolvePayload', () => {
  it('pins every file with its checksum, under one digest', async () => {
    samplePayload();
    const pinned = await resolve();
    expect(pinnedPayload.parse(pinned)).toEqual(pinned);
    expect(pinned).toMatchObject({ path: '/m', nameservice: 'fake', script: 'run.sh', bytes: 3016 });
    expect(pinned.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(pinned.files.map(({ path, length }) => [path, length])).toEqual([
      ['empty', 0],
      ['lib/a b/ü.py', 9],
      ['model.bin', 3000],
      ['run.sh', 7],
    ]);
    expect(pinned.files[0]).not.toHaveProperty('checksum');
    expect(pinned.files[2]?.checksum?.algorithm).toBe('MD5-of-2MD5-of-512CRC32C');
    expect(pinned.files[2]?.checksum?.bytes).toHaveLength(56);
  });

  it('waits until nothing was written for a while, since files that are put one by one look whole after each', async () => {
    samplePayload();
    expect(await failure(resolve(4_999))).toMatchObject({ code: 'PAYLOAD_INCOMPLETE', transient: true });
    expect(await resolve(5_000)).toMatchObject({ script: 'run.sh' });
    // A clock that is far behind must not keep a payload waiting.
    expect(await resolve(-60_000)).toMatchObject({ script: 'run.sh' });
  });

  it('does not wait for what somebody knows to be whole, but for what was written since', async () => {
    samplePayload();
    const completeAt = fake.now;
    const known = () => resolvePayload(hdfs, { ...where, completeAt }, () => fake.now);
    expect(await known()).toMatchObject({ script: 'run.sh' });
    // Another upload over it has begun, or one file of it was written once more.
    fake.now += 1;
    fake.put('/m/run.sh', 'echo ho');
    expect(await failure(known())).toMatchObject({ code: 'PAYLOAD_INCOMPLETE' });
    fake.now += 5_000;
    expect(await known()).toMatchObject({ script: 'run.sh' });
  });

  it('does not take what is no part of the payload', async () => {
    samplePayload();
    const clean = await resolve();
    fake.put('/m/endpoint.dat', '{"url": "http://0.0.0.0:1"}');
    fake.put('/m/.staging-0123456789ab-x/run.sh', 'half');
    fake.put('/m/.maas-manifest.json', 'not JSON');
    expect(await resolve()).toEqual(clean);
    fake.put('/m/lib/endpoint.dat', 'a file like others');
    expect((await resolve()).files).toHaveLength(5);
  });

  it('gives the same digest for the same content, whenever it was uploaded, and another for any other', async () => {
    samplePayload();
    const one = await resolve();
    fake.now += 1000;
    samplePayload();
    const again = await resolve();
    expect(again.files).not.toEqual(one.files);
    expect(again.digest).toBe(one.digest);
    fake.put('/m/run.sh', 'echo HI');
    expect((await resolve()).digest).not.toBe(one.digest);
    fake.put('/m/run.sh', 'echo hi');
    fake.put('/m/empty2', '');
    expect((await resolve()).digest).not.toBe(one.digest);
  });

  it('asks for a few checksums at a time only', async () => {
    fake.put('/m/run.sh', 'x');
    for (let i = 0; i < 40; i++) fake.put(`/m/f${i}`, `${i}`);
    let running = 0;
    let most = 0;
    const few = Promise.withResolvers<void>();
    fake.intercept = async ({ op, node }) => {
      if (op !== 'GETFILECHECKSUM' || !node.startsWith('dn')) return false;
      running += 1;
      most = Math.max(most, running);
      if (running === 8) few.resolve();
      await few.promise;
      // One too many would have come before somebody who begins to ask only now.
      await hdfs.status('/m');
      running -= 1;
      return false;
    };
    expect((await resolve()).files).toHaveLength(41);
    expect(most).toBe(8);
  });
});

describe('the manifest of an upload', () => {
  const sha = 'a'.repeat(64);
  const manifest = (files: object) => JSON.stringify({ maasManifest: 1, files });
  const agreeing = [
    { path: 'run.sh', length: 7, sha256: sha },
    { path: 'x', length: 1, sha256: sha },
  ];

  it('adds its SHA-256s when it describes exactly these files', async () => {
    fake.put('/m/run.sh', 'echo hi');
    fake.put('/m/x', '1');
    const without = await resolve();
    fake.put('/m/.maas-manifest.json', manifest(agreeing));
    const pinned = await resolve();
    expect(pinned.files.map(({ sha256 }) => sha256)).toEqual([sha, sha]);
    expect(pinned.digest).toBe(without.digest);
  });

  it.each([
    ['a file more', [...agreeing, { path: 'y', length: 1, sha256: sha }]],
    ['a file less', agreeing.slice(1)],
    ['another length', [{ path: 'run.sh', length: 8, sha256: sha }, agreeing[1]]],
    ['no SHA-256', [{ path: 'run.sh', length: 7, sha256: 'no' }, agreeing[1]]],
    ['another shape', { run: 'sh' }],
  ])('counts as absent when it has %s', async (_what, files) => {
    fake.put('/m/run.sh', 'echo hi');
    fake.put('/m/x', '1');
    fake.put('/m/.maas-manifest.json', manifest(files));
    for (const file of (await resolve()).files) expect(file).not.toHaveProperty('sha256');
  });
});

describe('what is no payload', () => {
  it('is named', async () => {
    expect(await failure(resolve())).toMatchObject({ code: 'HDFS_PATH_MISSING' });
    fake.put('/m', 'a file');
    expect(await failure(resolve())).toMatchObject({ code: 'PAYLOAD_NOT_A_DIRECTORY' });
    fake.files.clear();
    fake.put('/m/lib/run.sh', '');
    expect(await failure(resolve())).toMatchObject({ code: 'PAYLOAD_NO_SCRIPT' });
    fake.put('/m/a.sh', '');
    fake.put('/m/b.sh', '');
    expect(await failure(resolve())).toMatchObject({ code: 'PAYLOAD_SEVERAL_SCRIPTS' });
  });

  it('names that cannot be opened through WebHDFS are refused before a pod fails at them', async () => {
    fake.put('/m/run.sh', '');
    fake.put('/m/u\u0308', 'stored decomposed');
    expect(await failure(resolve())).toMatchObject({ code: 'PAYLOAD_NAME_INVALID' });
    fake.put('/m/ü', 'its twin');
    expect(await failure(resolve())).toMatchObject({ code: 'PAYLOAD_NAME_COLLISION' });
  });

  it('is incomplete while it is written', async () => {
    fake.put('/m/run.sh', 'x');
    fake.put('/m/big._COPYING_', 'half');
    expect(await failure(resolve())).toMatchObject({ code: 'PAYLOAD_INCOMPLETE', transient: true });
    fake.files.delete('/m/big._COPYING_');
    fake.intercept = ({ op, node }, response) => {
      if (op !== 'GETFILECHECKSUM' || !node.startsWith('dn')) return false;
      remote(response, 403, 'IOException', 'Fail to get checksum, since file /m/run.sh is under construction.');
      return true;
    };
    expect(await failure(resolve())).toMatchObject({ code: 'PAYLOAD_INCOMPLETE' });
  });

  it('a file that changes between two looks is looked at again, and one that never rests is incomplete', async () => {
    samplePayload();
    let changes = 1;
    fake.intercept = ({ op, node }) => {
      if (op === 'GETFILECHECKSUM' && node.startsWith('nn') && changes-- > 0)
        fake.put('/m/run.sh', `echo ${changes} more`);
      return false;
    };
    const pinned = await resolve();
    expect(pinned.files.find(({ path }) => path === 'run.sh')?.length).toBe('echo 0 more'.length);
    changes = 1000;
    expect(await failure(resolve())).toMatchObject({ code: 'PAYLOAD_INCOMPLETE' });
  });

  it('a list that does not fit is refused before any file is looked at, as an upload of it is', async () => {
    fake.put('/m/run.sh', '');
    fake.pageSize = 100_000;
    const file = { bytes: Buffer.from('x'), fileId: 1, modificationTime: 1, blockSize: 1024 };
    for (let i = 0; i < 24_000; i++) fake.files.set(`/m/${createHash('md5').update(`${i}`).digest('hex')}`, file);
    const error = await failure(resolve());
    expect([error.code, error.message]).toEqual([
      'PAYLOAD_TOO_MANY_FILES',
      expect.stringMatching(/^"\/m" holds 24,001 files, whose list needs/),
    ]);
    expect(fake.count('GETFILECHECKSUM')).toBe(0);
  });
});

describe('payloadChange', () => {
  it('that finds nothing costs one request for each directory, and no other', async () => {
    fake.put('/m/run.sh', 'echo hi');
    const flat = await resolve();
    let before = fake.requests.length;
    expect(await payloadChange(hdfs, flat)).toBeUndefined();
    expect(fake.requests.slice(before).map(({ op }) => op)).toEqual(['LISTSTATUS_BATCH']);
    samplePayload();
    const deep = await resolve();
    before = fake.requests.length;
    expect(await payloadChange(hdfs, deep)).toBeUndefined();
    expect(fake.requests.slice(before).map(({ path }) => path)).toEqual(['/m', '/m/lib', '/m/lib/a b']);
  });

  it('sees no change in touched or uploaded-again files with the same bytes', async () => {
    samplePayload();
    const pinned = await resolve();
    fake.requests.length = 0;
    expect(await payloadChange(hdfs, pinned)).toBeUndefined();
    expect(fake.count('GETFILECHECKSUM')).toBe(0);
    fake.now += 5000;
    samplePayload();
    fake.put('/m/endpoint.dat', 'ignored');
    expect(await payloadChange(hdfs, pinned)).toBeUndefined();
    expect(fake.count('GETFILECHECKSUM', 'nn')).toBe(4);
  });

  it.each<[string, () => void, RegExp]>([
    ['another content of the same length', () => fake.put('/m/run.sh', 'echo HI'), /run\.sh.* has other content/],
    ['another length', () => fake.put('/m/run.sh', 'echo'), /run\.sh.* has 4 bytes, it had 7/],
    ['a file less', () => fake.files.delete('/m/empty'), /empty.* is gone/],
    ['a file more', () => fake.put('/m/extra', ''), /extra.* is new/],
    [
      'all gone',
      () => {
        fake.files.clear();
        fake.directories.clear();
      },
      /nothing at/,
    ],
    [
      'a file in the place of the directory',
      () => {
        fake.files.clear();
        fake.directories.delete('/m');
        fake.put('/m', 'file');
      },
      /not a directory/,
    ],
  ])('sees %s', async (_what, change, sentence) => {
    samplePayload();
    const pinned = await resolve();
    fake.now += 1;
    change();
    expect(await payloadChange(hdfs, pinned)).toMatch(sentence);
  });

  it('throws where HDFS cannot be asked', async () => {
    samplePayload();
    const pinned = await resolve();
    await fake.kill('nn1');
    expect(hasCode(await failure(payloadChange(hdfs, pinned)), 'HDFS_UNREACHABLE')).toBe(true);
  });
});

it('the digest cannot be made equal by moving text between path and checksum', () => {
  const file = { fileId: '1', modificationTime: 1, blockSize: 1 };
  const one = payloadDigest([{ ...file, path: 'a', length: 1, checksum: { algorithm: 'b', bytes: 'c' } }]);
  const other = payloadDigest([{ ...file, path: 'a",1,"b', length: 1, checksum: { algorithm: '', bytes: 'c' } }]);
  expect(one).not.toBe(other);
  const files = ['b', 'a'].map((path) => ({ ...file, path, length: 0 }));
  expect(payloadDigest(files)).toBe(payloadDigest(files.toReversed()));
});
