/**
 * Whose is a namespace? One that nobody serves, one that has lost the chart's Role, and two releases on one ZooKeeper.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { ZooKeeper } from '../../src/adapters/zookeeper/zookeeper.ts';
import { concernsAnnotation, decodeConcerns } from '../../src/contracts/concern.ts';
import { encodeMarker } from '../../src/contracts/marker.ts';
import { instanceId, markersPath } from '../../src/contracts/names.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { ended, type Ran } from '../integration/cli-process.ts';
import { present } from '../integration/world.ts';
import { cleanUp } from './clean-up.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

let stage: Stage;
/** Served too, by a Role that can be lost. */
let other: string;
/** Served by the second release. */
let second: string;
let unserved: string;
beforeAll(async () => {
  stage = await Stage.open('served');
  [other, second, unserved] = ['other', 'second', 'unserved'].map((name) => `${stage.namespace}-${name}`) as [
    string,
    string,
    string,
  ];
  for (const namespace of [other, second, unserved]) await stage.makeNamespace(namespace);
  await stage.install({ namespaces: [stage.namespace, other] });
  await stage.payload('model', pythonModel('1.0'));
});
afterAll(async () => {
  await cleanUp(
    () => stage?.kubectl('delete', 'namespace', other, second, unserved, '--ignore-not-found', '--wait=false'),
    () => stage?.[Symbol.asyncDispose](),
  );
});

function maas(...args: string[]): Promise<Ran> {
  const program = join(projectRoot, 'src/bin/kubectl-maas.ts');
  const named = [...args, '--operator-namespace', stage.operatorNamespace];
  return ended(
    spawn(process.execPath, [program, ...named], {
      env: { ...process.env, KUBECONFIG: present('cluster').kubeconfig, NO_COLOR: '1' },
    }),
  );
}

async function applyIn(namespace: string, name: string): Promise<void> {
  const spec = {
    name,
    version: '1.0',
    memory: '96Mi',
    cpu: '20m',
    payload: { path: `${stage.payloads}/model` },
  };
  const manifest = { apiVersion: 'maas.dev/v1', kind: 'ModelDeployment', metadata: { name, namespace }, spec };
  await stage.kubectlIn(JSON.stringify(manifest), 'apply', '-f', '-');
}

const reason = (namespace: string, name: string) =>
  stage.kubectl('get', 'mdl', name, '-n', namespace, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].reason}');
const is = (namespace: string, name: string, wanted: string, withinMs = 60_000) =>
  eventually(`${name} in ${namespace} is ${wanted}`, async () => (await reason(namespace, name)) === wanted, {
    withinMs,
    account: () => reason(namespace, name),
  });

/** What the leader of a release says of itself. */
async function concernsOf(operatorNamespace: string): Promise<string[]> {
  const lease = await stage.kubectl('get', 'lease', 'maas-operator', '-n', operatorNamespace, '-o', 'json');
  const { metadata } = JSON.parse(lease) as { metadata: { annotations?: Record<string, string> } };
  return decodeConcerns(metadata.annotations?.[concernsAnnotation]).map((each) => `${each.reason} ${each.subject}`);
}
const told = (about: string) =>
  stage.kubectl(
    'get',
    'events',
    '-n',
    stage.operatorNamespace,
    '--field-selector',
    `involvedObject.kind=Lease,type=Warning,reason=${about}`,
    '-o',
    'jsonpath={.items[*].message}',
  );

describe('a namespace that nobody serves', () => {
  it('is no blank: kubectl says that nobody has looked, and the command that nobody will', async () => {
    await applyIn(unserved, 'lonely');
    const table = await stage.kubectl('get', 'mdl', '-n', unserved, '-o', 'wide');
    expect(table).toMatch(/lonely.*NotSeen.*no operator has looked at it yet/);

    const listed = await maas('list', '-n', unserved);
    expect(listed.out).toMatch(/lonely.*NotServed/);
    expect(listed.err).toContain(`does not serve namespace ${unserved}`);

    const added = await maas(
      ...[
        'add',
        '--name',
        'more',
        '--version',
        '1',
        '--memory',
        '96',
        '--hdfs-model-path',
        'x',
        '-n',
        unserved,
        '--wait',
      ],
    );
    expect(added.code).toBe(3);
    expect(added.err).toContain('NAMESPACE_NOT_SERVED');
    expect(await stage.kubectl('get', 'mdl', '-n', unserved, '-o', 'name')).not.toContain('more');
  });
});

describe('two releases with one cluster id on one ZooKeeper', () => {
  it('know of each other, and sweep what is their own in spite of what is not', async () => {
    const beside = await stage.installBeside('two', { namespaces: [second] });
    await applyIn(second, 'neighbour');
    await is(second, 'neighbour', 'Serving', 90_000);
    for (const namespace of [stage.operatorNamespace, beside.operatorNamespace]) {
      await eventually('it is said who else there is', async () => {
        return (await concernsOf(namespace)).some((concern) => concern.startsWith('ModesShared'));
      });
    }
    expect(await told('ModesShared')).toContain(beside.operatorNamespace);

    // An agent without a pod in a namespace of the first release, and a live one of the second, whose pods the first
    // may not even ask about.
    const clusterId = await stage.kubectl('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}');
    const zookeeper = new ZooKeeper({
      quorum: stage.chroot.connect(),
      sessionTimeoutMs: 10_000,
      clock: systemClock,
      log: silentLog,
    });
    try {
      await zookeeper.connected(10_000);
      const uid = randomUUID();
      const id = instanceId('zombie-1', uid);
      const markers = markersPath('/maas/operator', clusterId);
      const directory = `${stage.chroot.serviceRoot().slice(stage.chroot.path.length)}/zombie`;
      await zookeeper.ensurePath(directory);
      await zookeeper.ensurePath(markers);
      await zookeeper.create(`${directory}/${id}`, Buffer.from('{}'), { ephemeral: true });
      await zookeeper.create(
        `${markers}/${id}`,
        encodeMarker({ namespace: stage.namespace, pod: 'zombie-1', model: 'zombie' }),
        { ephemeral: true },
      );
      await eventually(
        'the registration without a pod is gone',
        async () => ((await zookeeper.children(directory)) ?? []).length === 0,
        { withinMs: 30_000 },
      );
      expect(await stage.registered('neighbour')).toHaveLength(1);
    } finally {
      await zookeeper.close();
    }
    expect(await reason(second, 'neighbour')).toBe('Serving');
  });
});

describe('a served namespace that was deleted and made anew', () => {
  it('is told of, keeps nobody else from work, and is served again when its Role is back', async () => {
    await stage.kubectl('delete', 'namespace', other, '--timeout=60s');
    await stage.makeNamespace(other);
    await applyIn(other, 'forsaken');
    await eventually(
      'the lost Role is told of',
      async () => (await concernsOf(stage.operatorNamespace)).includes(`NamespaceRefused namespace ${other}`),
      { withinMs: 90_000 },
    );
    expect(await told('NamespaceRefused')).toContain('helm upgrade');
    expect((await maas('list', '-n', other)).err).toContain(`may not look after the models of namespace ${other}`);

    // Also an operator that begins anew works where it may.
    await stage.kubectl('rollout', 'restart', 'deployment', '-n', stage.operatorNamespace);
    await stage.kubectl('rollout', 'status', 'deployment', '-n', stage.operatorNamespace, '--timeout=90s');
    await applyIn(stage.namespace, 'favoured');
    await is(stage.namespace, 'favoured', 'Serving', 90_000);
    await eventually('the new leader tells of it too', async () =>
      (await concernsOf(stage.operatorNamespace)).includes(`NamespaceRefused namespace ${other}`),
    );

    const pods = () => stage.kubectl('get', 'pods', '-n', stage.operatorNamespace, '-o', 'name');
    const before = await pods();
    await stage.install({ namespaces: [stage.namespace, other] });
    await is(other, 'forsaken', 'Serving', 90_000);
    expect(await pods()).toBe(before);
    await eventually('it is over', async () => !(await concernsOf(stage.operatorNamespace)).join().includes(other));
  });
});
