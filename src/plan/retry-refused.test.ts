import { describe, expect, it } from 'vitest';
import { anObservation, aPod, aResource, deployed, someSettings, start } from '../../test/builders/model-deployment.ts';
import { annotations } from '../contracts/names.ts';
import type { ModelDeploymentStatus } from '../contracts/resource-status.ts';
import type { DeploymentView, Observation } from './observation.ts';
import { plan } from './plan.ts';
import { retryOf } from './retry-refused.ts';

describe('retryOf', () => {
  it('asks at once, then after pauses that double up to a minute, for as long as pods are refused', () => {
    const asked: number[] = [];
    let entry: string | undefined;
    for (let now = start; now < start + 300_000; now += 1_000) {
      const next = retryOf(entry, now);
      if (next === undefined) continue;
      entry = next;
      asked.push((now - start) / 1_000);
    }
    expect(asked).toEqual([0, 5, 15, 35, 75, 135, 195, 255]);
  });

  it.each([
    ['an earlier trouble', `${new Date(start - 601_000).toISOString()} 60`],
    ['a clock that went wrong', `${new Date(start + 86_400_000).toISOString()} 60`],
    ['somebody else', 'yesterday'],
  ])('takes an entry of %s for none', (_name, entry) => {
    expect(retryOf(entry, start)).toBe(`${new Date(start).toISOString()} 5`);
  });
});

describe('a plan where pods are refused', () => {
  const resource = aResource();
  const out = deployed(resource);
  const deployment: DeploymentView = { ...out.deployment, rolledOut: false, everComplete: false };
  const pins = [out.pin];
  const planned = (changes: Partial<DeploymentView>, now = start) =>
    plan(
      anObservation({
        now,
        resource,
        pins,
        payload: { state: 'pinned', looked: true },
        deployments: [{ ...deployment, ...changes }],
      }),
      someSettings,
    );
  const refused = { replicaFailure: 'pods "x" is forbidden: serviceaccount "nosuch" not found' };

  it('asks again, and changes nothing else', () => {
    const { apply } = planned(refused);
    expect(apply.map(({ why }) => why)).toEqual(['ask again for pods that were refused']);
    expect(apply[0]?.manifest['spec']).toEqual(deployment.spec);
    const entry = apply[0]?.manifest.metadata.annotations?.[annotations.retried];
    expect(
      planned({ ...refused, annotations: { ...deployment.annotations, [annotations.retried]: entry ?? '' } }).apply,
    ).toEqual([]);
  });

  it('asks nothing where none are', () => {
    expect(planned({}).apply).toEqual([]);
  });

  it('says why until the next attempt has come to something, though nobody says it meanwhile', () => {
    const words = 'pods "dga" is forbidden: no PriorityClass with name nosuch was found';
    const told = (status: ModelDeploymentStatus, now: number, more: Partial<Observation> = {}) => {
      const asked = { [annotations.retried]: `${new Date(start).toISOString()} 5` };
      const live = { ...deployment, annotations: { ...deployment.annotations, ...asked } };
      const observation = anObservation({
        now,
        resource: { ...resource, status },
        pins,
        deployments: [live],
        payload: { state: 'pinned', looked: true },
        ...more,
      });
      return plan(observation, someSettings).status.conditions?.find(({ type }) => type === 'Ready');
    };
    const refused = planned({ replicaFailure: words }).status;
    const before = refused.conditions?.find(({ type }) => type === 'Ready');
    expect(before?.reason).toBe('PriorityClassMissing');
    expect(told(refused, start + 1_000)).toEqual(before);
    expect(told(refused, start + 11_000)?.reason).toBe('Starting');
    const pod = aPod({ versionKey: deployment.versionKey, revision: out.revision, ready: false });
    expect(told(refused, start + 1_000, { pods: [pod] })?.reason).toBe('Starting');
    const changed = { ...resource, metadata: { ...resource.metadata, generation: 7 }, status: refused };
    expect(told(refused, start + 1_000, { resource: changed })?.reason).toBe('Starting');
  });
});
