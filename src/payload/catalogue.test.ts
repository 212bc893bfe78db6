import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { FakeWebHdfs } from '../../test/builders/fake-webhdfs.ts';
import { impatientHdfs } from '../../test/builders/impatient-hdfs.ts';
import type { Hdfs } from '../adapters/webhdfs/hdfs.ts';
import { MaasError } from '../contracts/errors.ts';
import { payloadCatalogue } from './catalogue.ts';
import { localContentDigest } from './content-digest.ts';
import { readLocalPayload } from './local-payload.ts';
import { uploadPayload } from './upload.ts';

let fake: FakeWebHdfs;
let hdfs: Hdfs;
const base = { nameservice: 'fake', directory: '/models/dga' };
const place = (name: string) => ({ nameservice: 'fake', directory: `/models/dga/${name}` });

beforeEach(async () => {
  fake = await FakeWebHdfs.start();
  hdfs = impatientHdfs(fake);
});
afterEach(() => fake.stop());

function localPayload(text: string): string {
  const local = mkdtempSync(join(tmpdir(), 'catalogue-'));
  onTestFinished(() => rmSync(local, { recursive: true }));
  writeFileSync(join(local, 'run.sh'), text);
  return local;
}

const catalogue = () => payloadCatalogue(fake.settings, () => hdfs, new AbortController().signal);
const upload = (local: string, name: string) =>
  uploadPayload(hdfs, local, place(name).directory, { now: () => fake.now, id: 'id1' });

it('shows what an upload put there, with the digest of the files as they are on the disk', async () => {
  const local = localPayload('echo hi');
  await upload(local, '1.0');
  const [found] = await catalogue().below(base);
  const digest = await localContentDigest((await readLocalPayload(local)).files);
  expect(found).toEqual({ ...place('1.0'), kind: 'payload', digest, files: 1, bytes: 7, changedAt: fake.now });
  expect(await catalogue().look(place('1.0'))).toEqual(found);
});

it('tells apart what is not finished, not of an upload, or was changed since', async () => {
  await upload(localPayload('echo hi'), 'changed');
  fake.put('/models/dga/changed/more', 'more');
  fake.put('/models/dga/by-hand/run.sh', 'echo');
  fake.put('/models/dga/.staging-abc-1/run.sh', 'ec');
  fake.put('/models/dga/file', 'no directory');
  const found = await catalogue().below(base);
  expect(found.map(({ directory, kind, digest }) => [directory.slice(12), kind, digest]).sort()).toEqual([
    ['.staging-abc-1', 'unfinished', undefined],
    ['by-hand', 'other', undefined],
    ['changed', 'other', undefined],
  ]);
  expect(await catalogue().below(place('nowhere'))).toEqual([]);
  expect(await catalogue().look(place('file'))).toBeUndefined();
});

it('shows what may not be looked into, wherever it is named', async () => {
  await upload(localPayload('echo hi'), '1.0');
  const closed = payloadCatalogue(
    fake.settings,
    () => ({
      ...hdfs,
      status: (path) => hdfs.status(path),
      list: async () => Promise.reject(new MaasError('HDFS_FORBIDDEN', 'no')),
    }),
    new AbortController().signal,
  );
  expect(await closed.look(place('1.0'))).toMatchObject({ kind: 'other', digest: undefined, files: 0 });
});

it('removes what is as it was seen, and nothing else', async () => {
  await upload(localPayload('echo hi'), '1.0');
  await upload(localPayload('echo hi'), '2.0');
  const seen = await catalogue().below(base);
  const [one, two] = seen.toSorted((a, b) => (a.directory < b.directory ? -1 : 1));
  if (one === undefined || two === undefined) throw new Error('there are two');
  fake.put('/models/dga/2.0/more', 'more');
  expect(await catalogue().remove(one)).toBe('removed');
  expect(await catalogue().remove(one)).toBe('gone');
  expect(await catalogue().remove(two)).toBe('changed');
  const now = (await catalogue().below(base))[0];
  expect(now?.kind).toBe('other');
  expect(now && (await catalogue().remove(now))).toBe('changed');
  expect([...fake.files.keys()].filter((path) => path.startsWith('/models/dga/1.0'))).toEqual([]);
  expect(fake.files.has('/models/dga/2.0/run.sh')).toBe(true);
});

it('tells which files have the same bytes, and the beginning of one', async () => {
  await upload(localPayload('echo hi'), '1.0');
  fake.put('/models/dga/by-hand/run.sh', 'echo hi');
  fake.put('/models/dga/by-hand/empty', '');
  const [uploaded] = await catalogue().files(place('1.0'));
  expect(uploaded).toMatchObject({
    path: 'run.sh',
    length: 7,
    checksum: expect.stringMatching(/^sha256 [0-9a-f]{64}$/),
  });
  expect(await catalogue().files(place('by-hand'))).toEqual([
    { path: 'empty', length: 0, checksum: undefined },
    { path: 'run.sh', length: 7, checksum: expect.stringContaining(' ') },
  ]);
  expect(Buffer.from(await catalogue().head(place('1.0'), 'run.sh', 4)).toString()).toBe('echo');
  expect(Buffer.from(await catalogue().head(place('1.0'), 'run.sh', 400)).toString()).toBe('echo hi');
  expect(await catalogue().head(place('by-hand'), 'empty', 4)).toHaveLength(0);
});
