import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { FakeWebHdfs } from '../../test/builders/fake-webhdfs.ts';
import { impatientHdfs } from '../../test/builders/impatient-hdfs.ts';
import type { TransferProgress } from '../contracts/payload.ts';
import { userPayloads } from './user-payloads.ts';

let fake: FakeWebHdfs;
let local: string;
let ids: number;

beforeEach(async () => {
  fake = await FakeWebHdfs.start();
  local = mkdtempSync(join(tmpdir(), 'payload-'));
  ids = 0;
  writeFileSync(join(local, 'run.sh'), 'echo dga\n');
  writeFileSync(join(local, 'words.csv'), 'a,b\n');
});
afterEach(async () => {
  rmSync(local, { recursive: true });
  await fake.stop();
});

const payloads = () =>
  userPayloads({
    hdfs: { ...fake.settings, defaultNameservice: 'fake' },
    open: () => impatientHdfs(fake),
    now: () => fake.now,
    newId: () => `id${++ids}`,
    signal: new AbortController().signal,
  });

function watch() {
  const seen: { progress: TransferProgress[]; warnings: string[] } = { progress: [], warnings: [] };
  return {
    seen,
    onProgress: (progress: TransferProgress) => seen.progress.push(progress),
    onWarning: (message: string) => seen.warnings.push(message),
  };
}

const below = (path: string) => [...fake.files.keys()].filter((name) => name.startsWith(`${path}/`)).sort();

describe('upload', () => {
  it('puts a directory below the home directory, tells how far it is, and sends it once', async () => {
    const watched = watch();
    const sent = { path: '/user/tester/dga', files: 2, bytes: 13 };
    expect(await payloads().upload(local, 'dga', { ...watched, exclude: [] })).toEqual({ ...sent, uploaded: true });
    expect(below('/user/tester/dga').filter((path) => !path.includes('/.'))).toEqual([
      '/user/tester/dga/run.sh',
      '/user/tester/dga/words.csv',
    ]);
    expect(watched.seen.progress.at(-1)).toEqual({ filesDone: 2, filesTotal: 2, bytesDone: 13, bytesTotal: 13 });
    expect(await payloads().upload(local, 'dga', { ...watched, exclude: [] })).toEqual({ ...sent, uploaded: false });
  });

  it('leaves out what it is told to', async () => {
    await payloads().upload(local, '/m/dga', { ...watch(), exclude: ['*.csv'] });
    expect(below('/m/dga').filter((path) => !path.includes('/.'))).toEqual(['/m/dga/run.sh']);
  });
});

describe('uploadOver', () => {
  it('replaces files, and says by when the path is whole and what it left out', async () => {
    fake.put('/m/dga/run.sh', 'echo before\n');
    mkdirSync(join(local, 'training'));
    expect(await payloads().uploadOver(local, '/m/dga', watch())).toMatchObject({
      path: '/m/dga',
      uploaded: true,
      replaced: true,
      directories: ['training'],
      payloadComplete: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(fake.files.get('/m/dga/run.sh')?.bytes.toString()).toBe('echo dga\n');
    expect(await payloads().uploadOver(local, '/m/dga', watch())).toMatchObject({ files: 0, uploaded: false });
  });
});

describe('a look', () => {
  it('tells what a payload is, without reading its files', async () => {
    fake.put('/m/dga/run.sh', 'echo');
    fake.put('/m/dga/lib/a.py', 'x');
    expect(await payloads().payload('hdfs://fake/m/dga')).toEqual({
      path: '/m/dga',
      script: 'run.sh',
      files: 2,
      bytes: 5,
    });
    expect(fake.requests.filter(({ op }) => op === 'OPEN')).toEqual([]);
  });

  it('tells what is none', async () => {
    fake.put('/m/none/a.txt', 'x');
    expect(await failure(payloads().payload('/m/none'))).toMatchObject({ code: 'PAYLOAD_NO_SCRIPT' });
    expect(await failure(payloads().payload('/m/gone'))).toMatchObject({ code: 'HDFS_PATH_MISSING' });
  });

  it('finds out whether HDFS is there', async () => {
    await payloads().reach('fake');
    fake.intercept = (_request, response) => {
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ RemoteException: { exception: 'AccessControlException', message: 'no' } }));
      return true;
    };
    expect(await failure(payloads().reach('fake'))).toMatchObject({ code: 'HDFS_FORBIDDEN' });
  });
});
