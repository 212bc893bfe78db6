/** What the planner makes of queues and node labels, before the real API server and its scheduler. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labels, versionKey } from '../../src/contracts/names.ts';
import { schedulingSettings } from '../../src/contracts/settings.ts';
import { deploymentManifest } from '../../src/plan/children.ts';
import { affinityOf } from '../../src/plan/placement.ts';
import { aPin, aResource, someSettings } from '../builders/model-deployment.ts';
import { Chroot } from './chroot.ts';
import { CliWorld, until } from './cli-process.ts';
import { realHdfsSettings } from './hdfs-settings.ts';
import { openRealHdfs, ownDirectory } from './hdfs-world.ts';
import { OperatorProcess } from './operator-process.ts';

let world: CliWorld;
beforeAll(async () => {
  world = await CliWorld.open();
});
afterAll(async () => {
  await world.close();
});

const apply = (object: unknown, ...more: string[]) =>
  world.kubectlWith({ input: JSON.stringify(object) }, 'apply', '-n', world.namespace, '-f', '-', ...more);

function model(name: string, spec: Record<string, unknown>): object {
  return {
    apiVersion: 'maas.dev/v1',
    kind: 'ModelDeployment',
    metadata: { name, namespace: world.namespace },
    spec: { name, version: '1', memory: '64Mi', payload: { path: '/no/such' }, ...spec },
  };
}

describe('the API server', () => {
  it('takes what is made of a queue and of node labels', async () => {
    const scheduling = {
      queue: 'analytics',
      nodeLabelExpression: '(gpu || fpga) && !spot',
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
    };
    const resource = aResource({ spec: { scheduling }, metadata: { namespace: world.namespace } });
    await apply(deploymentManifest(resource, aPin, someSettings), '--dry-run=server');
  });

  it('refuses a queue that no label can hold', async () => {
    await expect(apply(model('queue', { scheduling: { queue: 'a b' } }))).rejects.toThrow(/spec.scheduling.queue/);
  });
});

describe('the scheduler', () => {
  it('obeys a node label expression', async () => {
    const label = `t${world.namespace.replace('cli-', '')}`;
    const prefix = schedulingSettings.parse({}).nodeLabelPrefix;
    const node = (await world.kubectl('get', 'nodes', '-o', 'name')).split('\n')[0] ?? '';
    const pod = (name: string, nodeLabelExpression: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: {
        affinity: affinityOf({ nodeLabelExpression }, schedulingSettings.parse({})),
        containers: [{ name: 'c', image: 'no-such-image:1', imagePullPolicy: 'Never' }],
      },
    });
    const scheduled = (name: string, status: string) =>
      until(`${name} is ${status}`, async () => {
        const path = '{.status.conditions[?(@.type=="PodScheduled")].status}';
        return (await world.kubectl('get', 'pod', name, '-n', world.namespace, '-o', `jsonpath=${path}`)) === status;
      });
    await apply(pod('lacks', `!${label}`));
    await apply(pod('has', `${label} || ${label} && other`));
    await scheduled('lacks', 'True');
    await scheduled('has', 'False');
    try {
      await world.kubectl('label', node, `${prefix}${label}=`);
      await scheduled('has', 'True');
      await apply(pod('lacks-now', `!${label}`));
      await scheduled('lacks-now', 'False');
    } finally {
      await world.kubectl('label', node, `${prefix}${label}-`);
    }
  });
});

describe('the operator', () => {
  let operator: OperatorProcess;
  let chroot: Chroot;
  const hdfs = openRealHdfs();
  let own: Awaited<ReturnType<typeof ownDirectory>>;
  beforeAll(async () => {
    chroot = await Chroot.make();
    own = await ownDirectory(hdfs);
    await hdfs.write(
      `${own.path}/run.sh`,
      async function* () {
        yield Buffer.from('true');
      },
      { length: 4 },
    );
    operator = new OperatorProcess({
      namespace: world.namespace,
      settings: {
        zookeeper: { quorum: chroot.connect() },
        hdfs: realHdfsSettings(),
        namespaces: [world.namespace],
        clusterId: world.namespace,
        agent: { image: 'none:1' },
        model: { image: 'none:1' },
      },
    });
  });
  afterAll(async () => {
    await operator.stop();
    await own[Symbol.asyncDispose]();
    await chroot[Symbol.asyncDispose]();
  });

  const condition = async (name: string, type = 'Ready'): Promise<string> => {
    const path = `jsonpath={.status.conditions[?(@.type=="${type}")]}`;
    return await world.kubectl('get', 'mdl', name, '-n', world.namespace, '-o', path);
  };

  it('says what is wrong with an expression', async () => {
    await apply(model('expression', { scheduling: { nodeLabelExpression: 'gpu && *' } }));
    await until('it is told', async () => (await condition('expression')).includes('SpecInvalid'));
    expect(await condition('expression')).toContain('cannot be used as a node label expression: * stands for all');
  });

  it('waits for the capacity of a quota or a queue, and goes on when there is some', async () => {
    const quota = (memory: string) => ({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'queue' },
      spec: { hard: { 'requests.memory': memory } },
    });
    await apply(quota('100Mi'));
    await apply(model('waiting', { memory: '200Mi', payload: { path: own.path } }));
    await until('it waits', async () => (await condition('waiting')).includes('"WaitingForQueueCapacity"'));
    expect(await condition('waiting')).toMatch(
      /waiting for queue capacity, 0 of 1 registered: .*exceeded quota: queue/,
    );
    expect(await condition('waiting', 'Stalled')).toContain('"status":"False"');
    await apply(quota('1Gi'));
    // The pod is there now, and fails at the next thing: its image.
    await until('it goes on', async () => (await condition('waiting')).includes('"ImagePullFailed"'), 90_000);

    // A pod that its queue has not admitted yet is the same, said of the instance.
    const gated = { schedulingGates: [{ name: 'kueue.x-k8s.io/admission' }] };
    const uid = await world.kubectl('get', 'mdl', 'waiting', '-n', world.namespace, '-o', 'jsonpath={.metadata.uid}');
    const version = { [labels.version]: versionKey('1', { path: own.path }), [labels.owner]: uid };
    const containers = [{ name: 'model', image: 'none:1', resources: { requests: { memory: '1Mi' } } }];
    await world.kubectl('scale', 'mdl', 'waiting', '-n', world.namespace, '--replicas=0');
    await until('none is wanted', async () => (await condition('waiting')).includes('"ScaledToZero"'));
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'gated', labels: version },
      spec: { ...gated, containers },
    };
    await apply(pod);
    const states = async () =>
      await world.kubectl('get', 'mdl', 'waiting', '-n', world.namespace, '-o', 'jsonpath={.status.endpoints}');
    await until('the gate is seen', async () => (await states()).includes('WaitingForQueueCapacity'));
  });
});
