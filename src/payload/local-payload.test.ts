import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

  it('refuses what is no directory, and no payload', async () => {
    await expect(readLocalPayload(join(top, 'none'))).rejects.toMatchObject({ code: 'LOCAL_PATH_INVALID' });
    await expect(readLocalPayload(join(root, 'run.sh'))).rejects.toMatchObject({ code: 'LOCAL_PATH_INVALID' });
    await expect(readLocalPayload(join(root, 'lib'))).rejects.toMatchObject({ code: 'PAYLOAD_NO_SCRIPT' });
    await writeFile(join(root, 'b.sh'), '');
    await expect(readLocalPayload(root)).rejects.toMatchObject({ code: 'PAYLOAD_SEVERAL_SCRIPTS' });
  });
});
