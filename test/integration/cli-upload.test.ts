/** `add --local-model-path` into a real HDFS. */
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hdfs, openHdfs } from '../../src/adapters/webhdfs/hdfs.ts';
import { uploadManifestName } from '../../src/contracts/payload.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { CliWorld, ended, until } from './cli-process.ts';
import { present } from './world.ts';

let world: CliWorld;
let hdfs: Hdfs;
let root: string;
beforeAll(async () => {
  world = await CliWorld.open();
  await world.publishSettings(`${world.namespace}/models`);
  const { nameservice, namenodes, user } = present('hdfs');
  const settings = {
    nameservices: { [nameservice]: { webhdfs: namenodes.map((node) => node.webhdfs), authorities: [] } },
    user,
  };
  hdfs = openHdfs(settings, nameservice, { clock: systemClock });
  root = `/user/${user}/${world.namespace}`;
});
afterAll(async () => {
  await hdfs.delete(root, { recursive: true });
  await world.close();
});

/** A directory with a script and a file below. */
function payload(name: string, script: string): string {
  const directory = join(world.directory, name);
  mkdirSync(join(directory, 'data'), { recursive: true });
  writeFileSync(join(directory, 'run.sh'), script);
  writeFileSync(join(directory, 'data/weights.bin'), Buffer.alloc(300_000, 7));
  return directory;
}

async function text(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of await hdfs.read(path)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

const add = (model: string, ...more: string[]) => ['add', '--name', model, '--version', '1.0', ...more];

describe('an upload', () => {
  it('goes to a directory of its own; the same again sends nothing, other content is refused', async () => {
    const directory = payload('dga', '#!/bin/sh\necho one\n');
    const first = await world.maas(...add('dga', '--memory', '512', '--local-model-path', directory));
    const target = `${root}/models/dga/1.0`;
    expect(first).toEqual({
      code: 0,
      out: 'modeldeployment.maas.dev/dga-1.0 created with 1 instance\n',
      err: `uploaded 2 files, 293 KiB to ${target}\n`,
    });
    expect(await world.spec('dga-1.0')).toMatchObject({ payload: { path: `${world.namespace}/models/dga/1.0` } });
    expect((await hdfs.list(target)).map(({ name }) => name).sort()).toEqual([uploadManifestName, 'data', 'run.sh']);
    expect(await text(`${target}/run.sh`)).toBe('#!/bin/sh\necho one\n');

    const again = await world.maas(...add('dga', '--local-model-path', directory));
    expect(again).toMatchObject({ code: 0, err: `${target} has this payload already\n` });
    expect(await world.spec('dga-1.0')).toMatchObject({ instances: 2 });

    const other = await world.maas(...add('dga', '--local-model-path', payload('other', 'echo two\n')));
    expect(other.code).toBe(1);
    expect(other.err).toContain('error[HDFS_PATH_EXISTS]');
    expect(await world.spec('dga-1.0')).toMatchObject({ instances: 2 });
    expect(await text(`${target}/run.sh`)).toBe('#!/bin/sh\necho one\n');
  });

  it('is not begun for a resource that the cluster refuses, nor in a dry run', async () => {
    const directory = payload('early', 'echo\n');
    const refused = await world.maas(...add('zookeeper', '--memory', '512', '--local-model-path', directory));
    expect(refused.err).toContain('error[CLUSTER_REFUSED]');
    const dry = await world.maas(...add('dry', '--memory', '512', '--local-model-path', directory, '--dry-run'));
    expect(dry.code).toBe(0);
    expect(dry.out).toContain(`path: ${world.namespace}/models/dry/1.0`);
    expect(await hdfs.status(`${root}/models/zookeeper`)).toBeUndefined();
    expect(await hdfs.status(`${root}/models/dry`)).toBeUndefined();
  });

  it('tells what is wrong with the local directory', async () => {
    const missing = await world.maas(
      ...add('no', '--memory', '512', '--local-model-path', join(world.directory, 'no')),
    );
    expect(missing.code).toBe(1);
    expect(missing.err).toContain('error[LOCAL_PATH_INVALID]');
    expect(await world.names()).not.toContain('modeldeployment.maas.dev/no-1.0');
  });

  it('sends of a directory what is a model, and says what it left out', async () => {
    const directory = payload('untidy', '#!/bin/bash\r\necho\r\n');
    for (const name of ['.git/objects', '__MACOSX', 'data/__pycache__'])
      mkdirSync(join(directory, name), { recursive: true });
    for (const name of [
      '._run.sh',
      '.run.sh.swp',
      'run.sh~',
      'run.sh.orig',
      '.DS_Store',
      '.git/x.sh',
      '.env',
      'big.csv',
    ])
      writeFileSync(join(directory, name), 'x');
    symlinkSync('me@host.1234', join(directory, '.#run.sh'));
    const exclude = ['--exclude', '*.csv', '--exclude', '!run.sh.orig'];
    const sent = await world.maas(...add('untidy', '--memory', '512', '--local-model-path', directory, ...exclude));
    const target = `${root}/models/untidy/1.0`;
    expect(sent).toEqual({
      code: 0,
      out: 'modeldeployment.maas.dev/untidy-1.0 created with 1 instance\n',
      err: [
        "note: left out: .#run.sh, .DS_Store, ._run.sh, .git/, .run.sh.swp, __MACOSX/ and 3 more (--exclude '!NAME' sends one)",
        'note: hidden, and sent like all others: .env (--exclude leaves them out)',
        'note: the first line of "run.sh" ends with a carriage return, so it asks for "/bin/bash\\r"; save it with Unix line ends (dos2unix, or the editor\'s setting LF) and upload it again',
        `uploaded 4 files, 293 KiB to ${target}`,
        '',
      ].join('\n'),
    });
    const names = (await hdfs.list(target)).map(({ name }) => name).sort();
    expect(names).toEqual(['.env', uploadManifestName, 'data', 'run.sh', 'run.sh.orig']);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const directory = payload('large', 'echo\n');
    truncateSync(join(directory, 'data/weights.bin'), 400 * 2 ** 20);
    const child = world.start(...add('large', '--memory', '512', '--local-model-path', directory));
    const end = ended(child);
    const parent = `${root}/models/large`;
    const begun = async (): Promise<boolean> =>
      (await hdfs.status(parent)) !== undefined && (await hdfs.list(parent)).length > 0;
    await until('the upload begins', begun);
    child.kill('SIGINT');
    const { code, err } = await end;
    expect(code).toBe(130);
    expect(err).toContain('error[INTERRUPTED]');
    expect(await hdfs.status(parent)).toBeUndefined();
    expect(await world.names()).not.toContain('modeldeployment.maas.dev/large-1.0');
  });
});
