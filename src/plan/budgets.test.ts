import { describe, expect, it } from 'vitest';
import { anObservation, aPod, aResource, deployed, someSettings } from '../../test/builders/model-deployment.ts';
import { PlannerWorld } from '../../test/builders/planner-world.ts';
import type { Manifest } from './children.ts';
import type { BudgetView, Observation } from './observation.ts';
import { plan } from './plan.ts';

const settings: typeof someSettings = {
  ...someSettings,
  model: { ...someSettings.model, disruptionBudget: { maxUnavailable: 1 } },
};
const resource = aResource({ spec: { instances: 2 } });
const out = deployed(resource);
const seen = (changes: Partial<Observation> = {}) =>
  anObservation({
    resource,
    deployments: [out.deployment],
    pins: [out.pin],
    payload: { state: 'pinned', looked: true },
    ...changes,
  });

function live(manifest: Manifest, uid = 'b1'): BudgetView {
  const { name } = manifest.metadata;
  const { versionKey } = out.deployment;
  return { name, uid, versionKey, deleting: false, spec: manifest['spec'] as BudgetView['spec'] };
}

/** The one budget that a plan makes. */
function made(changes: Partial<Observation> = {}, by = settings): Manifest {
  const { protect } = plan(seen(changes), by);
  expect(protect).toHaveLength(1);
  return protect[0]?.manifest as Manifest;
}

describe('the budget of a version', () => {
  it('lets one of its instances go at a time, and a broken one always', () => {
    expect(made()).toMatchObject({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: out.deployment.name, namespace: 'fraud', ownerReferences: [{ uid: resource.metadata.uid }] },
      spec: {
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector: out.deployment.spec['selector'],
      },
    });
  });

  it('is what the resource says, else what the settings say, else none', () => {
    const asked = aResource({ spec: { disruptionBudget: { maxUnavailable: '50%' } } });
    expect(made({ resource: asked })['spec']).toMatchObject({ maxUnavailable: '50%' });
    expect(made({ resource: asked }, { ...settings, model: someSettings.model })['spec']).toMatchObject({
      maxUnavailable: '50%',
    });
    expect(plan(seen(), someSettings).protect).toEqual([]);
  });

  it.each([
    [2, 1, 1, 0],
    [2, 2, 1, 1],
    [4, 2, 1, 1],
    [4, 2, 2, 1],
    [4, 2, '50%', '50%'],
    [4, 1, '50%', 0],
    // All may go at once where somebody says so.
    [2, 1, 2, 2],
    [2, 1, '100%', '100%'],
    [1, 1, 1, 1],
  ])('of %i wanted instances with room for %i, where %s may be away: %s', (instances, room, asked, allowed) => {
    const others = Array.from({ length: instances + 1 - room }, (_, index) =>
      aPod({ uid: `old${index}`, versionKey: 'old' }),
    );
    const changed = aResource({
      spec: { instances, rollout: { strategy: 'Surge' }, disruptionBudget: { maxUnavailable: asked } },
    });
    const live = { ...out.deployment, replicas: room };
    expect(made({ resource: changed, deployments: [live], pods: others })['spec']).toMatchObject({
      maxUnavailable: allowed,
    });
  });

  it('is left alone while it says so, and follows when another is wanted', () => {
    const budget = live(made());
    expect(plan(seen({ budgets: [budget] }), settings).protect).toEqual([]);
    const defaulted = { ...budget, spec: { ...budget.spec, minAvailable: undefined } };
    expect(plan(seen({ budgets: [defaulted] }), settings).protect).toEqual([]);
    const more = { ...settings, model: { ...settings.model, disruptionBudget: { maxUnavailable: 2 } } };
    expect(plan(seen({ budgets: [budget] }), more).protect.map(({ why }) => why)).toEqual([
      'another budget: maxUnavailable',
    ]);
  });

  it('goes with its version, and with the wish for one', () => {
    const budget = live(made());
    const removed = (changes: Partial<Observation>, by: typeof someSettings = settings) =>
      plan(seen({ budgets: [budget], ...changes }), by).remove.map(({ kind, uid }) => `${kind} ${uid}`);
    expect(removed({})).toEqual([]);
    expect(removed({}, someSettings)).toEqual(['PodDisruptionBudget b1']);
    expect(removed({ budgets: [{ ...budget, name: 'dga-gone' }] })).toEqual(['PodDisruptionBudget b1']);
  });

  it('is written by nobody who only observes', () => {
    const { protect, status } = plan(seen({ mode: { mode: 'observe', agents: 'active' } }), settings);
    expect(protect).toEqual([]);
    expect(JSON.stringify(status.conditions)).toContain('let a drain take instances away');
  });
});

describe('a world of versions', () => {
  it('has one budget for each, and none too many after a switch', () => {
    const world = new PlannerWorld();
    const settle = () => world.settle();
    world.payloadsInHdfs.add('/models/dga2');
    settle();
    expect([...world.budgets.keys()]).toEqual([...world.deployments.keys()]);
    const [first] = world.budgets.keys();
    world.change({ version: '2.0', payload: { path: '/models/dga2' } });
    world.reconcile();
    world.reconcile();
    expect([...world.budgets.keys()].sort()).toEqual([...world.deployments.keys()].sort());
    expect(world.budgets.size).toBe(2);
    settle();
    expect([...world.budgets.keys()]).toEqual([...world.deployments.keys()]);
    expect(world.budgets.has(first ?? '')).toBe(false);
  });
});
