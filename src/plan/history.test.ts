import { describe, expect, it } from 'vitest';
import { PlannerWorld } from '../../test/builders/planner-world.ts';
import type { Revision } from '../contracts/resource-status.ts';

/** The revisions of a world, newest first, shortened. */
const told = (world: PlannerWorld) =>
  (world.resource.status.history ?? []).map(({ revision, version, result }) => `${revision} ${version} ${result}`);

function served(version: string): PlannerWorld {
  const world = new PlannerWorld();
  world.change({ version });
  world.settle();
  return world;
}

const broken = { image: 'no-such-image:1' };

describe('the history', () => {
  it('says of the first version that it serves, since when and with which bytes', () => {
    const [first] = served('1.0').resource.status.history ?? [];
    expect(first).toMatchObject({ revision: 1, version: '1.0', path: '/models/dga', result: 'Serving' });
    expect(first?.digest).toMatch(/^sha256:/);
    expect(Date.parse(first?.servedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(first?.startedAt ?? ''));
    expect(first?.spec).not.toHaveProperty('instances');
  });

  it('keeps what serves serving until the next one does', () => {
    const world = served('1.0');
    world.change({ version: '2.0' });
    world.reconcile();
    expect(told(world)).toEqual(['2 2.0 RollingOut', '1 1.0 Serving']);
    world.settle();
    expect(told(world)).toEqual(['2 2.0 Serving', '1 1.0 Served']);
  });

  it('says of one that gives way before it served that it was replaced, and of one that stalled that it failed', () => {
    const world = served('1.0');
    world.change({ version: '2.0', ...broken });
    world.reconcile();
    world.change({ version: '3.0', ...broken, rollout: { deadline: '1s' } });
    world.reconcile();
    expect(told(world)).toEqual(['3 3.0 RollingOut', '2 2.0 Replaced', '1 1.0 Serving']);
    world.now += 60_000;
    world.reconcile();
    expect(told(world)[0]).toBe('3 3.0 Stalled');
    expect(world.resource.status.history?.[0]?.reason).toMatch(/^version 3.0 has not taken the place of 1.0 within 1s/);
    world.change({ version: '1.0', image: undefined, rollout: undefined });
    world.settle();
    expect(told(world)).toEqual(['4 1.0 Serving', '3 3.0 Failed', '2 2.0 Replaced', '1 1.0 Served']);
  });

  it('counts other numbers of instances and a pause as no change', () => {
    const world = served('1.0');
    world.change({ instances: 3 });
    world.settle();
    world.change({ paused: true });
    world.settle();
    expect(told(world)).toEqual(['1 1.0 Serving']);
  });

  it('is written once for each change: a second pass says the same', () => {
    const world = served('1.0');
    const before = world.resource.status.history;
    world.now += 3_600_000;
    expect(world.reconcile().status.history).toEqual(before);
  });

  it('stays bounded, and never loses the version that served last', () => {
    const world = served('1.0');
    for (let attempt = 2; attempt < 30; attempt += 1) {
      world.change({ version: `${attempt}.0`, ...broken });
      world.reconcile();
    }
    const history = world.resource.status.history ?? [];
    expect(history).toHaveLength(10);
    expect(history.filter(({ result }: Revision) => result === 'Serving').map(({ version }) => version)).toEqual([
      '1.0',
    ]);
  });

  it('lists specs that are too long without them', () => {
    const world = served('1.0');
    for (let attempt = 2; attempt < 6; attempt += 1) {
      world.change({ version: `${attempt}.0`, env: [{ name: 'LONG', value: 'x'.repeat(15_000) }] });
      world.settle();
    }
    const history = world.resource.status.history ?? [];
    expect(history.map(({ spec }) => spec !== undefined)).toEqual([true, true, false, false, false]);
  });

  it('names who asked', () => {
    const world = new PlannerWorld();
    world.resource = { ...world.resource, metadata: { ...world.resource.metadata, changedBy: 'argocd-controller' } };
    world.settle();
    expect(world.resource.status.history?.[0]?.by).toBe('argocd-controller');
  });
});
