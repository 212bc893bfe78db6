import { describe, expect, it } from 'vitest';
import { someSettings } from '../../test/builders/model-deployment.ts';
import { PlannerWorld } from '../../test/builders/planner-world.ts';
import type { Observation } from './observation.ts';
import { plan } from './plan.ts';

const awaits = (observation: Observation) => plan(observation, someSettings).awaits;

function settled(): PlannerWorld {
  const world = new PlannerWorld();
  world.settle();
  return world;
}

/** The Deployment controller of the builder never says that it is done, and these settings want no budgets. */
function rolledOut({ deployments, ...observation }: Observation): Observation {
  return { ...observation, budgets: [], deployments: deployments.map((live) => ({ ...live, rolledOut: true })) };
}

/** A pod is refused, and has been for as long as a start may take. */
function refused({ deployments, ...observation }: Observation): Observation {
  const words = 'pods "dga-" is forbidden: error looking up service account fraud/dga: not found';
  return {
    ...observation,
    pods: [],
    deployments: deployments.map((live) => ({ ...live, stuck: true, rolledOut: false, replicaFailure: words })),
  };
}

describe('what a plan waits for that nobody tells of', () => {
  it('is nothing where all is well, or where the payload is looked for', () => {
    expect(awaits(rolledOut(settled().observation()))).toBe('nothing');
    const world = new PlannerWorld();
    world.payloadsInHdfs.clear();
    expect(awaits(world.observation())).toBe('nothing');
    expect(awaits({ ...world.observation(), payload: { state: 'pending' } })).toBe('nothing');
  });

  it('is how calls go where all is well behind shields', () => {
    const world = settled();
    world.change({ shield: {} });
    world.settle();
    expect(awaits(rolledOut(world.observation()))).toBe('some');
    expect(awaits(rolledOut({ ...world.observation(), pods: [] }))).not.toBe('some');
  });

  it('is much while instances come up, or a payload is copied', () => {
    const world = settled();
    world.change({ instances: 3 });
    expect(awaits(world.observation())).toBe('much');
    expect(awaits({ ...new PlannerWorld().observation(), payload: { state: 'found' } })).toBe('much');
  });

  it('is little where it is stuck: refused pods are asked for again all the same', () => {
    const stuck = refused(settled().observation());
    expect(plan(stuck, someSettings).status.conditions).toContainEqual(
      expect.objectContaining({ type: 'Stalled', status: 'True' }),
    );
    expect(awaits(stuck)).toBe('little');
  });

  it('is little where the operator only looks, and where an agent that does not register has not said what it verified', () => {
    const world = settled();
    world.change({ instances: 3 });
    const mode = { mode: 'observe', agents: 'active' } as const;
    expect(awaits({ ...world.observation(), mode })).toBe('little');
    const shadow = new PlannerWorld();
    shadow.setMode('shadow');
    shadow.settle();
    const observation = rolledOut(shadow.observation());
    expect(awaits({ ...observation, agents: new Map() })).toBe('little');
  });
});
