/** What waits for the capacity of a quota or a queue waits, as on YARN; it has not failed. */
import { describe, expect, it } from 'vitest';
import { anObservation, aPod, aResource, deployed, someSettings, start } from '../../test/builders/model-deployment.ts';
import { keyOf } from './children.ts';
import type { DeploymentView, Observation } from './observation.ts';
import { plan } from './plan.ts';

const resource = aResource({ spec: { instances: 3 } });
const key = keyOf(resource.spec);
const made = deployed(resource);
const deployment: DeploymentView = { ...made.deployment, rolledOut: false, everComplete: false };
const words = 'pods "dga-x-1" is forbidden: exceeded quota: fraud, requested: requests.memory=4Gi';
const refused = { ...deployment, replicaFailure: words };

function planned(changes: Partial<Observation>) {
  const observation = anObservation({ resource, pins: [made.pin], deployments: [deployment], ...changes });
  const planned = plan(observation, someSettings);
  const condition = (type: string) => planned.status.conditions?.find((each) => each.type === type);
  return { made: planned, ready: condition('Ready'), stalled: condition('Stalled') };
}

describe('waiting for queue capacity', () => {
  it.each<[string, Partial<Observation>, RegExp]>([
    [
      'a quota that is used up',
      { deployments: [refused] },
      /^waiting for queue capacity, 0 of 3 .*exceeded quota: fraud/,
    ],
    [
      'a pod that its queue has not admitted',
      {
        pods: [
          aPod({
            versionKey: key,
            revision: made.revision,
            gated: 'Scheduling is blocked due to non-empty scheduling gates',
          }),
        ],
      },
      /waiting for queue capacity: Scheduling is blocked/,
    ],
  ])('%s is what the status says, and no warning', (_what, changes, message) => {
    const { made, ready, stalled } = planned(changes);
    expect(ready).toMatchObject({ status: 'False', reason: 'WaitingForQueueCapacity' });
    expect(ready?.message).toMatch(message);
    expect(stalled?.status).toBe('False');
    expect(made.events.find((event) => event.reason === 'WaitingForQueueCapacity')?.type).toBe('Normal');
  });

  it('is no matter of time: after a day it is the same', () => {
    const now = planned({ deployments: [refused] });
    const later = planned({ deployments: [refused], now: start + 86_400_000 });
    expect(later.ready?.reason).toBe(now.ready?.reason);
    expect(later.stalled?.status).toBe('False');
    expect(later.made.remove).toEqual([]);
  });

  it('is not what keeps a model down whose quota lets all instances live', () => {
    const one = aResource({ spec: { instances: 1 } });
    const { ready } = planned({
      deployments: [{ ...deployed(one).deployment, replicaFailure: words }],
      resource: one,
      pods: [aPod({ versionKey: key, revision: made.revision, ready: true })],
      registrations: {
        known: true,
        byPod: new Map([[aPod().uid, { version: '1.0', url: 'http://x:1', functions: {}, since: 0 }]]),
      },
    });
    expect(ready?.reason).toBe('Serving');
  });
});
