/** Scripts of old upload every version over one path; with the payload store no version loses its files by that. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyModel, enqueue } from '../integration/java.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

/** The shortest that the settings allow. */
const removeAfterMs = 60_000;
let stage: Stage;
let connect: string;
beforeAll(async () => {
  stage = await Stage.open('store');
  connect = stage.chroot.connect();
  await stage.install({
    legacy: { queue: { enabled: true, namespace: stage.namespace } },
    payloadStore: { root: stage.store, removeAfterMs },
  });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const resources = { '1.0': 'dga-1.0', '2.0': 'dga-2.0' } as const;

/** What the old client's user does, with a manifest before it that says how little of this machine an instance needs. */
async function addAsOfOld(version: keyof typeof resources): Promise<void> {
  const path = await stage.payload('dga', pythonModel(version));
  const spec = { payload: { path, readFrom: 'Store' } };
  await stage.apply(resources[version], { model: 'dga', version, instances: 0, spec });
  await enqueue(connect, { mode: 'ADD', name: 'dga', version, instances: 1, memory: 96, path });
  await stage.serves(resources[version], 1);
}

async function podOf(version: keyof typeof resources) {
  const [pod] = (await stage.pods()).filter(({ name }) => name.startsWith(`${resources[version]}-`));
  return pod;
}

async function copies(): Promise<string[]> {
  const [cluster] = await stage.hdfs.list(stage.store);
  const below = `${stage.store}/${cluster?.name}/${stage.operatorNamespace}`;
  return (await stage.hdfs.list(below)).map(({ name }) => `${below}/${name}`);
}

describe('two versions from one path', () => {
  it('are both served, a lost instance of the older one is replaced, and what nothing refers to is forgotten', async () => {
    await addAsOfOld('1.0');
    const path = await stage.payload('dga', pythonModel('2.0'));
    await addAsOfOld('2.0');
    const shown = await Promise.all(Object.values(resources).map((name) => stage.show(name)));
    expect(shown.map(({ status }) => status.payload?.path)).toEqual([path, path]);
    const kept = shown.map(({ status }) => status.payload?.copy ?? '');
    expect(new Set(kept).size).toBe(2);
    expect((await copies()).sort()).toEqual(kept.toSorted());

    const lost = await podOf('1.0');
    await stage.k('delete', 'pod', lost?.name ?? '', '--wait=false');
    await eventually('another instance stands in for it', async () => {
      const pod = await podOf('1.0');
      return pod !== undefined && pod.uid !== lost?.uid && pod.ready;
    });
    await stage.serves(resources['1.0'], 1);
    // Clients take the highest version unless they ask for another.
    expect(await applyModel(connect, { model: 'dga', args: { a: 'b' } })).toMatchObject({ answer: { version: '2.0' } });
    await stage.k('delete', 'mdl', resources['2.0']);
    await eventually('clients see the older one alone', async () => (await stage.registered('dga')).length === 1);
    expect(await applyModel(connect, { model: 'dga', args: { a: 'b' } })).toMatchObject({ answer: { version: '1.0' } });

    const left = async () => (await copies()).filter((copy) => kept.includes(copy)).join();
    await eventually('only what is referred to is left', async () => (await left()) === kept[0], {
      withinMs: 3 * removeAfterMs,
      account: left,
    });
  });
});

describe('a request for a new model', () => {
  it('makes a resource whose instances read a copy', async () => {
    const path = await stage.payload('made', pythonModel('1.0'));
    await enqueue(connect, { mode: 'ADD', name: 'made', version: '1', instances: 1, memory: 4_000_000, path });
    await eventually('the payload is copied', async () => {
      const shown = await stage.k(
        'get',
        'mdl',
        'made-1',
        '--ignore-not-found',
        '-o',
        'jsonpath={.status.payload.copy}',
      );
      return shown.startsWith(stage.store);
    });
    expect(await stage.k('get', 'mdl', 'made-1', '-o', 'jsonpath={.spec.payload.readFrom}')).toBe('Store');
    await stage.k('delete', 'mdl', 'made-1');
  });
});

describe('a store that cannot be written to', () => {
  it('is named by the resource that needs it, and troubles no other', async () => {
    await stage.makePrivate(stage.store);
    const path = await stage.payload('refused', pythonModel('1.0'));
    await stage.apply('refused', { spec: { payload: { path, readFrom: 'Store' } } });
    const message = await stage.reasonIs('refused', 'HdfsForbidden');
    expect(message).toContain(stage.store);
    await stage.payload('path', pythonModel('1.0'));
    await stage.apply('path', {});
    await stage.serves('path', 1);
  });
});
