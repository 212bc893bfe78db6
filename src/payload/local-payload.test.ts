import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { readLocalPayload } from './local-payload.ts';

let top: string;
let root: string;
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'local-'));
  root = join(top, 'model');
  await mkdir(join(root, 'lib'), { recursive: true });
  await writeFile(join(root, 'run.sh'), 'echo');
  await writeFile(join(root, 'lib/x.py'), 'import os');
});
afterEach(() => rm(top, { recursive: true }));

const paths = async (directory = root) => (await readLocalPayload(directory)).files.map(({ path }) => path);

describe('readLocalPayload', () => {
  it('lists what an upload would send', async () => {
    await writeFile(join(root, 'endpoint.dat'), '{}');
    await writeFile(join(root, '.maas-manifest.json'), '{}');
    await writeFile(join(root, '.hidden'), '');
    expect(await readLocalPayload(root)).toMatchObject({ script: 'run.sh', bytes: 13 });
    expect(await paths()).toEqual(['.hidden', 'lib/x.py', 'run.sh']);
    await symlink(root, join(top, 'link'));
    expect(await paths(join(top, 'link'))).toEqual(['.hidden', 'lib/x.py', 'run.sh']);
  });

  it('takes names in their composed form', async () => {
    await writeFile(join(root, 'u\u0308'), '');
    expect(await paths()).toEqual(['lib/x.py', 'run.sh', 'ü']);
    await writeFile(join(root, 'ü'), '');
    await expect(readLocalPayload(root)).rejects.toMatchObject({ code: 'PAYLOAD_NAME_COLLISION' });
  });

  it('follows links to files inside', async () => {
    await symlink('x.py', join(root, 'lib/y.py'));
    expect(await paths()).toEqual(['lib/x.py', 'lib/y.py', 'run.sh']);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['a link to a file outside', () => symlink('/etc/passwd', join(root, 'x')), 'leads out of'],
    ['a link out and in', () => symlink('../model2/x', join(root, 'x')), 'leads nowhere'],
    ['a broken link', () => symlink('nothing', join(root, 'x')), 'leads nowhere'],
    ['a link to a directory', () => symlink('lib', join(root, 'x')), 'a link to a directory'],
    ['a link to itself', () => symlink('x', join(root, 'x')), 'leads nowhere'],
    [
      'a link to a neighbour with a longer name',
      async () => {
        await mkdir(join(top, 'model-secret'));
        await writeFile(join(top, 'model-secret/x'), '');
        await symlink('../model-secret/x', join(root, 'x'));
      },
      'leads out of',
    ],
    ['a FIFO', async () => execFileSync('mkfifo', [join(root, 'x')]), 'no regular file'],
  ])('refuses %s', async (_what, make, why) => {
    await make();
    await expect(readLocalPayload(root)).rejects.toMatchObject({
      code: 'LOCAL_PATH_INVALID',
      message: expect.stringContaining(why),
    });
  });

  it.each<[string, (name: string) => Promise<unknown>]>([
    ['.DS_Store', (at) => writeFile(at, '')],
    ['._run.sh', (at) => writeFile(at, '')],
    ['.run.sh.swp', (at) => writeFile(at, '')],
    ['run.sh~', (at) => writeFile(at, '')],
    ['#run.sh#', (at) => writeFile(at, '')],
    ['run.sh.orig', (at) => writeFile(at, '')],
    ['Icon\r', (at) => writeFile(at, '')],
    ['lib/x.py:Zone.Identifier', (at) => writeFile(at, '')],
    // Emacs' lock, which leads to nothing.
    ['.#run.sh', (at) => symlink('me@host.1234:1795000000', at)],
    ['.nfs0001', async (at) => execFileSync('mkfifo', [at])],
    [
      '.git/',
      async (at) => {
        await mkdir(join(at, 'objects'), { recursive: true });
        await writeFile(join(at, 'x.sh'), '');
        await symlink('nowhere', join(at, 'broken'));
      },
    ],
    [
      '.venv/',
      async (at) => {
        await mkdir(join(at, 'bin'), { recursive: true });
        await symlink('/usr/bin/python3', join(at, 'bin/python'));
      },
    ],
  ])('leaves %j out and says so', async (name, make) => {
    await make(join(root, name));
    const found = await readLocalPayload(root);
    expect(found.files.map(({ path }) => path)).toEqual(['lib/x.py', 'run.sh']);
    expect(found.leftOut).toEqual([name]);
    expect(found.hidden).toEqual([]);
  });

  it('tells what is hidden and sent, of a directory the directory', async () => {
    await mkdir(join(root, '.conf/.deep'), { recursive: true });
    await writeFile(join(root, '.conf/a'), '');
    await writeFile(join(root, '.conf/.deep/b'), '');
    await writeFile(join(root, 'lib/.env'), '');
    const found = await readLocalPayload(root);
    expect(found.hidden).toEqual(['.conf/', 'lib/.env']);
    expect(found.files.map(({ path }) => path)).toEqual(['.conf/.deep/b', '.conf/a', 'lib/.env', 'lib/x.py', 'run.sh']);
  });

  it('goes by the ignore file, which may take back what is left out, and by the patterns given after it', async () => {
    for (const name of ['a.csv', 'b.csv', 'words.bak', 'lib/c.csv']) await writeFile(join(root, name), '');
    await writeFile(
      join(root, '.maasignore'),
      '\ufeff# from an editor on Windows\r\n*.csv\r\n!b.csv\r\n!words.bak\r\n',
    );
    const left = async (...exclude: string[]) => (await readLocalPayload(root, exclude)).leftOut;
    expect(await left()).toEqual(['a.csv', 'lib/c.csv']);
    expect(await left('!*.csv')).toEqual([]);
    expect(await left('lib/', 'b.*')).toEqual(['a.csv', 'b.csv', 'lib/']);
    await rm(join(root, '.maasignore'));
    await mkdir(join(root, '.maasignore'));
    await expect(left()).rejects.toMatchObject({ code: 'LOCAL_PATH_INVALID' });
  });

  it('lets a second script be left out', async () => {
    await writeFile(join(root, 'train.sh'), '');
    expect((await readLocalPayload(root, ['train.sh'])).script).toBe('run.sh');
    // One that leads out, too.
    await symlink('/etc/passwd', join(root, 'x'));
    expect((await readLocalPayload(root, ['train.sh', '/x'])).leftOut).toEqual(['train.sh', 'x']);
  });

  it('refuses a name that is not UTF-8 and shows it, unless it is left out', async () => {
    const latin1 = Buffer.concat([Buffer.from(`${root}/gr`), Buffer.from([0xfc]), Buffer.from('n.bin')]);
    await writeFile(latin1, '');
    const error = await failure(readLocalPayload(root));
    expect([error.code, error.message]).toEqual([
      'PAYLOAD_NAME_INVALID',
      expect.stringContaining(String.raw`"gr\xfcn.bin"`),
    ]);
    expect((await readLocalPayload(root, ['gr*.bin'])).files).toHaveLength(2);
  });

  it('refuses what is no directory, and no payload', async () => {
    await expect(readLocalPayload(join(top, 'none'))).rejects.toMatchObject({ code: 'LOCAL_PATH_INVALID' });
    await expect(readLocalPayload(join(root, 'run.sh'))).rejects.toMatchObject({ code: 'LOCAL_PATH_INVALID' });
    await expect(readLocalPayload(join(root, 'lib'))).rejects.toMatchObject({ code: 'PAYLOAD_NO_SCRIPT' });
    await writeFile(join(root, 'b.sh'), '');
    await expect(readLocalPayload(root)).rejects.toMatchObject({ code: 'PAYLOAD_SEVERAL_SCRIPTS' });
  });
});
