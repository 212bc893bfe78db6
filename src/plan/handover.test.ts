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
    world.reconcile();
    expect(world.deployments.size).toBe(2);
    world.now += 5_000;
    world.reconcile();
    expect([...world.deployments.values()].map(({ version }) => version)).toEqual(['2.0']);
  });

  it('is called off when its instances fall away before the one before has left', () => {
    const world = three();
    world.change({ version: '2.0' });
    for (let step = 0; step < 4; step += 1) turn(world);
    world.reconcile();
    for (let agent = 0; agent < 3; agent += 1) world.hear(0);
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

  it('goes at once when somebody says so in the middle', () => {
    const world = three();
    world.change({ version: '2.0' });
    turn(world);
    world.change({ rollout: { strategy: 'Immediate' } });
    world.reconcile();
    world.hear(0);
    expect(seen(world)).toEqual({ '1.0': 3, '2.0': 1 });
  });

  it('is removed at once where its agents know of no holds, as those of earlier releases', () => {
    const world = three();
    for (const [name, { hold: _, ...deployment }] of world.deployments) world.deployments.set(name, deployment);
    world.change({ version: '2.0' });
    for (let step = 0; step < 4; step += 1) turn(world);
    world.reconcile();
    for (let agent = 0; agent < 3; agent += 1) world.hear(0);
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
