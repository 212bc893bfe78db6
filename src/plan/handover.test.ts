import { describe, expect, it } from 'vitest';
import { PlannerWorld } from '../../test/builders/planner-world.ts';
import type { ModelDeploymentSpec } from '../contracts/resource.ts';
import { neededInstances } from './handover.ts';

describe('how many instances must answer', () => {
  it.each<[number, ModelDeploymentSpec['rollout'], number]>([
    [3, undefined, 3],
    [0, undefined, 0],
    [3, { strategy: 'Switch' }, 3],
    [3, { minReady: 2 }, 2],
    [3, { minReady: 5 }, 3],
    [3, { minReady: '50%' }, 2],
    [10, { minReady: '1%' }, 1],
    [0, { minReady: 1 }, 0],
    [3, { strategy: 'Surge' }, 2],
    [1, { strategy: 'Surge' }, 1],
    [8, { strategy: 'Surge', minReady: '25%' }, 2],
    [8, { strategy: 'Surge', minReady: '75%' }, 4],
    [3, { strategy: 'Immediate' }, 3],
  ])('of %d with %o: %d', (instances, rollout, needed) => {
    expect(neededInstances({ instances, rollout })).toBe(needed);
  });
});

function three(rollout?: ModelDeploymentSpec['rollout']): PlannerWorld {
  const world = new PlannerWorld();
  world.change({ instances: 3, rollout });
  world.settle();
  return world;
}

/** Versions that clients see, and how often. */
function seen(world: PlannerWorld): Record<string, number> {
  const versions = new Map([...world.deployments.values()].map(({ name, version }) => [name, version]));
  const counts: Record<string, number> = {};
  for (const { deployment } of world.served()) {
    const version = versions.get(deployment) ?? '';
    counts[version] = (counts[version] ?? 0) + 1;
  }
  return counts;
}

function turn(world: PlannerWorld, up = true): void {
  world.reconcile();
  world.controllerStep();
  if (up) world.comeUp(0);
}

const message = (world: PlannerWorld) =>
  world.resource.status.conditions?.find(({ type }) => type === 'Ready')?.message ?? '';

/** The words of the Stalled condition; undefined where it is not. */
const stalled = (world: PlannerWorld) =>
  world.resource.status.conditions?.find(({ type, status }) => type === 'Stalled' && status === 'True')?.message;

describe('a version that takes the place of another', () => {
  it('is registered together, and the one before leaves together and is removed when it has left', () => {
    const world = three();
    world.change({ version: '2.0' });
    for (let instance = 0; instance < 2; instance += 1) turn(world);
    world.reconcile();
    expect(seen(world)).toEqual({ '1.0': 3 });
    expect(message(world)).toBe(
      '2 of 3 answer, and are registered together when all do (version 1.0 is kept until this one is up)',
    );
    expect(world.resource.status.rollout).toMatchObject({
      from: '1.0',
      to: '2.0',
      answering: 2,
      needed: 3,
      released: false,
    });
    turn(world);
    world.reconcile();
    expect(world.resource.status.rollout).toMatchObject({ answering: 3, released: true });
    for (let agent = 0; agent < 3; agent += 1) world.hear(0);
    expect(seen(world)).toEqual({ '1.0': 3, '2.0': 3 });
    world.reconcile();
    // Clients are given a moment to see the new ones before the old ones leave.
    world.hear(0);
    expect(seen(world)).toEqual({ '1.0': 3, '2.0': 3 });
    world.now += 1_000;
    world.reconcile();
    expect(world.deployments.size).toBe(2);
    for (let agent = 0; agent < 3; agent += 1) world.hear(0);
    expect(seen(world)).toEqual({ '2.0': 3 });
    world.reconcile();
    expect(world.deployments.size).toBe(1);
    expect(world.resource.status.rollout).toBeUndefined();
  });

  it('waits for no agent for ever that does not say that it left', () => {
    const world = three();
    world.change({ version: '2.0' });
    for (let step = 0; step < 4; step += 1) turn(world);
    world.reconcile();
    for (let agent = 0; agent < 3; agent += 1) world.hear(0);
    world.reconcile();
    world.now += 1_000;
    world.reconcile();
    expect(world.deployments.size).toBe(2);
    world.now += 5_000;
    world.reconcile();
    expect([...world.deployments.values()].map(({ version }) => version)).toEqual(['2.0']);
  });

  it.each<[string, ModelDeploymentSpec['rollout']]>([
    ['3.0', undefined],
    ['1.0', undefined],
    ['3.0', { strategy: 'Surge' }],
  ])(
    'from 2.0 to %s with %o stays so when more instances are wanted while the one before leaves',
    (version, rollout) => {
      const world = new PlannerWorld();
      world.change({ version: '2.0', instances: 3, rollout });
      world.settle();
      world.change({ version });
      for (let rest = 0; rest < 50 && world.resource.status.serving !== version; rest += 1) {
        turn(world);
        world.hear(0);
      }
      world.now += 1_000;
      world.reconcile();
      world.hear(0);
      world.change({ instances: 5 });
      for (let step = 0; step < 4; step += 1) {
        world.reconcile();
        for (let agent = 0; agent < 8; agent += 1) world.hear(0);
        expect(seen(world)).not.toHaveProperty(['2.0']);
      }
      world.settle();
      expect(seen(world)).toEqual({ [version]: 5 });
    },
  );

  it('is called off when its instances fall away before the one before has left', () => {
    const world = three();
    world.change({ version: '2.0' });
    for (let step = 0; step < 4; step += 1) turn(world);
    world.reconcile();
    for (let agent = 0; agent < 3; agent += 1) world.hear(0);
    world.reconcile();
    world.now += 1_000;
    world.reconcile();
    world.hear(0);
    expect(seen(world)).toEqual({ '1.0': 2, '2.0': 3 });
    for (const [uid, pod] of world.pods) if (pod.registered && pod.hold?.untilReleased) world.pods.delete(uid);
    world.reconcile();
    world.hear(0);
    expect(seen(world)).toEqual({ '1.0': 3 });
    expect(world.resource.status.serving).toBe('1.0');
  });

  it('takes over as soon as as many answer as are asked for', () => {
    const world = three({ minReady: 1 });
    world.change({ version: '2.0' });
    turn(world);
    turn(world, false);
    world.hear(0);
    world.reconcile();
    expect(world.resource.status).toMatchObject({ serving: '2.0', registered: 1 });
  });

  it.each(['/models/dga', '/models/missing'])(
    'leaves the one before as many instances as are wanted, however long it takes: %s',
    (path) => {
      const world = three();
      world.change({ version: '2.0', image: 'no-such-image:1', payload: { path } });
      for (let step = 0; step < 4; step += 1) turn(world);
      for (const instances of [5, 2]) {
        world.change({ instances });
        world.settle();
        expect(seen(world)).toEqual({ '1.0': instances });
      }
      expect(world.resource.status).toMatchObject({ serving: '1.0', replicas: 2 });
    },
  );

  it('starts nothing again of one that was stopped before, and is registered as it comes up', () => {
    const world = three();
    world.change({ instances: 0 });
    world.settle();
    world.change({ version: '2.0', instances: 3 });
    turn(world);
    turn(world);
    expect(seen(world)).toEqual({ '2.0': 2 });
    expect(world.resource.status.rollout).toBeUndefined();
    world.settle();
    expect(seen(world)).toEqual({ '2.0': 3 });
  });

  it('leaves clients a second from when the last new one was seen to be registered, however long after the release', () => {
    const world = three();
    world.change({ version: '2.0' });
    for (let step = 0; step < 4; step += 1) turn(world);
    world.reconcile();
    world.hear(0);
    world.hear(0);
    world.now += 10_000;
    world.hear(0);
    world.reconcile();
    world.hear(0);
    expect(seen(world)).toEqual({ '1.0': 3, '2.0': 3 });
    world.now += 1_000;
    world.reconcile();
    for (let agent = 0; agent < 3; agent += 1) world.hear(0);
    expect(seen(world)).toEqual({ '2.0': 3 });
  });

  it('is not said to be released while a pause keeps that back', () => {
    const world = three();
    world.change({ version: '2.0' });
    for (let step = 0; step < 2; step += 1) turn(world);
    world.change({ paused: true });
    turn(world);
    world.reconcile();
    expect(world.resource.status.rollout).toMatchObject({ answering: 3, needed: 3, released: false });
    world.change({ paused: false });
    world.reconcile();
    expect(world.resource.status.rollout).toMatchObject({ released: true });
    world.change({ paused: true });
    world.reconcile();
    expect(world.resource.status.rollout).toMatchObject({ released: true });
  });

  it('is not said to be released while nobody can ask', () => {
    const world = three();
    world.change({ version: '2.0', rollout: { deadline: '1s' } });
    for (let step = 0; step < 2; step += 1) turn(world);
    world.zookeeperAway = true;
    world.now += 1_000;
    world.reconcile();
    expect(world.resource.status.rollout).toMatchObject({ released: false });
    expect(stalled(world)).toMatch(/^version 2.0 has not taken the place of 1.0 within 1s, and 1.0 is kept: /);
    world.zookeeperAway = false;
    world.reconcile();
    expect(stalled(world)).toMatch(/^version 2.0 has not taken the place of 1.0 within 1s, and 1.0 goes on serving: /);
    for (const pod of world.pods.values()) pod.registered = false;
    world.reconcile();
    expect(stalled(world)).toMatch(
      /^version 2.0 has not taken the place of 1.0 within 1s, and 1.0 is kept, but none of it is registered: /,
    );
  });

  it('has its whole time again when it is asked for in another way, and when it is resumed', () => {
    const world = three();
    const rollout = { deadline: '1m' };
    world.change({ version: '2.0', image: 'no-such-image:1', rollout });
    turn(world);
    const passes = (seconds: number) => {
      world.now += seconds * 1_000;
      world.reconcile();
      world.reconcile();
      return stalled(world) !== undefined;
    };
    expect([passes(30), passes(30)]).toEqual([false, true]);
    world.change({ image: 'no-such-image:2' });
    expect([passes(1), passes(40), passes(30)]).toEqual([false, false, true]);
    world.change({ paused: true });
    expect(passes(0)).toBe(false);
    world.change({ paused: false });
    expect([passes(1), passes(70)]).toEqual([false, true]);
    // How long it may take is no other thing that is asked for.
    world.change({ rollout: { deadline: '3m' } });
    expect([passes(0), passes(120)]).toEqual([false, true]);
  });

  it('of the same version with another payload is told by the paths', () => {
    const world = three();
    world.change({ payload: { path: '/models/dga-2' }, rollout: { deadline: '1s' } });
    world.payloadsInHdfs.add('/models/dga-2');
    turn(world);
    world.now += 1_000;
    world.reconcile();
    expect(message(world)).toContain('(version 1.0 of /models/dga is kept until this one is up)');
    expect(stalled(world)).toMatch(
      /^version 1.0 of \/models\/dga-2 has not taken the place of 1.0 of \/models\/dga within 1s, and 1.0 of \/models\/dga goes on serving: /,
    );
    expect(world.resource.status.rollout).toMatchObject({ from: '1.0', to: '1.0' });
    const said: string[] = [];
    for (let step = 0; step < 20; step += 1) {
      said.push(
        ...world
          .reconcile()
          .events.filter(({ reason }) => reason === 'Switched')
          .map(({ message: said }) => said),
      );
      world.controllerStep();
      world.comeUp(0);
      world.hear(0);
    }
    expect(said).toEqual(['version 1.0 of /models/dga-2 serves instead of 1.0 of /models/dga']);
  });

  it('goes at once when somebody says so in the middle', () => {
    const world = three();
    world.change({ version: '2.0' });
    turn(world);
    world.change({ rollout: { strategy: 'Immediate' } });
    world.reconcile();
    world.hear(0);
    expect(seen(world)).toEqual({ '1.0': 3, '2.0': 1 });
  });

  it('is removed when clients have seen the other one, where its agents know of no holds, as those of earlier releases', () => {
    const world = three();
    for (const [name, { hold: _, ...deployment }] of world.deployments) world.deployments.set(name, deployment);
    world.change({ version: '2.0' });
    for (let step = 0; step < 4; step += 1) turn(world);
    world.reconcile();
    for (let agent = 0; agent < 3; agent += 1) world.hear(0);
    world.reconcile();
    expect(world.deployments.size).toBe(2);
    world.now += 1_000;
    world.reconcile();
    expect([...world.deployments.values()].map(({ version }) => version)).toEqual(['2.0']);
  });

  it('of another resource holds nothing back: the first version of a model is registered as its instances come up', () => {
    const world = new PlannerWorld();
    world.change({ instances: 3 });
    turn(world);
    expect(seen(world)).toEqual({ '1.0': 1 });
    expect(world.published).toBeUndefined();
  });
});

describe('with Surge', () => {
  it('makes room one by one until half is new, and says how far it is', () => {
    const world = three({ strategy: 'Surge' });
    world.change({ version: '2.0' });
    const sizes = () =>
      Object.fromEntries([...world.deployments.values()].map(({ version, replicas }) => [version, replicas]));
    turn(world, false);
    expect(sizes()).toEqual({ '1.0': 3, '2.0': 1 });
    world.comeUp(0);
    world.reconcile();
    expect(sizes()).toEqual({ '1.0': 2, '2.0': 1 });
    expect(message(world)).toContain('1 of 3 answer, and are registered together when 2 do');
    for (let step = 0; step < 8; step += 1) turn(world);
    world.hear(0);
    world.hear(0);
    world.reconcile();
    expect(world.resource.status.serving).toBe('2.0');
    world.settle();
    expect(sizes()).toEqual({ '2.0': 3 });
  });
});
