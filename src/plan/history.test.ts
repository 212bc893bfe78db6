import fc from 'fast-check';
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

  it('counts how versions are to follow one another as no change, and keeps what was said of it last', () => {
    const world = served('1.0');
    const rollout = { strategy: 'Surge' as const, deadline: '5m' };
    world.change({ rollout, disruptionBudget: { maxUnavailable: 1 } });
    world.settle();
    expect(told(world)).toEqual(['1 1.0 Serving']);
    expect(world.resource.status.history?.[0]?.spec).toMatchObject({ rollout });
    world.change({ rollout: { ...rollout, warmup: { function: 'apply' } } });
    world.settle();
    expect(told(world)).toEqual(['2 1.0 Serving', '1 1.0 Served']);
  });

  it('is written once for each change: a second pass says the same', () => {
    const world = served('1.0');
    const before = world.resource.status.history;
    world.now += 3_600_000;
    expect(world.reconcile().status.history).toEqual(before);
  });

  it('says, whatever was asked for and however often it was interrupted, what is so', () => {
    const versions = ['1.0', '2.0', '3.0'];
    const images = { works: undefined, broken: 'no-such-image:1' };
    const strategies = ['Switch', 'Surge', 'Immediate'] as const;
    const turn = fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom('pass', 'controller', 'come up', 'hear') },
      { weight: 2, arbitrary: fc.constantFrom('crash', 'away', 'back', 'later', 'nothing') },
      { weight: 3, arbitrary: fc.constantFrom(...versions, ...Object.keys(images), ...strategies, '0', '1', '3') },
    );
    const perform = (world: PlannerWorld, what: string) => {
      const { rollout } = world.resource.spec;
      if (what === 'crash') world.reconcile(1);
      if (what === 'controller') world.controllerStep();
      if (what === 'come up') world.comeUp(0);
      if (what === 'hear') world.hear(0);
      if (what === 'away' || what === 'back') world.zookeeperAway = what === 'away';
      if (what === 'later') world.now += 60_000;
      if (what === 'nothing') world.change({ ...world.resource.spec, paused: undefined });
      if (versions.includes(what)) world.change({ version: what });
      if (what in images) world.change({ image: images[what as keyof typeof images] });
      const strategy = strategies.find((each) => each === what);
      if (strategy !== undefined) world.change({ rollout: { ...rollout, strategy } });
      if (/^[013]$/.test(what)) world.change({ instances: Number(what) });
    };
    fc.assert(
      fc.property(fc.array(turn, { minLength: 30, maxLength: 150, size: 'max' }), (turns) => {
        const world = served('1.0');
        world.change({ rollout: { deadline: '1m' } });
        for (const what of turns) {
          perform(world, what);
          if (what === 'crash') continue;
          const { history = [], rollout } = world.reconcile().status;
          const numbers = history.map(({ revision }) => revision);
          expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
          expect(history.length).toBeLessThanOrEqual(10);
          const [newest, ...earlier] = history;
          expect(newest).toMatchObject({ version: world.resource.spec.version });
          expect(earlier.filter(({ result }) => result === 'RollingOut' || result === 'Stalled')).toEqual([]);
          expect(history.filter(({ result }) => result === 'Serving').length).toBeLessThanOrEqual(1);
          expect(history.filter((each, at) => each.id === history[at + 1]?.id)).toEqual([]);
          expect(history.filter(({ servedAt }) => servedAt !== undefined)).not.toEqual([]);
          if (newest?.result === 'Serving') expect(rollout).toBeUndefined();
          if (rollout !== undefined) expect(world.deployments.size).toBeGreaterThan(1);
        }
        const before = world.resource.status.history?.length ?? 0;
        world.change({ image: undefined, instances: 2, paused: false });
        world.settle();
        const { history = [] } = world.resource.status;
        expect(history.length).toBeLessThanOrEqual(Math.min(10, before + 1));
        expect(history[0]).toMatchObject({ version: world.resource.spec.version, result: 'Serving' });
        expect(history[0]?.spec).toMatchObject({ rollout: { deadline: '1m' } });
      }),
      { numRuns: 40 },
    );
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
