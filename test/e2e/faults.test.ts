/** What nothing may be lost by: an outage of ZooKeeper, a new operator, a killed leader, wiped or forgotten registrations. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeMarker } from '../../src/contracts/marker.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { encodeRegistration } from '../../src/wire/service-instance.ts';
import { applyModel, Followers, Nodes } from '../integration/java.ts';
import { present, zookeeper } from '../integration/world.ts';
import { killInPod, whileStopped } from './docker.ts';
import { pythonModel } from './payloads.ts';
import { eventually, Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('faults');
  await stage.payload('steady', pythonModel('1.0'));
  await stage.apply('steady', { instances: 2 });
  await stage.serves('steady', 2);
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const calls = () => applyModel(stage.chroot.connect(), { model: 'steady', args: { a: 'b' } });

/** Whatever was replaced just before: what is registered is what is ready, and the status may lag behind. */
async function bothStand(): Promise<boolean> {
  const [pods, ids] = [await stage.pods(), await stage.registered('steady')];
  const stand = (pod: (typeof pods)[number]) => pod.ready && ids.includes(`${pod.name}-${pod.uid}`);
  return pods.length === 2 && ids.length === 2 && pods.every(stand);
}

describe('a model that serves', () => {
  it('stays ready while ZooKeeper is away for a minute, and is registered as before when it is back', async () => {
    const pods = await stage.pods();
    const before = await stage.registered('steady');
    const unready: string[] = [];
    await whileStopped(zookeeper().container, async () => {
      const end = performance.now() + 60_000;
      while (performance.now() < end) {
        unready.push(...(await stage.pods()).filter((pod) => !pod.ready).map((pod) => pod.name));
        await systemClock.sleep(1_000);
      }
      expect(await stage.reason('steady')).toBe('ZookeeperUnreachable');
    });
    expect(unready).toEqual([]);
    await stage.serves('steady', 2, 30_000);
    await using nodes = await Nodes.connect(stage.chroot.connect());
    expect(await nodes.children('/maas/service/steady')).toEqual(before);
    expect(await stage.pods()).toEqual(pods);
  }, 180_000);

  it('is back within five seconds when somebody wipes the service root', async () => {
    const ids = await stage.registered('steady');
    await using followers = await Followers.start(stage.chroot.connect());
    for (const id of ids) await stage.chroot.nodes.delete(`${stage.chroot.serviceRoot()}/steady/${id}`);
    const wiped = Date.now();
    await eventually('both are back', async () => (await stage.registered('steady')).length === 2, {
      withinMs: 10_000,
    });
    expect(Date.now() - wiped).toBeLessThan(5_000);
    await eventually('the client sees both', async () => (await followers.knows(stage.chroot.connect())).length === 2);
  });

  it('is not touched by a new operator with another agent', async () => {
    const pods = await stage.pods();
    const images = present('images');
    await stage.install({
      agent: { resources: { requests: { cpu: '25m', memory: '72Mi' }, limits: { memory: '160Mi' } } },
    });
    expect(images.operator).not.toBeNull();
    // A change of another resource proves that the new operator works with its new settings.
    await stage.payload('after', pythonModel('1.0'));
    await stage.apply('after', {});
    await stage.serves('after', 1);
    const agentOf = async (name: string) => {
      const pod = (await stage.pods()).find((candidate) => candidate.name.startsWith(`${name}-`));
      return stage.k('get', 'pod', pod?.name ?? '', '-o', 'jsonpath={.spec.initContainers[0].resources.limits.memory}');
    };
    expect(await agentOf('after')).toBe('160Mi');
    expect(await agentOf('steady')).toBe('128Mi');
    expect((await stage.pods()).filter((pod) => pod.name.startsWith('steady-'))).toEqual(pods);
    await stage.k('delete', 'mdl', 'after');
  });

  it('is served on while the operator is away, which then goes on where it was', async () => {
    const pods = await stage.pods();
    await stage.kubectl('scale', 'deployment', '--all', '--replicas=0', '-n', stage.operatorNamespace);
    await eventually(
      'the operator is gone',
      async () => (await stage.kubectl('get', 'pods', '-n', stage.operatorNamespace, '-o', 'name')).trim() === '',
    );
    expect(await calls()).toMatchObject({ answer: { version: '1.0' } });
    await stage.k('scale', 'mdl', 'steady', '--replicas=3');
    await stage.kubectl('scale', 'deployment', '--all', '--replicas=1', '-n', stage.operatorNamespace);
    await stage.serves('steady', 3);
    await stage.k('scale', 'mdl', 'steady', '--replicas=2');
    await stage.serves('steady', 2);
    const kept = (await stage.pods()).filter((pod) => pods.some((before) => before.uid === pod.uid));
    expect(kept.every((pod) => pod.restarts === 0)).toBe(true);
  });

  it('is repaired when somebody changes its Deployment', async () => {
    const name =
      (await stage.k('get', 'deployment', '-o', 'name')).split('\n').find((line) => line.includes('/steady-')) ?? '';
    await stage.k('scale', name, '--replicas=0');
    await eventually(
      'the replicas are put back',
      async () => (await stage.k('get', name, '-o', 'jsonpath={.spec.replicas}')) === '2',
    );
    await eventually('its pods and their registrations are two, and belong together', bothStand);
  });

  it('survives the death of an agent: the session is resumed, the registration stays', async () => {
    await eventually('there are two to choose from', bothStand);
    const [pod] = await stage.pods();
    const mine = () => stage.registered('steady').then((ids) => ids.filter((id) => id.includes(pod?.uid ?? '?')));
    const [id] = await mine();
    const owner = (await stage.chroot.nodes.get(`${stage.chroot.serviceRoot()}/steady/${id}`))?.owner;
    const restarts = async () =>
      Number(
        await stage.k('get', 'pod', pod?.name ?? '', '-o', 'jsonpath={.status.initContainerStatuses[0].restartCount}'),
      );
    const before = await restarts();
    await killInPod(pod?.uid ?? '', 'agent.cjs');
    await eventually('the agent was started again', async () => (await restarts()) > before);
    await stage.serves('steady', 2);
    const after = await stage.chroot.nodes.get(`${stage.chroot.serviceRoot()}/steady/${id}`);
    expect(after?.owner).toBe(owner);
  });
});

describe('a registration whose pod does not exist', () => {
  const uid = '12345678-1234-4123-8123-123456789abc';
  const id = `ghost-1-${uid}`;

  it('is swept where it is provably ours, and left alone where it is not', async () => {
    const clusterId = (await stage.kubectl('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}')).trim();
    const bytes = (node: string) =>
      encodeRegistration({
        model: 'steady',
        version: '1.0',
        id: node,
        url: 'http://10.0.0.1:1',
        functions: { apply: 'apply' },
        registeredAt: Date.now(),
      });
    const root = stage.chroot.serviceRoot();
    const markers = `${stage.chroot.path}/maas/operator/${clusterId}/instances`;
    const foreign = '2';
    await stage.chroot.nodes.create(`${root}/steady/${foreign}`, bytes(foreign));
    await using ghost = await Nodes.connect(zookeeper().quorum);
    await ghost.create(`${root}/steady/${id}`, bytes(id), 'ephemeral');
    await ghost.create(
      `${markers}/${id}`,
      encodeMarker({ namespace: stage.namespace, pod: 'ghost-1', model: 'steady' }),
      'ephemeral',
    );
    await eventually('the ghost is gone', async () => !(await stage.registered('steady')).includes(id), {
      withinMs: 30_000,
    });
    expect((await ghost.get(`${markers}/${id}`))?.data.toString()).toBe('revoked');
    expect(await stage.registered('steady')).toContain(foreign);
    await stage.chroot.nodes.delete(`${root}/steady/${foreign}`);
  });
});
