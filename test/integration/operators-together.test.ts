/** Operators of several releases and clusters on one real ZooKeeper: what each may take away, and what it must leave. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZooKeeper } from '../../src/adapters/zookeeper/zookeeper.ts';
import { encodeMarker } from '../../src/contracts/marker.ts';
import { instanceId, markersPath } from '../../src/contracts/names.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { OperatorPresence } from '../../src/operator/presence.ts';
import { Sweeper } from '../../src/operator/sweeper.ts';
import { Chroot } from './chroot.ts';

const operatorRoot = '/maas/operator';
const serviceRoot = '/maas/service';

let chroot: Chroot;
beforeAll(async () => {
  chroot = await Chroot.make();
});
afterAll(async () => {
  await chroot[Symbol.asyncDispose]();
});

/** A part of the tree for one test. */
async function tree(name: string): Promise<string> {
  await chroot.nodes.create(`${chroot.path}/${name}`);
  return chroot.connect(name);
}

async function session(quorum: string): Promise<ZooKeeper> {
  const zookeeper = new ZooKeeper({ quorum, sessionTimeoutMs: 10_000, clock: systemClock, log: silentLog });
  await zookeeper.connected(10_000);
  return zookeeper;
}

/** An operator whose API server knows none of the pods that others have. */
async function operator(quorum: string, self: { clusterId: string; namespace: string; namespaces: string[] }) {
  const zookeeper = await session(quorum);
  const presence = new OperatorPresence({
    zookeeper,
    operatorRoot,
    sessionTimeoutMs: 10_000,
    self: { ...self, identity: `${self.namespace}_${randomUUID()}` },
    clock: systemClock,
    tell: () => {},
    log: silentLog,
  });
  const sweeper = new Sweeper({
    zookeeper,
    operatorRoot,
    clusterId: self.clusterId,
    serviceRoot: () => serviceRoot,
    mode: () => 'active',
    may: (namespace) => presence.maySweep(namespace),
    pods: { get: () => undefined, byUid: () => undefined, list: () => [], indexed: () => [] },
    cluster: { podExists: async () => false },
    metrics: { swept: () => {} },
    log: silentLog,
  });
  return {
    zookeeper,
    presence,
    sweep: async () => {
      await presence.look();
      await sweeper.sweep(new AbortController().signal);
    },
  };
}

/** Registers as an agent does; gives the path of the registration. */
async function instance(zookeeper: ZooKeeper, clusterId: string, namespace: string, model: string): Promise<string> {
  const id = instanceId(`${model}-1`, randomUUID());
  const markers = markersPath(operatorRoot, clusterId);
  const directory = `${serviceRoot}/${model}`;
  await Promise.all([zookeeper.ensurePath(directory), zookeeper.ensurePath(markers)]);
  await zookeeper.create(`${directory}/${id}`, Buffer.from('{}'), { ephemeral: true });
  const marker = encodeMarker({ namespace, pod: `${model}-1`, model });
  await zookeeper.create(`${markers}/${id}`, marker, { ephemeral: true });
  return `${directory}/${id}`;
}

describe('operators on one ZooKeeper', () => {
  it('of two releases take away what is theirs, and leave what is of the other', async () => {
    const quorum = await tree('releases');
    const one = await operator(quorum, { clusterId: 'c1', namespace: 'maas-one', namespaces: ['fraud'] });
    const two = await operator(quorum, { clusterId: 'c1', namespace: 'maas-two', namespaces: ['ads'] });
    const agents = await session(quorum);
    try {
      await two.presence.look();
      const mine = await instance(agents, 'c1', 'fraud', 'dga');
      const others = await instance(agents, 'c1', 'ads', 'echo');
      await one.sweep();
      expect([await agents.exists(mine), await agents.exists(others)]).toEqual([undefined, expect.anything()]);
    } finally {
      await Promise.all([one.zookeeper, two.zookeeper, agents].map((each) => each.close()));
    }
  });

  it('of a cluster and its copy leave everything, until one of them has another id or is gone', async () => {
    const quorum = await tree('copy');
    const self = { clusterId: 'c1', namespace: 'maas-system', namespaces: [] };
    const original = await operator(quorum, self);
    const copy = await operator(quorum, self);
    const agents = await session(quorum);
    try {
      await copy.presence.look();
      const alive = await instance(agents, 'c1', 'fraud', 'dga');
      await original.sweep();
      expect(await agents.exists(alive)).toBeDefined();
      expect(original.presence.maySweepStore()).toBe(false);
      // Its session ends, and its node with it: what is left has nobody.
      await copy.zookeeper.close();
      await original.sweep();
      expect(await agents.exists(alive)).toBeUndefined();
    } finally {
      await Promise.all([original.zookeeper, copy.zookeeper, agents].map((each) => each.close()));
    }
  });

  it('of clusters with ids of their own keep apart, though all else is the same', async () => {
    const quorum = await tree('clusters');
    const self = { namespace: 'maas-system', namespaces: ['fraud'] };
    const one = await operator(quorum, { ...self, clusterId: 'c1' });
    const two = await operator(quorum, { ...self, clusterId: 'c2' });
    const agents = await session(quorum);
    try {
      await two.presence.look();
      const mine = await instance(agents, 'c1', 'fraud', 'dga');
      const others = await instance(agents, 'c2', 'fraud', 'dga');
      await one.sweep();
      expect([await agents.exists(mine), await agents.exists(others)]).toEqual([undefined, expect.anything()]);
    } finally {
      await Promise.all([one.zookeeper, two.zookeeper, agents].map((each) => each.close()));
    }
  });
});
