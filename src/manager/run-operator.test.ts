import { afterEach, describe, expect, it, vi } from 'vitest';
import { failure } from '../../test/builders/failure.ts';
import { settle } from '../../test/builders/manual-clock.ts';
import { aResource, someSettings } from '../../test/builders/model-deployment.ts';
import { FakeOperatorWorld } from '../../test/builders/operator-world.ts';
import { concernsAnnotation, decodeConcerns } from '../contracts/concern.ts';
import { MaasError } from '../contracts/errors.ts';
import { decodePublishedModes, modesPath, printModes } from '../contracts/modes.ts';

const worlds: FakeOperatorWorld[] = [];

/** An operator whose life has begun. */
function anOperator(...given: ConstructorParameters<typeof FakeOperatorWorld>): FakeOperatorWorld {
  const world = new FakeOperatorWorld(...given).start();
  worlds.push(world);
  return world;
}

/** One that leads, and knows of one model. */
async function aLeader(): Promise<FakeOperatorWorld> {
  const world = anOperator();
  await settle();
  world.put(aResource());
  world.freeLease();
  world.sync();
  await vi.waitFor(() => expect(world.leadership.holds()).toBe(true));
  return world;
}

const kinds = ({ objects }: FakeOperatorWorld) => [...objects.values()].map(({ kind }) => kind);
const watchesEnded = (world: FakeOperatorWorld) => world.ended.filter((what) => what.startsWith('watch of')).length;

afterEach(async () => {
  for (const world of worlds.splice(0)) {
    world.beforeWrite = async () => {};
    world.stop();
    await world.done.catch(() => {});
  }
});

describe('an operator that leads', () => {
  it('plans what it heard of before it led', async () => {
    const world = await aLeader();
    await vi.waitFor(() => expect(kinds(world)).toEqual(['ConfigMap', 'Deployment']));
    expect(world.statuses.length).toBeGreaterThan(0);
  });

  it.each(['resources', 'deployments', 'pins', 'budgets', 'pods', 'modes'] as const)(
    'plans nothing before the watch of %s is in step as well',
    async (last) => {
      const world = anOperator();
      await settle();
      world.put(aResource());
      world.freeLease();
      world.sync(
        ...(['resources', 'deployments', 'pins', 'budgets', 'pods', 'modes'] as const).filter((n) => n !== last),
      );
      await vi.waitFor(() => expect(world.leadership.holds()).toBe(true));
      await world.clock.advance(60_000);
      expect([world.writes, world.health?.unready() === undefined]).toEqual([0, false]);
      world.sync(last);
      await vi.waitFor(() => expect(world.writes).toBeGreaterThan(0));
      expect(world.health?.unready()).toBeUndefined();
    },
  );

  it('plans what it hears of later, and forgets what is gone', async () => {
    const world = await aLeader();
    await vi.waitFor(() => expect(kinds(world)).toHaveLength(2));
    const other = aResource({ metadata: { name: 'echo', uid: 'u2' }, spec: { name: 'echo' } });
    world.put(other);
    // Its payload is that of the other one, which was looked at just now.
    await world.clock.advance(1_000);
    await vi.waitFor(() => expect(kinds(world)).toHaveLength(4));
    world.remove(other);
    await settle();
    const before = world.writes;
    world.news?.child({ type: 'deleted', object: { ownerUid: 'u2', namespace: 'fraud', view: {} } });
    await settle();
    expect(world.writes).toBe(before);
  });

  it('publishes the modes, as they were written and where nobody wrote any', async () => {
    const world = await aLeader();
    const published = () => {
      const node = world.zookeeper.nodes.get(modesPath(someSettings.zookeeper.operatorRoot, 'c1'));
      return node === undefined ? undefined : decodePublishedModes(node.data)?.agents.default;
    };
    await vi.waitFor(() => expect(published()).toBe('active'));
    world.configureModes(printModes({ default: 'shadow', models: new Map() }));
    await vi.waitFor(() => expect(published()).toBe('shadow'));
  });

  it('tells of what concerns it: on its Lease, and in events about it', async () => {
    const world = anOperator({ namespaces: ['fraud', 'ads'] });
    await settle();
    world.sync();
    world.news?.access('pods', 'ads', new MaasError('CLUSTER_FORBIDDEN', 'list pods: no'));
    // Who does not lead tells nobody but its own log.
    expect(world.events).toEqual([]);
    world.freeLease();
    await vi.waitFor(() => expect(world.events).toHaveLength(1));
    expect(world.events[0]).toMatchObject({
      about: { kind: 'Lease', uid: 'lease-uid' },
      event: { type: 'Warning', reason: 'NamespaceRefused' },
    });
    const onLease = () => decodeConcerns(world.annotations()[concernsAnnotation]).map(({ subject }) => subject);
    expect(onLease()).toEqual(['namespace ads']);
    world.news?.access('pods', 'ads', undefined);
    expect([onLease(), world.events.at(-1)?.event.type]).toEqual([[], 'Normal']);
  });

  it('tells of modes that cannot be read, about their ConfigMap, but not before it leads', async () => {
    const world = anOperator();
    await settle();
    world.configureModes('{');
    world.sync();
    expect(world.events).toEqual([]);
    world.freeLease();
    await vi.waitFor(() => expect(world.events).toHaveLength(1));
    expect(world.events[0]).toMatchObject({
      about: { kind: 'ConfigMap', uid: 'm1' },
      event: { reason: 'ModesInvalid' },
    });
  });

  it('works in a namespace again as soon as it may', async () => {
    const world = anOperator({ namespaces: ['fraud'] });
    await settle();
    world.put(aResource());
    world.news?.access('pods', 'fraud', new MaasError('CLUSTER_FORBIDDEN', 'list pods: no'));
    world.freeLease();
    world.sync('resources', 'deployments', 'pins', 'budgets', 'modes');
    await world.clock.advance(60_000);
    expect(world.writes).toBe(0);
    world.sync('pods');
    await vi.waitFor(() => expect(world.writes).toBeGreaterThan(0));
  });

  it('shows in its metrics that it leads, and how its models do', async () => {
    const world = anOperator();
    await settle();
    world.put(aResource({}, { registered: 1, conditions: [] }));
    expect([world.gauges?.leader(), world.gauges?.queue().depth]).toEqual([false, 1]);
    expect(world.gauges?.models()).toEqual([
      {
        namespace: 'fraud',
        name: 'dga',
        model: 'dga',
        version: aResource().spec.version,
        ready: 'Unknown',
        reason: 'NotSeen',
        instances: { desired: aResource().spec.instances, ready: 0, registered: 1 },
      },
    ]);
    world.freeLease();
    world.sync();
    await vi.waitFor(() => expect([world.gauges?.leader(), world.gauges?.queue().depth]).toEqual([true, 0]));
    expect(world.gauges?.requestsHeld()).toBeUndefined();
  });
});

describe('an operator that does not lead', () => {
  it('follows, is in service, and plans nothing', async () => {
    const world = anOperator();
    await settle();
    world.put(aResource());
    world.sync();
    await world.clock.advance(60_000);
    expect([world.writes, world.health?.unready(), world.health?.dead()]).toEqual([0, undefined, undefined]);
    expect(world.zookeeper.nodes.size).toBe(0);
  });

  it('ends when it is told to, with nothing left open', async () => {
    const world = anOperator();
    await settle();
    world.stop();
    await world.done;
    expect(world.ended).toContain('http');
    expect([watchesEnded(world), world.zookeeper.watches]).toEqual([6, 0]);
    expect(world.ended).not.toContain('lease');
  });
});

describe('the end', () => {
  it('comes in order: no more decisions, then the Lease is given back, then the rest is put away', async () => {
    const world = anOperator();
    const writing = Promise.withResolvers<void>();
    let begun = false;
    world.beforeWrite = () => {
      begun = true;
      return writing.promise;
    };
    await settle();
    world.put(aResource());
    world.freeLease();
    world.sync();
    await vi.waitFor(() => expect(begun).toBe(true));
    const before = world.writes;
    world.stop();
    await world.clock.advance(1_000);
    // A decision is under way: nobody else may act yet, and what it needs is there.
    expect([world.ended, world.leadership.holds()]).toEqual([[], true]);
    world.put(aResource({ metadata: { name: 'late', uid: 'u9' }, spec: { name: 'late' } }));
    writing.resolve();
    await world.done;
    expect(world.ended[0]).toBe('lease');
    expect(world.ended).toHaveLength(1 + 6 + 1);
    expect([world.leadership.holds(), world.zookeeper.watches]).toEqual([false, 0]);
    const after = world.writes;
    expect(after).toBeGreaterThan(before);
    await world.clock.advance(60_000);
    expect([world.writes, [...world.objects.keys()].some((name) => name.includes('late'))]).toEqual([after, false]);
  });

  it('of a leader before all watches are in step gives the Lease back, too', async () => {
    const world = anOperator();
    await settle();
    world.freeLease();
    await vi.waitFor(() => expect(world.leadership.holds()).toBe(true));
    world.stop();
    await world.done;
    expect(world.ended[0]).toBe('lease');
  });

  it('comes when the Lease is lost: nothing is planned any more, all is put away, and it is no success', async () => {
    const world = await aLeader();
    await vi.waitFor(() => expect(kinds(world)).toHaveLength(2));
    world.loseLease();
    expect(await failure(world.done)).toMatchObject({ code: 'LEASE_LOST' });
    const before = world.writes;
    world.put(aResource({ metadata: { name: 'late', uid: 'u9' }, spec: { name: 'late' } }));
    await world.clock.advance(60_000);
    expect([world.writes, watchesEnded(world), world.zookeeper.watches, world.clock.sleepers]).toEqual([
      before,
      6,
      0,
      0,
    ]);
  });

  it('of a Lease that is lost before all watches are in step', async () => {
    const world = anOperator();
    await settle();
    world.put(aResource());
    world.freeLease();
    await vi.waitFor(() => expect(world.leadership.holds()).toBe(true));
    world.loseLease();
    expect(await failure(world.done)).toMatchObject({ code: 'LEASE_LOST' });
    expect(world.writes).toBe(0);
  });

  it.each([
    ['watch', 0],
    ['serve', 6],
    ['acquire', 6],
  ] as const)('of a start that fails (%s) is clean, and says why', async (step, watches) => {
    const world = new FakeOperatorWorld();
    worlds.push(world);
    world.fails[step] = new Error(`no ${step}`);
    world.start();
    expect(await failure(world.done)).toMatchObject({ message: `no ${step}` });
    expect([watchesEnded(world), world.zookeeper.watches, world.clock.sleepers]).toEqual([watches, 0, 0]);
  });
});
