import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { linkSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { FakeWebHdfs, json, remote } from '../../test/builders/fake-webhdfs.ts';
import { impatientHdfs } from '../../test/builders/impatient-hdfs.ts';
import type { Hdfs } from '../adapters/webhdfs/hdfs.ts';
import type { TransferProgress } from '../contracts/payload.ts';
import { localContentDigest } from './content-digest.ts';
import { readLocalPayload } from './local-payload.ts';
import { resolvePayload } from './resolve.ts';
import { type UploadOptions, uploadPayload } from './upload.ts';

let fake: FakeWebHdfs;
let hdfs: Hdfs;
let local: string;
let warnings: string[];
const target = '/user/me/models/dga';
const day = 24 * 60 * 60 * 1000;

beforeEach(async () => {
  fake = await FakeWebHdfs.start();
  hdfs = impatientHdfs(fake);
  local = await mkdtemp(join(tmpdir(), 'upload-'));
  warnings = [];
  await mkdir(join(local, 'lib/a b'), { recursive: true });
  await writeFile(join(local, 'run.sh'), 'echo hi');
  await writeFile(join(local, 'lib/a b/ü%.bin'), Buffer.alloc(1_500_000, 'model'));
  await writeFile(join(local, 'empty'), '');
  await writeFile(join(local, 'endpoint.dat'), 'stale');
});
afterEach(async () => {
  await fake.stop();
  await rm(local, { recursive: true });
});

const upload = (options: Partial<UploadOptions> = {}) =>
  uploadPayload(hdfs, local, target, {
    now: () => fake.now,
    id: 'id1',
    warn: (text) => warnings.push(text),
    ...options,
  });
const staged = () => [...fake.files.keys(), ...fake.directories.keys()].filter((path) => path.includes('.staging-'));

describe('uploadPayload', () => {
  it('makes the payload appear whole, with a manifest that is believed afterwards', async () => {
    const seen: TransferProgress[] = [];
    const result = await upload({ progress: (progress) => seen.push(progress) });
    expect(result).toEqual({ outcome: 'uploaded', path: target, script: 'run.sh', files: 3, bytes: 1_500_007 });
    expect(fake.below(target)).toEqual([
      `${target}/.maas-manifest.json`,
      `${target}/empty`,
      `${target}/lib/a b/ü%.bin`,
      `${target}/run.sh`,
    ]);
    expect(staged()).toEqual([]);
    expect(warnings).toEqual([]);
    expect(seen.at(-1)).toEqual({ filesDone: 3, filesTotal: 3, bytesDone: 1_500_007, bytesTotal: 1_500_007 });
    const pinned = await resolvePayload(hdfs, { nameservice: 'fake', directory: target }, () => fake.now);
    expect(pinned.files.find(({ path }) => path === 'run.sh')?.sha256).toBe(
      createHash('sha256').update('echo hi').digest('hex'),
    );
  });

  it('writes below staging only, the manifest last, and renames once', async () => {
    await upload();
    // A busy machine may answer late, and a file is then written once more: the paths are what counts.
    const asked = fake.requests.filter(({ op, node }) => op === 'CREATE' && node === 'nn1').map(({ path }) => path);
    const created = [...new Set(asked)];
    expect(created).toHaveLength(4);
    for (const path of created) expect(path).toMatch(/^\/user\/me\/models\/\.staging-[0-9a-f]{12}-id1\//);
    expect(created.at(-1)).toMatch(/\/\.maas-manifest\.json$/);
    const renames = fake.requests.filter(({ op }) => op === 'RENAME');
    expect(renames).toHaveLength(1);
    expect(renames[0]?.parameters.get('renameoptions')).toBe('NONE');
    expect(fake.requests.at(-1)?.op).toBe('RENAME');
  });

  it('does nothing when the same is there already', async () => {
    await upload();
    fake.requests.length = 0;
    expect(await upload({ id: 'id2' })).toMatchObject({ outcome: 'present', files: 3 });
    expect(fake.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  describe('to a target that is named by a digest', () => {
    const digestNow = async () => await localContentDigest((await readLocalPayload(local)).files);

    it('puts nothing there under the digest of files that changed after it was taken', async () => {
      const digest = await digestNow();
      await writeFile(join(local, 'run.sh'), 'echo HI');
      expect(await failure(upload({ digest }))).toMatchObject({ code: 'LOCAL_FILE_CHANGED' });
      expect([fake.below(target), staged()]).toEqual([[], []]);
      expect(await upload({ digest: await digestNow() })).toMatchObject({ outcome: 'uploaded' });
    });

    it('goes by the digest where something is there, and reads nothing again', async () => {
      const digest = await digestNow();
      await upload({ digest });
      await writeFile(join(local, 'run.sh'), 'echo HI');
      expect(await upload({ digest, id: 'id2' })).toMatchObject({ outcome: 'present' });
      expect(await failure(upload({ digest: await digestNow() }))).toMatchObject({ code: 'HDFS_PATH_EXISTS' });
    });

    it('makes what was there for long look used, for whoever clears up meanwhile', async () => {
      const digest = await digestNow();
      const writes = () => fake.requests.filter(({ method }) => method !== 'GET').map(({ op }) => op);
      await upload({ digest });
      fake.requests.length = 0;
      await upload({ digest, id: 'id2' });
      expect(writes()).toEqual([]);
      fake.now += day;
      await upload({ digest, id: 'id3' });
      expect(writes()).toEqual(['MKDIRS', 'DELETE']);
      expect(staged()).toEqual([]);
    });
  });

  it.each<[string, () => Promise<unknown> | unknown]>([
    ['other content', () => writeFile(join(local, 'run.sh'), 'echo HI')],
    ['another length', () => writeFile(join(local, 'run.sh'), 'echo')],
    ['a file more', () => writeFile(join(local, 'more'), '')],
    ['a file less', () => rm(join(local, 'empty'))],
    ['a file less in HDFS', () => fake.files.delete(`${target}/empty`)],
    ['a stranger in HDFS', () => fake.put(`${target}/stranger`, '')],
    ['a damaged manifest', () => fake.put(`${target}/.maas-manifest.json`, '{')],
  ])('refuses a target that holds %s, and leaves it alone', async (_what, change) => {
    await upload();
    await change();
    const before = fake.below(target);
    expect(await failure(upload({ id: 'id2' }))).toMatchObject({ code: 'HDFS_PATH_EXISTS' });
    expect(fake.below(target)).toEqual(before);
    expect(staged()).toEqual([]);
  });

  it('refuses a file, and files without a manifest, but takes an empty directory', async () => {
    fake.put(target, 'a file');
    expect(await failure(upload())).toMatchObject({ code: 'HDFS_PATH_EXISTS' });
    fake.files.clear();
    fake.put(`${target}/run.sh`, 'of another tool');
    expect(await failure(upload())).toMatchObject({ code: 'HDFS_PATH_EXISTS' });
    fake.files.clear();
    expect(await upload()).toMatchObject({ outcome: 'uploaded' });
    expect(fake.below(target)).toHaveLength(4);
  });

  it('of two at the same time one wins, and the same content is no quarrel', async () => {
    const both = await Promise.all([upload({ id: 'one' }), upload({ id: 'two' })]);
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['present', 'uploaded']);
    expect(staged()).toEqual([]);
  });

  it('refuses the root of HDFS and what is no payload', async () => {
    await expect(uploadPayload(hdfs, local, '/', { now: () => 0, id: 'x' })).rejects.toMatchObject({
      code: 'HDFS_PATH_INVALID',
    });
    await rm(join(local, 'run.sh'));
    expect(await failure(upload())).toMatchObject({ code: 'PAYLOAD_NO_SCRIPT' });
    expect(fake.requests).toEqual([]);
  });
});

it('what is too much for one payload is refused before HDFS is asked anything', async () => {
  await mkdir(join(local, 'many'));
  // Names that nothing compresses, of one file, which is made sooner than thousands.
  const hash = (text: string) => createHash('sha512').update(text).digest('base64url');
  for (let i = 0; i < 4_300; i++) {
    const name = [`${i}`, `-${i}`, `+${i}`].map(hash).join('').slice(0, 250);
    linkSync(join(local, 'run.sh'), join(local, 'many', name));
  }
  const error = await failure(upload());
  expect([error.code, error.message]).toEqual([
    'PAYLOAD_TOO_MANY_FILES',
    expect.stringContaining('holds 4,303 files, whose list needs'),
  ]);
  expect(fake.requests).toEqual([]);
});

describe('an upload that fails leaves nothing', () => {
  it.each([1, 2, 3, 4])('at file %i', async (at) => {
    let creates = 0;
    fake.intercept = ({ op, node }, response) => {
      if (op !== 'CREATE' || node !== 'nn1' || ++creates < at) return false;
      remote(response, 403, 'DSQuotaExceededException', 'quota');
      return true;
    };
    expect(await failure(upload())).toMatchObject({ code: 'HDFS_NO_SPACE' });
    expect(staged()).toEqual([]);
    expect(fake.below(target)).toEqual([]);
    // Nor the directories that were made on the way.
    expect([...fake.directories.keys()]).toEqual(['/']);
  });

  it('but what somebody else uses by then', async () => {
    fake.makeDirectories('/user/me');
    fake.intercept = ({ op, node }, response) => {
      if (op !== 'CREATE' || node !== 'nn1') return false;
      fake.put('/user/me/models/other/run.sh', 'theirs');
      remote(response, 403, 'DSQuotaExceededException', 'quota');
      return true;
    };
    expect(await failure(upload())).toMatchObject({ code: 'HDFS_NO_SPACE' });
    expect(staged()).toEqual([]);
    expect(fake.below('/user/me/models')).toEqual(['/user/me/models/other/run.sh']);
    expect(warnings).toEqual([]);
  });

  it('when it is aborted', async () => {
    const stop = new AbortController();
    fake.intercept = ({ op, node, path }) => {
      if (op === 'CREATE' && node === 'nn1' && path.endsWith('.bin')) stop.abort(new Error('interrupted'));
      return false;
    };
    await expect(upload({ signal: stop.signal })).rejects.toThrow('interrupted');
    expect(staged()).toEqual([]);
    expect(fake.below(target)).toEqual([]);
  });

  it('when HDFS received other bytes than were sent', async () => {
    fake.intercept = async ({ op, node, path, parameters }, response, incoming) => {
      if (op !== 'CREATE' || !node.startsWith('dn') || !path.endsWith('.bin')) return false;
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      bytes[777] = (bytes[777] ?? 0) ^ 1;
      fake.put(path, bytes, { blockSize: Number(parameters.get('blocksize')) });
      response.writeHead(201).end();
      return true;
    };
    expect(await failure(upload())).toMatchObject({ code: 'HDFS_DATA_CORRUPT' });
    expect(staged()).toEqual([]);
  });

  it.each<[string, (at: string) => Promise<unknown>]>([
    ['is touched', (at) => utimes(at, 1, 1)],
    ['grows', (at) => appendFile(at, ' more')],
    ['shrinks', (at) => truncate(at, 3)],
    ['is emptied', (at) => writeFile(at, '')],
    ['goes away', (at) => rm(at)],
    [
      'becomes a directory',
      async (at) => {
        await rm(at);
        await mkdir(at);
      },
    ],
    [
      'becomes a FIFO',
      async (at) => {
        await rm(at);
        execFileSync('mkfifo', [at]);
      },
    ],
    [
      'is replaced',
      async (at) => {
        await rm(at);
        await writeFile(at, 'echo hi');
      },
    ],
    [
      'becomes a link to nowhere',
      async (at) => {
        await rm(at);
        await symlink('nowhere', at);
      },
    ],
  ])('when a local file %s meanwhile, and names it', async (_how, change) => {
    const at = join(local, 'run.sh');
    // While it is sent, and when it has been sent.
    for (const moment of ['nn1', 'dn1']) {
      let changed = false;
      fake.intercept = async ({ op, node, path }) => {
        if (!changed && op === 'CREATE' && node === moment && path.endsWith('run.sh')) {
          changed = true;
          await change(at);
        }
        return false;
      };
      const error = await failure(upload({ id: moment }));
      expect([error.code, error.message]).toEqual(['LOCAL_FILE_CHANGED', expect.stringContaining(`"${at}"`)]);
      expect(staged()).toEqual([]);
      await rm(at, { recursive: true, force: true });
      await writeFile(at, 'echo hi');
    }
  });

  it('also where a CREATE that was given up reaches HDFS after the clean-up', async () => {
    const removed = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const late: Promise<void>[] = [];
    fake.intercept = async ({ op, node, path, parameters }, response) => {
      if (op === 'DELETE') response.once('finish', removed.resolve);
      if (op !== 'CREATE') return false;
      if (node === 'nn1' && path.endsWith('run.sh')) {
        await begun.promise;
        await utimes(join(local, 'run.sh'), 1, 1);
      }
      if (node === 'nn1' || !path.endsWith('.bin')) return false;
      begun.resolve();
      late.push(removed.promise.then(() => void fake.create(path, parameters, Buffer.from('half'))));
      return true;
    };
    expect(await failure(upload())).toMatchObject({ code: 'LOCAL_FILE_CHANGED' });
    await Promise.all(late);
    expect(late).toHaveLength(1);
    expect(staged()).toEqual([]);
  });

  it('because what cannot be made harmless is not given up: a directory is made before it is removed', async () => {
    const stop = new AbortController();
    const order: string[] = [];
    const deleted = Promise.withResolvers<void>();
    fake.intercept = async ({ op }) => {
      if (op === 'DELETE') {
        order.push(op);
        deleted.resolve();
      }
      if (op === 'MKDIRS' && !stop.signal.aborted) {
        stop.abort(new Error('interrupted'));
        // Time enough for somebody who does not wait.
        await Promise.race([deleted.promise, new Promise((done) => setTimeout(done, 200))]);
        order.push(op);
      }
      return false;
    };
    await expect(upload({ signal: stop.signal })).rejects.toThrow('interrupted');
    expect(order.slice(0, 2)).toEqual(['MKDIRS', 'DELETE']);
    expect(staged()).toEqual([]);
  });

  it('and says so where it could not clean up', async () => {
    fake.intercept = ({ op }, response) => {
      if (op !== 'RENAME' && op !== 'DELETE') return false;
      remote(response, 403, 'AccessControlException', 'no');
      return true;
    };
    expect(await failure(upload())).toMatchObject({ code: 'HDFS_FORBIDDEN' });
    expect(warnings).toEqual([
      expect.stringMatching(/staging.*is left in HDFS.*could not be removed.*hdfs dfs -rm -r/),
    ]);
  });
});

describe('earlier uploads that were killed', () => {
  it('are removed when nothing happened to them for a day', async () => {
    await upload();
    const staging = `${fake.requests.find(({ op }) => op === 'RENAME')?.path}`.replace(/id1$/, '');
    await hdfs.delete(target, { recursive: true });
    fake.put(`${staging}dead/run.sh`, 'half');
    fake.put('/user/me/models/.staging-ffffffffffff-x/run.sh', "another target's");
    fake.put(`${staging}alive/lib/deep/file`, 'half').modificationTime = fake.now + 2 * day - 1000;
    fake.now += 2 * day;
    await upload({ id: 'id2' });
    expect(warnings).toEqual([]);
    expect(staged().filter((path) => path.startsWith(`${staging}dead`))).toEqual([]);
    expect(fake.files.has(`${staging}alive/lib/deep/file`)).toBe(true);
    expect(fake.files.has('/user/me/models/.staging-ffffffffffff-x/run.sh')).toBe(true);
  });

  it('that cannot be looked at do not stand in the way', async () => {
    fake.makeDirectories('/user/me/models');
    fake.intercept = ({ op, path }, response) => {
      if (!op.startsWith('LIST') || path !== '/user/me/models') return false;
      json(response, 403, {
        RemoteException: { exception: 'AccessControlException', javaClassName: 'x', message: 'no' },
      });
      return true;
    };
    expect(await upload()).toMatchObject({ outcome: 'uploaded' });
    expect(warnings).toHaveLength(1);
  });
});
