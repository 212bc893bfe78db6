import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { FakeWebHdfs, json, remote } from '../../test/builders/fake-webhdfs.ts';
import { impatientHdfs } from '../../test/builders/impatient-hdfs.ts';
import type { Hdfs } from '../adapters/webhdfs/hdfs.ts';
import { type PinnedPayload, pinnedPayload, type TransferProgress } from '../contracts/payload.ts';
import { copyName, copyPayload, digestOfName } from './copy-payload.ts';
import { payloadChange, resolvePayload } from './resolve.ts';
import { filesAtOnce } from './send-files.ts';

let fake: FakeWebHdfs;
let hdfs: Hdfs;
const root = '/store/c1/maas-system';
const mebibyte = 2 ** 20;

beforeEach(async () => {
  fake = await FakeWebHdfs.start();
  hdfs = impatientHdfs(fake);
  fake.put('/m/run.sh', 'echo hi');
  fake.put('/m/model.bin', Buffer.alloc(3 * mebibyte, 'weights '), { blockSize: mebibyte });
  fake.put('/m/lib/a b/ü.py', 'import os');
  fake.put('/m/empty', '');
});
afterEach(() => fake.stop());

const resolve = () => resolvePayload(hdfs, { nameservice: 'fake', directory: '/m' }, () => fake.now + 3_600_000);
const copy = (source: PinnedPayload, progress?: (progress: TransferProgress) => void) =>
  copyPayload(hdfs, source, root, { signal: new AbortController().signal, progress });
const directoryOf = ({ digest }: PinnedPayload) => `${root}/${copyName(digest)}`;
const writes = () => fake.requests.filter(({ method, node }) => method !== 'GET' && node.startsWith('nn'));
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');
const textAt = (path: string) => fake.files.get(path)?.bytes.toString();

describe('copyPayload', () => {
  it('makes a whole copy of its own, and pins that under the digest of the original', async () => {
    const source = await resolve();
    const seen: TransferProgress[] = [];
    const pin = await copy(source, (progress) => seen.push(progress));
    const directory = directoryOf(source);
    expect(pinnedPayload.parse(pin)).toEqual(pin);
    expect(pin).toMatchObject({ path: directory, copiedFrom: '/m', digest: source.digest, script: 'run.sh' });
    expect([pin.bytes, pin.files.length]).toEqual([source.bytes, 4]);
    expect(fake.below(root)).toEqual([
      `${directory}/.maas-manifest.json`,
      `${directory}/empty`,
      `${directory}/lib/a b/ü.py`,
      `${directory}/model.bin`,
      `${directory}/run.sh`,
    ]);
    expect(textAt(`${directory}/run.sh`)).toBe('echo hi');
    expect(pin.files.find(({ path }) => path === 'run.sh')?.sha256).toBe(sha256('echo hi'));
    // Its blocks are those of the original, so its checksums are, too.
    expect(pin.files.map(({ checksum }) => checksum)).toEqual(source.files.map(({ checksum }) => checksum));
    expect(pin.files.map(({ fileId }) => fileId)).not.toEqual(source.files.map(({ fileId }) => fileId));
    expect(seen.at(-1)).toEqual({ filesDone: 4, filesTotal: 4, bytesDone: source.bytes, bytesTotal: source.bytes });
    expect(await payloadChange(hdfs, pin)).toBeUndefined();
  });

  it('does not care what becomes of the original', async () => {
    const pin = await copy(await resolve());
    await hdfs.delete('/m', { recursive: true });
    expect(await payloadChange(hdfs, pin)).toBeUndefined();
  });

  it('writes nothing where the copy is there', async () => {
    const source = await resolve();
    const pin = await copy(source);
    fake.requests.length = 0;
    expect(await copy(source)).toEqual(pin);
    expect(writes()).toEqual([]);
  });

  it('lets nobody but its own user look into it', async () => {
    await copy(await resolve());
    const made = fake.requests.filter(({ op, path }) => op === 'MKDIRS' && path.startsWith('/store'));
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map(({ parameters }) => parameters.get('permission')))).toEqual(new Set(['700']));
  });

  it('shows the copy only when it is whole: until then everything is in the staging directory', async () => {
    const source = await resolve();
    await copy(source);
    const created = fake.requests.filter(({ op }) => op === 'CREATE').map(({ path }) => path);
    for (const path of created) expect(path.startsWith(`${root}/.staging-${copyName(source.digest)}/`)).toBe(true);
    expect(created.at(-1)).toMatch(/\.maas-manifest\.json$/);
    const renames = writes().filter(({ op }) => op === 'RENAME');
    expect(renames.map(({ parameters }) => parameters.get('renameoptions'))).toEqual(['NONE']);
  });

  it('takes a file with uneven blocks for what it is, and makes no second copy of it later', async () => {
    const uneven = fake.put('/m/joined.bin', Buffer.concat([Buffer.alloc(700, 'a'), Buffer.alloc(1_024, 'b')]), {
      blockSize: 1_024,
    });
    uneven.blocks = [uneven.bytes.subarray(0, 700), uneven.bytes.subarray(700)];
    const source = await resolve();
    const pin = await copy(source);
    const [theirs, ours] = [source, pin].map(({ files }) => files.find(({ path }) => path === 'joined.bin')?.checksum);
    expect(ours).not.toEqual(theirs);
    expect(pin.digest).toBe(source.digest);
    fake.requests.length = 0;
    expect(await copy(source)).toEqual(pin);
    expect(writes()).toEqual([]);
  });
});

describe('an original that changes', () => {
  it.each<[string, () => void]>([
    [
      'has other bytes',
      () => fake.put('/m/model.bin', Buffer.alloc(3 * mebibyte, 'changed '), { blockSize: mebibyte }),
    ],
    ['is longer', () => fake.put('/m/model.bin', Buffer.alloc(4 * mebibyte), { blockSize: mebibyte })],
    ['is shorter', () => fake.put('/m/model.bin', 'short', { blockSize: mebibyte })],
    ['is gone', () => void fake.files.delete('/m/model.bin')],
  ])('where a file %s, no copy appears', async (_what, change) => {
    const source = await resolve();
    change();
    expect(await failure(copy(source))).toMatchObject({ code: 'PAYLOAD_CHANGED' });
    expect(await hdfs.status(directoryOf(source))).toBeUndefined();
  });
});

describe('bytes that come wrong', () => {
  const flip = (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === 1_000_000 ? byte ^ 1 : byte)));

  it('are read from another data node', async () => {
    const good = fake.files.get('/m/model.bin')?.bytes ?? Buffer.alloc(0);
    fake.intercept = ({ node, op, path }, response) => {
      if (node !== 'dn1' || op !== 'OPEN' || path !== '/m/model.bin') return false;
      response.writeHead(200, { 'content-length': good.length }).end(flip(good));
      return true;
    };
    const source = await resolve();
    const pin = await copy(source);
    expect(fake.files.get(`${pin.path}/model.bin`)?.bytes.equals(good)).toBe(true);
  });

  it('from everywhere are refused, and appear nowhere', async () => {
    const good = fake.files.get('/m/model.bin')?.bytes ?? Buffer.alloc(0);
    fake.intercept = ({ node, op, path }, response) => {
      if (!node.startsWith('dn') || op !== 'OPEN' || path !== '/m/model.bin') return false;
      response.writeHead(200, { 'content-length': good.length }).end(flip(good));
      return true;
    };
    const source = await resolve();
    expect(await failure(copy(source))).toMatchObject({ code: 'HDFS_DATA_CORRUPT' });
    expect(await hdfs.status(directoryOf(source))).toBeUndefined();
  });

  it('on the way to HDFS are noticed by what HDFS has then', async () => {
    fake.intercept = ({ node, op, path }, response) => {
      if (!node.startsWith('dn') || op !== 'GETFILECHECKSUM' || !path.endsWith('/run.sh')) return false;
      if (!path.startsWith(root)) return false;
      const bytes = `${'0'.repeat(24)}${'ab'.repeat(16)}`;
      json(response, 200, { FileChecksum: { algorithm: 'MD5-of-0MD5-of-512CRC32C', bytes, length: 28 } });
      return true;
    };
    expect(await failure(copy(await resolve()))).toMatchObject({ code: 'HDFS_DATA_CORRUPT' });
  });
});

describe('a copy that was begun', () => {
  it('is gone on with: files that are done are not sent again', async () => {
    for (let index = 0; index < filesAtOnce; index++) fake.put(`/m/more/${index}`, 'x');
    const source = await resolve();
    let created = 0;
    fake.intercept = ({ node, op, path }, response) => {
      if (node !== 'nn1' || op !== 'CREATE' || path.endsWith('.json') || ++created !== filesAtOnce + 1) return false;
      remote(response, 403, 'DSQuotaExceededException', 'The DiskSpace quota is exceeded');
      return true;
    };
    expect(await failure(copy(source))).toMatchObject({ code: 'HDFS_NO_SPACE' });
    expect(await hdfs.status(directoryOf(source))).toBeUndefined();
    fake.intercept = () => false;
    fake.requests.length = 0;
    const noted = textAt(`${root}/.staging-${copyName(source.digest)}/.maas-manifest.json`) ?? '';
    const done = source.files.filter(({ path }) => noted.includes(JSON.stringify(path)));
    // The one that was refused was not begun before one of the others was done.
    expect(done.length).toBeGreaterThan(0);
    const pin = await copy(source);
    const sent = fake.requests.filter(({ op, node }) => op === 'CREATE' && node === 'nn1').map(({ path }) => path);
    expect(sent.filter((path) => !path.endsWith('.json'))).toHaveLength(source.files.length - done.length);
    expect(await payloadChange(hdfs, pin)).toBeUndefined();
  });

  it('is not believed where its files are not what its manifest says', async () => {
    const source = await resolve();
    const staging = `${root}/.staging-${copyName(source.digest)}`;
    await copy(source);
    // As if the process had been killed right before the rename, and a file were only half there.
    await hdfs.rename(directoryOf(source), staging);
    fake.put(`${staging}/run.sh`, 'echo h_');
    const pin = await copy(source);
    expect(textAt(`${pin.path}/run.sh`)).toBe('echo hi');
  });
});

describe('a copy that was damaged', () => {
  it.each<[string, (directory: string) => void]>([
    ['a file is gone', (directory) => void fake.files.delete(`${directory}/lib/a b/ü.py`)],
    ['a file is another one', (directory) => fake.put(`${directory}/run.sh`, 'echo ho')],
    ['the manifest is gone', (directory) => void fake.files.delete(`${directory}/.maas-manifest.json`)],
    ['the manifest is garbage', (directory) => fake.put(`${directory}/.maas-manifest.json`, '{')],
  ])('is mended in its place: %s', async (_what, damage) => {
    const source = await resolve();
    const pin = await copy(source);
    damage(pin.path);
    const mended = await copy(source);
    expect(await payloadChange(hdfs, pin)).toBeUndefined();
    expect(mended.files.map(({ sha256: sum }) => sum)).toEqual(pin.files.map(({ sha256: sum }) => sum));
    expect(textAt(`${pin.path}/run.sh`)).toBe('echo hi');
    expect([...fake.directories.keys()].filter((path) => path.includes('.staging-'))).toEqual([]);
  });

  it('keeps the files that are right as they are: others are pinned to them', async () => {
    const source = await resolve();
    const pin = await copy(source);
    fake.put(`${pin.path}/run.sh`, 'echo ho');
    const mended = await copy(source);
    const ids = ({ files }: PinnedPayload) => files.filter(({ path }) => path !== 'run.sh').map(({ fileId }) => fileId);
    expect(ids(mended)).toEqual(ids(pin));
  });
});

it('tells copies, finished or begun, from what else may be in the directory', () => {
  const hex = 'ab'.repeat(32);
  expect(digestOfName(hex)).toBe(`sha256:${hex}`);
  expect(digestOfName(`.staging-${hex}`)).toBe(`sha256:${hex}`);
  expect(copyName(`sha256:${hex}`)).toBe(hex);
  for (const other of ['models', hex.slice(1), `${hex}0`, hex.toUpperCase(), '.staging-x', `old-${hex}`]) {
    expect(digestOfName(other)).toBeUndefined();
  }
});
