import { describe, expect, it } from 'vitest';
import { anObservation, aPayload, aPod, aResource, someSettings, start } from '../../test/builders/model-deployment.ts';
import { childName } from '../api/names.ts';
import { keyOf } from './children.ts';
import type { DeploymentView, Observation } from './observation.ts';
import { plan } from './plan.ts';

const key = keyOf(aResource().spec);
const deployment = (changes: Partial<DeploymentView> = {}): DeploymentView => ({
  name: childName('dga', key),
  uid: 'd1',
  versionKey: key,
  version: '1.0',
  createdAt: start,
  deleting: false,
  replicas: 1,
  annotations: {},
  spec: {},
  rolledOut: true,
  everComplete: true,
  ...changes,
});
const pin = { name: childName('dga', key), uid: 'c1', versionKey: key, deleting: false, payload: aPayload() };
const running: Partial<Observation> = { deployments: [deployment()], pins: [pin], payload: { state: 'pinned' } };
const pod = aPod({ versionKey: key, ready: true });
const seen = {
  known: true,
  byPod: new Map([[pod.uid, { id: 'i', version: '1.0', url: 'http://x:1', functions: {} }]]),
} as const;
const problem = (code: string) => ({ code, message: `${code} happened`, next: 'Do this.' });

function ready(changes: Partial<Observation>) {
  const conditions = plan(anObservation(changes), someSettings).status.conditions ?? [];
  const of = (type: string) => conditions.find((condition) => condition.type === type);
  return { ready: of('Ready'), stalled: of('Stalled'), reconciling: of('Reconciling'), payload: of('PayloadResolved') };
}

describe('the Ready condition', () => {
  it.each<[string, Partial<Observation>, string, string, RegExp]>([
    ['a spec of no use', { invalid: 'spec.memory: no' }, 'False', 'SpecInvalid', /spec\.memory/],
    ['HDFS not asked yet', {}, 'False', 'ResolvingPayload', /HDFS/],
    [
      'no payload',
      { payload: { state: 'failed', transient: false, problem: problem('HDFS_PATH_MISSING') } },
      'False',
      'HdfsPathMissing',
      /happened\. Do this\./,
    ],
    [
      'a payload that has to be copied',
      { payload: { state: 'found' } },
      'False',
      'CopyingPayload',
      /not in the .* yet/,
    ],
    [
      'a payload that is being copied',
      { payload: { state: 'copying', bytesDone: 2 ** 20, bytesTotal: 3 * 2 ** 20 } },
      'False',
      'CopyingPayload',
      /1 MiB of 3 MiB/,
    ],
    [
      'a payload that cannot be copied',
      { payload: { state: 'failed', transient: false, copying: true, problem: problem('HDFS_FORBIDDEN') } },
      'False',
      'HdfsForbidden',
      /happened\. Do this\./,
    ],
    [
      'refused by the API server',
      { ...running, refusal: problem('CLUSTER_REFUSED') },
      'False',
      'ClusterRefused',
      /happened/,
    ],
    [
      'over quota',
      { ...running, deployments: [deployment({ replicaFailure: 'pods "x" is forbidden: exceeded quota: q' })] },
      'False',
      'WaitingForQueueCapacity',
      /^waiting for queue capacity, 0 of 1 registered: .*exceeded quota: q/,
    ],
    [
      'no room',
      { ...running, pods: [aPod({ versionKey: key, unschedulable: 'Insufficient cpu' })] },
      'False',
      'Unschedulable',
      /Insufficient cpu/,
    ],
    ['all served', { ...running, pods: [pod], registrations: seen }, 'True', 'Serving', /1 of 1/],
    [
      'served, but HDFS has other bytes',
      { ...running, pods: [pod], registrations: seen, payload: { state: 'pinned', drift: 'run.sh has changed' } },
      'True',
      'PayloadChanged',
      /run\.sh has changed/,
    ],
    [
      'served, but its copy is damaged',
      {
        ...running,
        pins: [{ ...pin, payload: aPayload({ path: '/store/aa', copiedFrom: '/models/dga' }) }],
        pods: [pod],
        registrations: seen,
        payload: { state: 'pinned', drift: 'run.sh is gone' },
      },
      'True',
      'PayloadChanged',
      /copy in the payload store is damaged: run\.sh is gone\. Put the same payload at \/models\/dga again/,
    ],
    [
      'served, HDFS away',
      {
        ...running,
        pods: [pod],
        registrations: seen,
        payload: { state: 'pinned', problem: problem('HDFS_UNREACHABLE') },
      },
      'True',
      'Serving',
      /1 of 1/,
    ],
    [
      'ZooKeeper away',
      { ...running, pods: [pod], registrations: { known: false, why: 'ZooKeeper is suspended' } },
      'Unknown',
      'ZookeeperUnreachable',
      /suspended/,
    ],
    [
      'in shadow, all answering',
      { ...running, pods: [pod], mode: { mode: 'shadow', agents: 'shadow' } },
      'True',
      'Shadow',
      /1 of 1 answer; .*because the mode is shadow/,
    ],
    [
      'in shadow, registered still',
      { ...running, pods: [pod], registrations: seen, mode: { mode: 'shadow', agents: 'shadow' } },
      'False',
      'Unregistering',
      /1 registered still/,
    ],
    [
      'in shadow, not up yet',
      { ...running, pods: [aPod({ versionKey: key })], mode: { mode: 'shadow', agents: 'shadow' } },
      'False',
      'Starting',
      /0 of 1 answer/,
    ],
    [
      'drained',
      { ...running, pods: [pod], mode: { mode: 'drain', agents: 'drain' } },
      'True',
      'Draining',
      /1 of 1 answer; not registered any more/,
    ],
    [
      'draining',
      { ...running, pods: [pod], registrations: seen, mode: { mode: 'drain', agents: 'drain' } },
      'False',
      'Draining',
      /1 registered still, because the mode has only just become drain/,
    ],
    [
      'observed before there is anything',
      { payload: { state: 'resolved', payload: aPayload() }, mode: { mode: 'observe', agents: 'active' } },
      'False',
      'Observed',
      /only looks, .*\(held back: pin the payload, a new version\); 0 of 1 registered/,
    ],
    [
      'observed before the payload is copied',
      { payload: { state: 'found' }, mode: { mode: 'observe', agents: 'active' } },
      'False',
      'Observed',
      /only looks, .*\(held back: copy the payload\)/,
    ],
    [
      'observed while it serves',
      {
        ...running,
        pods: [pod],
        registrations: seen,
        mode: { mode: 'observe', agents: 'active', problem: 'modes.json is not JSON' },
      },
      'True',
      'Observed',
      /only looks, .*; 1 of 1 registered; modes\.json is not JSON, so the modes of before hold/,
    ],
    [
      'served by modes of before',
      {
        ...running,
        pods: [pod],
        registrations: seen,
        mode: { mode: 'active', agents: 'active', problem: 'modes.json is not JSON' },
      },
      'True',
      'Serving',
      /1 of 1 registered; modes\.json is not JSON, so the modes of before hold/,
    ],
    [
      'no instances wanted',
      { ...running, resource: aResource({ spec: { instances: 0 } }) },
      'True',
      'ScaledToZero',
      /no instances/,
    ],
    [
      'no instances wanted, but one that is going is registered still',
      {
        ...running,
        resource: aResource({ spec: { instances: 0 } }),
        pods: [{ ...pod, deleting: true }],
        registrations: seen,
      },
      'True',
      'ScalingToZero',
      /no instances are wanted; 1 registered still/,
    ],
    [
      'no instances wanted, but nobody knows what clients see',
      {
        ...running,
        resource: aResource({ spec: { instances: 0 } }),
        pods: [{ ...pod, deleting: true }],
        registrations: { known: false, why: 'ZooKeeper is suspended' },
      },
      'True',
      'ScalingToZero',
      /unknown/,
    ],
  ])('%s', (_name, changes, status, reason, message) => {
    const found = ready(changes).ready;
    expect([found?.status, found?.reason]).toEqual([status, reason]);
    expect(found?.message).toMatch(message);
  });

  it('says which version is kept while a new one does not come up', () => {
    const old = deployment({ name: 'dga-old', uid: 'd0', versionKey: 'old', version: '0.9', createdAt: start - 1 });
    const oldPod = aPod({ uid: pod.uid, versionKey: 'old', ready: true });
    const found = ready({
      ...running,
      deployments: [old, deployment()],
      pods: [oldPod, aPod({ uid: 'n', versionKey: key, unschedulable: 'Insufficient memory' })],
      registrations: seen,
    });
    expect(found.ready?.message).toMatch(/version 0\.9 is kept/);
  });

  it('waits for a missing payload, but stalls on one that cannot work', () => {
    const failed = (code: string) => ready({ payload: { state: 'failed', transient: false, problem: problem(code) } });
    expect(failed('HDFS_PATH_MISSING').stalled?.status).toBe('False');
    expect(failed('PAYLOAD_NO_SCRIPT').stalled?.status).toBe('True');
  });

  it('leaves what is known of the payload unknown while HDFS is away', () => {
    const away = ready({
      ...running,
      pods: [pod],
      registrations: seen,
      payload: { state: 'pinned', problem: problem('HDFS_UNREACHABLE') },
    });
    expect([away.payload?.status, away.payload?.reason]).toEqual(['Unknown', 'HdfsUnreachable']);
  });
});
