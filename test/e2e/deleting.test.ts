/**
 * Deleting in any order, with whatever away: it ends, and leaves nothing that does not belong there or that the next start
 * does not sweep. The steps build on each other, as the days of a cluster do.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { present, zookeeper } from '../integration/world.ts';
import { cleanUp } from './clean-up.ts';
import { docker } from './docker.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

let stage: Stage;
let other: string;
const timings: string[] = [];

beforeAll(async () => {
  stage = await Stage.open('delete');
  other = `${stage.namespace}-other`;
  await stage.makeNamespace(other);
  await stage.install({ namespaces: [stage.namespace, other] });
  await stage.payload('model', pythonModel('1.0'));
  for (const name of ['first', 'second', 'third']) await stage.apply(name, manifest('Store'));
  await stage.apply('elsewhere', manifest('Store'), other);
  await Promise.all(['first', 'second', 'third'].map((name) => stage.serves(name, 1)));
  // A switch, of which something is left in ZooKeeper for as long as the resource is there.
  await stage.k('patch', 'mdl', 'third', '--type=merge', '-p', JSON.stringify({ spec: { version: '2.0' } }));
  await stage.serves('third', 1);
  expect((await inZooKeeper()).holds).toHaveLength(1);
});
afterAll(async () => {
  await cleanUp(
    () => stage?.kubectl('delete', 'namespace', other, '--ignore-not-found', '--wait=false'),
    () => stage?.[Symbol.asyncDispose](),
  );
});

const manifest = (readFrom: string) => ({
  path: `${stage.payloads}/model`,
  spec: { drain: '1s', stopTimeout: '2s', payload: { path: `${stage.payloads}/model`, readFrom } },
});

/** They answer nothing, and refuse nothing. */
async function whileAway<T>(containers: readonly string[], during: () => Promise<T>): Promise<T> {
  const paused: string[] = [];
  try {
    for (const container of containers) {
      await docker('pause', container);
      paused.push(container);
    }
    return await during();
  } finally {
    await cleanUp(...paused.map((container) => () => docker('unpause', container)));
  }
}

/** Does it, waits until it is so, and takes the time. */
async function ends(what: string, act: () => Promise<unknown>, isSo: () => Promise<boolean>): Promise<void> {
  const begun = performance.now();
  await act();
  await eventually(what, isSo, { withinMs: 60_000 });
  timings.push(`${what}: ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
}

/** What is left of models in a namespace; undefined where the namespace is gone. */
async function leftIn(namespace: string, name = ''): Promise<string[]> {
  const kinds = 'deployments,replicasets,pods,configmaps,poddisruptionbudgets';
  const mine = ['--selector', 'app.kubernetes.io/name=maas-model', '--ignore-not-found'];
  const text = await stage.kubectl('get', kinds, '--namespace', namespace, ...mine, '--output', 'name');
  return text.split('\n').filter((line) => line.includes(`/${name}`));
}
const isGone = (name: string) => async () => (await leftIn(stage.namespace, `${name}-`)).length === 0;

const below = async (path: string) => (await stage.chroot.nodes.children(path).catch(() => [])) as string[];

/** Ids of registered instances of every model, and of the agents that have a marker. */
async function inZooKeeper(): Promise<{
  registered: string[];
  agents: string[];
  operators: string[];
  holds: string[];
}> {
  const root = stage.chroot.serviceRoot();
  const registered = [];
  for (const model of await below(root)) registered.push(...(await below(`${root}/${model}`)));
  const operatorRoot = `${stage.chroot.path}/maas/operator`;
  const [cluster = ''] = await below(operatorRoot);
  const own = (name: string) => below(`${operatorRoot}/${cluster}/${name}`);
  return {
    registered,
    agents: await own('instances'),
    operators: await own('operators'),
    holds: await own('holds'),
  };
}

describe('deleting', () => {
  it('a resource while ZooKeeper and HDFS do not answer ends, and its registration with them back', async () => {
    const away = [zookeeper().container, ...present('hdfs').namenodes.map(({ container }) => container)];
    const before = (await leftIn(stage.namespace, 'first-')).filter((name) => name.startsWith('pod/'));
    await whileAway(away, async () => {
      // And one more, which cannot even begin to fetch its payload.
      await stage.k('delete', ...before, '--wait=false');
      await eventually('another instance starts', async () =>
        (await leftIn(stage.namespace, 'first-')).some((name) => name.startsWith('pod/') && !before.includes(name)),
      );
      await ends(
        'a resource, ZooKeeper and HDFS away',
        () => stage.k('delete', 'mdl', 'first', '--wait=false'),
        isGone('first'),
      );
    });
    await ends(
      'its registration, from when they are back',
      async () => {},
      async () => (await below(`${stage.chroot.serviceRoot()}/first`)).length === 0,
    );
    await Promise.all(['second', 'third'].map((name) => stage.serves(name, 1)));
  });

  it('the chart leaves models served and the CRD there, and another release goes on with them', async () => {
    const pods = await stage.pods();
    await ends(
      'the chart, models there',
      () => stage.uninstall(),
      async () => (await stage.kubectl('get', 'pods', '-n', stage.operatorNamespace, '-o', 'name')).trim() === '',
    );
    expect(await stage.registered('second')).toHaveLength(1);
    await ends('a resource, no operator', () => stage.k('delete', 'mdl', 'second', '--wait=false'), isGone('second'));
    await eventually('it is registered no more', async () => (await stage.registered('second')).length === 0);
    await stage.install({ namespaces: [stage.namespace, other] });
    await stage.serves('third', 1);
    expect(await stage.pods()).toEqual(pods.filter(({ name }) => name.startsWith('third')));
  });

  it('the namespace of models ends with all that is in it', async () => {
    await ends(
      'a namespace of models',
      () => stage.kubectl('delete', 'namespace', other, '--wait=false'),
      async () => (await stage.kubectl('get', 'namespace', other, '--ignore-not-found', '-o', 'name')) === '',
    );
    await eventually('it is registered no more', async () => (await stage.registered('elsewhere')).length === 0);
  });

  it('the CRD ends with all models, and once it is back the operator that is there works with it', async () => {
    await ends(
      'the CRD, a model there',
      () => stage.kubectl('delete', 'crd', 'modeldeployments.maas.dev', '--wait=false'),
      async () =>
        (await stage.kubectl('get', 'crd', 'modeldeployments.maas.dev', '--ignore-not-found', '-o', 'name')) === '' &&
        (await leftIn(stage.namespace)).length === 0,
    );
    await stage.kubectl('apply', '--server-side', '-f', join(projectRoot, 'crds'));
    await stage.kubectl('wait', '--for=condition=Established', 'crd/modeldeployments.maas.dev', '--timeout=30s');
    await stage.apply('fourth', manifest('Path'));
    await stage.serves('fourth', 1);
  });

  it('the chart ends while ZooKeeper does not answer; what is left is what belongs to nobody in particular', async () => {
    await ends('a resource, right after the CRD was made', () => stage.k('delete', 'mdl', 'fourth'), isGone('fourth'));
    await eventually('no hold of a resource is left', async () => (await inZooKeeper()).holds.length === 0);
    await whileAway([zookeeper().container], () =>
      ends(
        'the chart, ZooKeeper away',
        () => stage.uninstall(),
        async () => (await stage.kubectl('get', 'pods', '-n', stage.operatorNamespace, '-o', 'name')).trim() === '',
      ),
    );
    await eventually('no session is left', async () => {
      const { registered, agents, operators, holds } = await inZooKeeper();
      return [registered, agents, operators, holds].every((ids) => ids.length === 0);
    });
    console.log(timings.join('\n'));
  });
});
