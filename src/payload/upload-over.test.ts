import { mkdir, mkdtemp, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { FakeWebHdfs, remote } from '../../test/builders/fake-webhdfs.ts';
import { impatientHdfs } from '../../test/builders/impatient-hdfs.ts';
import type { Hdfs } from '../adapters/webhdfs/hdfs.ts';
import { resolvePayload } from './resolve.ts';
import { uploadPayload } from './upload.ts';
import { uploadOver } from './upload-over.ts';

const target = '/user/me/models/dga';
let fake: FakeWebHdfs;
let hdfs: Hdfs;
let local: string;
let uploads = 0;

beforeEach(async () => {
  fake = await FakeWebHdfs.start();
  hdfs = impatientHdfs(fake);
  local = await mkdtemp(join(tmpdir(), 'upload-over-'));
  await put('run.sh', 'echo one');
  await put('model.bin', 'weights');
  await put('empty', '');
  await put('endpoint.dat', 'stale');
});
afterEach(async () => {
  await fake.stop();
  await rm(local, { recursive: true });
});

const put = (name: string, content: string) => writeFile(join(local, name), content);
const options = () => ({ now: () => fake.now, id: `id${++uploads}` });
const upload = (directory = local) => uploadOver(hdfs, directory, target, options());
const names = () => fake.below(target).map((path) => path.slice(target.length + 1));
const staged = () => [...fake.files.keys(), ...fake.directories.keys()].filter((path) => path.includes('.staging-'));
const fileIds = async () => (await hdfs.list(target)).map(({ name, fileId }) => `${name} ${fileId}`);
async function text(name: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of await hdfs.read(`${target}/${name}`)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('the upload of the old command', () => {
  it('sends the files directly in the directory, without endpoint.dat', async () => {
    await mkdir(join(local, 'data'));
    await put('data/inner', 'x');
    await put('.hidden', 'y');
    expect(await upload()).toEqual({
      path: target,
      script: 'run.sh',
      files: 4,
      bytes: 16,
      replaced: false,
      directories: ['data'],
      completeAt: fake.now,
    });
    expect(names()).toEqual(['.hidden', '.maas-manifest.json', 'empty', 'model.bin', 'run.sh']);
    expect(staged()).toEqual([]);
  });

  it('again sends nothing and leaves every file the one that it was', async () => {
    await upload();
    const before = await fileIds();
    expect(await upload()).toMatchObject({ files: 0, bytes: 0, replaced: false, script: 'run.sh' });
    expect(await fileIds()).toEqual(before);
  });

  it('replaces what differs, and that alone, also where the length is the same', async () => {
    await upload();
    const before = await fileIds();
    await put('run.sh', 'echo two');
    expect(await upload()).toMatchObject({ files: 1, bytes: 8, replaced: true });
    expect(await text('run.sh')).toBe('echo two');
    // The list of an earlier upload would now be a lie.
    expect(names()).toEqual(['empty', 'model.bin', 'run.sh']);
    expect(staged()).toEqual([]);
    const unchanged = (line: string) => /^(empty|model)/.test(line);
    expect((await fileIds()).filter(unchanged)).toEqual(before.filter(unchanged));
    const pinned = await resolvePayload(hdfs, { nameservice: 'fake', directory: target }, () => fake.now + 3_600_000);
    expect(pinned.files.map(({ path }) => path)).toEqual(['empty', 'model.bin', 'run.sh']);
  });

  it('leaves alone what else is there, below directories too', async () => {
    const first = await mkdtemp(join(tmpdir(), 'upload-over-first-'));
    try {
      await mkdir(join(first, 'lib'));
      await writeFile(join(first, 'lib/a.py'), 'a');
      await writeFile(join(first, 'run.sh'), 'older');
      await uploadPayload(hdfs, first, target, options());
    } finally {
      await rm(first, { recursive: true });
    }
    await upload();
    expect(names()).toEqual(['empty', 'lib/a.py', 'model.bin', 'run.sh']);
  });

  it('puts the script in place last, and each file in one step', async () => {
    await upload();
    await put('run.sh', 'echo two');
    await put('a-new', 'x');
    await put('z-new', 'x');
    fake.requests.length = 0;
    await upload();
    const renamed = fake.requests.filter(({ op }) => op === 'RENAME');
    expect(renamed.map(({ parameters }) => parameters.get('destination')?.slice(target.length + 1))).toEqual([
      'a-new',
      'z-new',
      'run.sh',
    ]);
    expect(new Set(renamed.map(({ parameters }) => parameters.get('renameoptions')))).toEqual(new Set(['OVERWRITE']));
    const created = fake.requests.filter(({ op }) => op === 'CREATE').map(({ path }) => path);
    for (const path of created) expect(path).toMatch(/^\/user\/me\/models\/dga\/\.staging-over-id\d+\//);
  });

  it('changes nothing when it fails before the last step', async () => {
    await upload();
    const before = await fileIds();
    await put('run.sh', 'echo two');
    fake.intercept = ({ op }, response) => {
      if (op !== 'CREATE') return false;
      remote(response, 403, 'DSQuotaExceededException', 'quota');
      return true;
    };
    expect(await failure(upload())).toMatchObject({ code: 'HDFS_NO_SPACE' });
    expect(await fileIds()).toEqual(before);
    expect(staged()).toEqual([]);
  });

  it('goes over what somebody else has made meanwhile', async () => {
    let made = false;
    fake.intercept = ({ op }) => {
      if (op === 'RENAME' && !made) {
        made = true;
        fake.put(`${target}/other`, Buffer.from('theirs'));
      }
      return false;
    };
    expect(await upload()).toMatchObject({ files: 3 });
    expect(names()).toEqual(['empty', 'model.bin', 'other', 'run.sh']);
    expect(staged()).toEqual([]);
  });

  it('follows links, as the original did', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'upload-over-elsewhere-'));
    try {
      await writeFile(join(elsewhere, 'common.py'), 'shared');
      await symlink(join(elsewhere, 'common.py'), join(local, 'common.py'));
      await upload();
      expect(await text('common.py')).toBe('shared');
      expect(await readFile(join(elsewhere, 'common.py'), 'utf8')).toBe('shared');
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });
});

it('what it has sent over other files is whole at once, for whoever is told when it was', async () => {
  fake.put(`${target}/other`, 'theirs');
  fake.now += 60_000;
  const { completeAt } = await upload();
  const where = { nameservice: 'fake', directory: target };
  expect(await failure(resolvePayload(hdfs, where, () => fake.now))).toMatchObject({ code: 'PAYLOAD_INCOMPLETE' });
  expect(await resolvePayload(hdfs, { ...where, completeAt }, () => fake.now)).toMatchObject({ script: 'run.sh' });
  // Somebody else goes on writing there.
  fake.now += 1;
  fake.put(`${target}/another`, 'theirs');
  expect(await failure(resolvePayload(hdfs, { ...where, completeAt }, () => fake.now))).toMatchObject({
    code: 'PAYLOAD_INCOMPLETE',
  });
  // To send the same again changes nothing, and what is there by then is whole.
  const again = await upload();
  expect(again).toMatchObject({ files: 0, completeAt: fake.now });
});

describe('what cannot be a payload is refused before anything is sent', () => {
  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['a path that is not there', () => upload(join(local, 'no')), 'LOCAL_PATH_INVALID', /does not exist/],
    ['a file', () => upload(join(local, 'run.sh')), 'LOCAL_PATH_INVALID', /is not a directory/],
    [
      'nothing in it',
      async () => {
        await mkdir(join(local, 'none'));
        await upload(join(local, 'none'));
      },
      'LOCAL_PATH_INVALID',
      /holds no files/,
    ],
    [
      'a link to nowhere',
      async () => {
        await symlink('/no/such', join(local, 'link'));
        await upload();
      },
      'LOCAL_PATH_INVALID',
      /"link" in .* does not exist/,
    ],
    [
      'no script, here or there',
      async () => {
        await unlink(join(local, 'run.sh'));
        await upload();
      },
      'PAYLOAD_NO_SCRIPT',
      /no \*\.sh/,
    ],
    [
      'a second script beside the one that is there',
      async () => {
        fake.put(`${target}/older.sh`, Buffer.from('x'));
        await upload();
      },
      'PAYLOAD_SEVERAL_SCRIPTS',
      /over what is at .*2 \*\.sh/,
    ],
    [
      'a file where a directory is',
      async () => {
        fake.put(`${target}/model.bin/part`, Buffer.from('x'));
        await upload();
      },
      'PAYLOAD_NAME_COLLISION',
      /are one name/,
    ],
    ['the root of HDFS', () => uploadOver(hdfs, local, '/', options()), 'HDFS_PATH_INVALID', /root/],
  ])('%s', async (_what, act, code, message) => {
    const error = await failure(act());
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
    expect(fake.requests.filter(({ op }) => op === 'CREATE')).toEqual([]);
  });

  it('but a script that is there already serves new data', async () => {
    await upload();
    await unlink(join(local, 'run.sh'));
    await put('model.bin', 'better weights');
    expect(await upload()).toMatchObject({ files: 1, script: 'run.sh' });
  });
});
