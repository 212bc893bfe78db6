import { describe, expect, it } from 'vitest';
import { FakeZooKeeper } from '../../test/builders/fake-zookeeper.ts';
import { HastyClock } from '../../test/builders/manual-clock.ts';
import type { Concern } from '../contracts/concern.ts';
import { silentLog } from '../kernel/log.ts';
import { OperatorPresence } from './presence.ts';

function operator(
  zookeeper: FakeZooKeeper,
  self: { clusterId?: string; namespace?: string; identity: string; namespaces?: readonly string[] },
) {
  const clock = new HastyClock();
  let told: readonly Concern[] = [];
  let yields: boolean | undefined;
  const presence = new OperatorPresence({
    zookeeper,
    operatorRoot: '/maas/operator',
    sessionTimeoutMs: 10_000,
    self: {
      clusterId: self.clusterId ?? 'c1',
      namespace: self.namespace ?? 'maas-system',
      identity: self.identity,
      namespaces: [...(self.namespaces ?? [])],
    },
    clock,
    tell: (concerns, yieldsModes) => {
      told = concerns;
      yields = yieldsModes;
    },
    log: silentLog,
  });
  return {
    presence,
    yields: () => yields,
    reasons: () => told.map(({ reason }) => reason),
    pass: clock.pass,
  };
}

describe('OperatorPresence', () => {
  it('sweeps nothing before it knows who else there is, and not from an old answer', async () => {
    const zookeeper = new FakeZooKeeper();
    const { presence, pass, yields } = operator(zookeeper, { identity: 'a' });
    expect([presence.maySweep('x'), presence.maySweepStore(), yields()]).toEqual([false, false, undefined]);
    await presence.look();
    expect(yields()).toBe(false);
    expect([presence.maySweep('x'), presence.maySweepStore()]).toEqual([true, true]);
    zookeeper.become('suspended');
    expect(presence.maySweep('x')).toBe(false);
    zookeeper.become('connected');
    pass(20_000);
    expect([presence.maySweep('x'), presence.maySweepStore()]).toEqual([false, false]);
  });

  it('says that it is there in a node that goes with its session, and again when that was lost', async () => {
    const zookeeper = new FakeZooKeeper();
    const { presence } = operator(zookeeper, { identity: 'a', namespaces: ['fraud'] });
    const path = '/maas/operator/c1/operators/a';
    await presence.look();
    const node = zookeeper.nodes.get(path);
    expect(node?.ephemeralOwner).toBe('mine');
    expect(JSON.parse(Buffer.from(node?.data ?? []).toString())).toEqual({
      namespace: 'maas-system',
      identity: 'a',
      namespaces: ['fraud'],
    });
    zookeeper.drop(path);
    await presence.look();
    expect(zookeeper.nodes.has(path)).toBe(true);
  });

  it('tells two releases of each other, and each goes on in what is its own', async () => {
    const zookeeper = new FakeZooKeeper();
    const one = operator(zookeeper, { identity: 'a', namespaces: ['fraud', 'both'] });
    const two = operator(zookeeper, { identity: 'b', namespace: 'maas-two', namespaces: ['ads', 'both'] });
    await one.presence.look();
    await two.presence.look();
    await one.presence.look();
    expect([one.reasons(), two.reasons()]).toEqual([
      ['NamespacesOverlap', 'ModesShared'],
      ['NamespacesOverlap', 'ModesShared'],
    ]);
    const mine = (who: typeof one) => ['fraud', 'ads', 'both'].filter((name) => who.presence.maySweep(name));
    expect([mine(one), mine(two)]).toEqual([['fraud'], ['ads']]);

    zookeeper.drop('/maas/operator/c1/operators/b');
    await one.presence.look();
    expect([one.reasons(), mine(one)]).toEqual([[], ['fraud', 'both']]);
  });

  it('takes nothing away while a copy of the cluster may be there, and says so when it is not just the last leader', async () => {
    const zookeeper = new FakeZooKeeper();
    const one = operator(zookeeper, { identity: 'a' });
    const copy = operator(zookeeper, { identity: 'b' });
    await copy.presence.look();
    await one.presence.look();
    expect([one.reasons(), one.presence.maySweep('x'), one.presence.maySweepStore()]).toEqual([[], false, false]);
    one.pass(10_000);
    await one.presence.look();
    expect(one.reasons()).toEqual([]);
    one.pass(20_000);
    await one.presence.look();
    expect([one.reasons(), one.presence.maySweepStore()]).toEqual([['ClusterIdTaken'], false]);
  });

  it('is not concerned about a cluster with another id, nor about nodes that say nothing', async () => {
    const zookeeper = new FakeZooKeeper();
    const one = operator(zookeeper, { identity: 'a' });
    const other = operator(zookeeper, { identity: 'b', clusterId: 'c2' });
    zookeeper.put('/maas/operator/c1/operators/stray', 'nonsense', 's');
    zookeeper.put('/maas/operator/c1/operators/left', '{"namespace":"x","identity":"left","namespaces":[]}');
    await other.presence.look();
    await one.presence.look();
    expect([one.reasons(), one.presence.maySweep('x'), one.presence.maySweepStore()]).toEqual([[], true, true]);
  });
});
