/** `add --immutable` and `kubectl maas payload` on a real HDFS and a real API server. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hdfs, openHdfs } from '../../src/adapters/webhdfs/hdfs.ts';
import { labels, managedBy } from '../../src/contracts/names.ts';
import { encodePin } from '../../src/contracts/pin-content.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { CliWorld } from './cli-process.ts';
import { present } from './world.ts';

let world: CliWorld;
let hdfs: Hdfs;
let root: string;
/** Of its own: others may have a model in the cluster, and payloads are looked for by the name of the model. */
let model: string;
let directory: string;
beforeAll(async () => {
  world = await CliWorld.open();
  model = world.namespace;
  await world.publishSettings(`${world.namespace}/models`);
  const { nameservice, namenodes, user } = present('hdfs');
  const webhdfs = namenodes.map((node) => node.webhdfs);
  hdfs = openHdfs({ nameservices: { [nameservice]: { webhdfs, authorities: [] } }, user }, nameservice, {
    clock: systemClock,
  });
  root = `/user/${user}/${world.namespace}`;
  directory = join(world.directory, 'dga');
  mkdirSync(directory);
  writeFileSync(join(directory, 'run.sh'), '#!/bin/sh\necho one\n');
  writeFileSync(join(directory, 'weights.bin'), Buffer.alloc(300_000, 7));
});
afterAll(async () => {
  await hdfs.delete(root, { recursive: true });
  await world.close();
});

const add = (version: string) => {
  const words = ['--memory', '512', '--local-model-path', directory, '--immutable'];
  return world.maas('add', '--name', model, '--version', version, ...words);
};

interface Item {
  readonly path: string;
  readonly digest: string;
  readonly uses: readonly { readonly by: string; readonly use: string }[];
}

async function listed(...args: string[]): Promise<readonly Item[]> {
  const { out, err } = await world.maas('payload', ...args, model, '-o', 'json');
  if (out === '') throw new Error(err);
  return JSON.parse(out).items;
}

async function pathNow(): Promise<string> {
  const { payload } = await world.spec(`${model}-1.0`);
  return `/user/${present('hdfs').user}/${(payload as { path: string }).path}`;
}

/** As the operator pins a payload for the pods of a version. */
function pin(name: string, path: string): string {
  const { nameservice } = present('hdfs');
  const payload = { path, nameservice, script: 'run.sh', bytes: 0, digest: 'sha256:x', files: [] };
  const metadata = { name, labels: { [labels.managedBy]: managedBy, [labels.owner]: 'somebody' } };
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, ...encodePin(payload) });
}

describe('payloads by digest', () => {
  let first: string;
  let second: string;

  it('are uploaded once, and other files switch the resource', async () => {
    expect(await add('1.0')).toMatchObject({ code: 0, out: expect.stringContaining('created with 1 instance\n') });
    first = await pathNow();
    expect(first).toMatch(/\/models\/[^/]+\/1\.0@sha256-[0-9a-f]{16}$/);
    expect(await add('1.0')).toEqual({
      code: 0,
      out: `modeldeployment.maas.dev/${model}-1.0 unchanged\n`,
      err: `${first} has this payload already\n`,
    });
    appendFileSync(join(directory, 'run.sh'), 'echo two\n');
    const [one, other] = await Promise.all([add('1.0'), add('1.0')]);
    expect([one.code, other.code, one.out + other.out]).toEqual([0, 0, expect.stringContaining('payload changed\n')]);
    second = await pathNow();
    expect(second).not.toBe(first);
    expect(await world.spec(`${model}-1.0`)).toMatchObject({ instances: 1 });
    expect(
      (await hdfs.list(`${root}/models/${model}`)).map(({ name }) => `${root}/models/${model}/${name}`).sort(),
    ).toEqual([first, second].sort());
  });

  it('are listed with who refers to them, and compared', async () => {
    const items = await listed('ls');
    expect(new Map(items.map(({ path, uses }) => [path, uses]))).toEqual(
      new Map([
        [first, []],
        [second, [{ by: `${world.namespace}/${model}-1.0`, use: 'wanted' }]],
      ]),
    );
    for (const { path, digest } of items) expect(path).toContain(digest.replace(':', '-').slice(0, 23));
    const { out, err } = await world.maas('payload', 'diff', model, first, '1.0');
    expect(err + out).toBe(
      [
        `from ${first}`,
        `to   ${second}`,
        'M run.sh  19 B -> 28 B',
        '     #!/bin/sh',
        '     echo one',
        '    +echo two',
        '     ',
        '1 file different',
        '',
      ].join('\n'),
    );
  });

  it('go when nothing refers to them, and not before', async () => {
    expect(await listed('gc')).toEqual([]);
    await world.kubectlWith({ input: pin('pinned', first) }, 'create', '-n', world.namespace, '-f', '-');
    expect(await listed('gc', '--older-than', '0s')).toEqual([]);
    await world.kubectl('delete', 'configmap', 'pinned', '-n', world.namespace);
    expect(await listed('gc', '--older-than', '0s')).toMatchObject([{ path: first }]);
    expect(await world.maas('payload', 'gc', model, '--yes', '--older-than', '0s')).toEqual({
      code: 0,
      out: `${first} removed\n`,
      err: '1 payload, 293 KiB removed\n',
    });
    expect(await hdfs.status(first)).toBeUndefined();
    expect((await hdfs.list(second)).map(({ name }) => name).sort()).toContain('weights.bin');
  });
});
