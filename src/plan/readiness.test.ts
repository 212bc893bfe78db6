import { describe, expect, it } from 'vitest';
import {
  anObservation,
  aPayload,
  aPod,
  aResource,
  deployed,
  someSettings,
  start,
} from '../../test/builders/model-deployment.ts';
import type { ErrorCode } from '../contracts/error-catalogue.ts';

import { keyOf } from './children.ts';
import type { DeploymentView, Observation, PodView, RegistrationsView } from './observation.ts';
import { plan } from './plan.ts';

const key = keyOf(aResource().spec);
const { pin, revision, deployment: out } = deployed();
const deployment = (changes: Partial<DeploymentView> = {}): DeploymentView => ({ ...out, ...changes });
const running: Partial<Observation> = {
  deployments: [deployment()],
  pins: [pin],
  payload: { state: 'pinned', looked: true },
};
const copy = deployed(aResource(), aPayload({ path: '/store/aa', copiedFrom: '/models/dga' }));
const pod = aPod({ versionKey: key, revision, ready: true });
const seen = {
  known: true,
  byPod: new Map([[pod.uid, { version: '1.0', url: 'http://x:1', functions: {}, since: 0 }]]),
} as const;
const withDigest = (payloadDigest: string): RegistrationsView => ({
  known: true,
  byPod: new Map([...seen.byPod].map(([uid, registration]) => [uid, { ...registration, payloadDigest }])),
});
const both: RegistrationsView = {
  known: true,
  byPod: new Map([...seen.byPod, ['n', { version: '1.0', url: 'http://x:2', functions: {}, since: 0 }]]),
};
const problem = (code: ErrorCode) => ({ code, message: `${code} happened`, next: 'Do this.' });

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
      'no room for an object more in a quota',
      {
        ...running,
        refusal: {
          ...problem('CLUSTER_REFUSED'),
          message:
            'configmaps "x" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=5, limited: count/configmaps=5',
        },
      },
      'False',
      'WaitingForQueueCapacity',
      /waiting for room in a quota: .*count\/configmaps=5.*ask for more quota/,
    ],
    [
      'all served, without a budget that could be made',
      { ...running, pods: [pod], registrations: seen, unprotected: problem('CLUSTER_REFUSED') },
      'True',
      'Serving',
      /1 of 1 registered; a drain may take all at once: CLUSTER_REFUSED happened/,
    ],
    [
      'more than a quota has in all',
      {
        ...running,
        deployments: [
          deployment({
            replicaFailure:
              'pods "x" is forbidden: exceeded quota: q, requested: limits.cpu=2, used: limits.cpu=0, limited: limits.cpu=1',
          }),
        ],
      },
      'False',
      'WaitingForQueueCapacity',
      /One instance asks for more limits\.cpu than the quota has in all/,
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
      { ...running, pods: [aPod({ versionKey: key, revision, unschedulable: 'Insufficient cpu' })] },
      'False',
      'Unschedulable',
      /Insufficient cpu/,
    ],
    ['all served', { ...running, pods: [pod], registrations: seen }, 'True', 'Serving', /1 of 1/],
    [
      'served, but HDFS has other bytes',
      {
        ...running,
        pods: [pod],
        registrations: seen,
        payload: { state: 'pinned', looked: true, drift: 'run.sh has changed' },
      },
      'True',
      'PayloadChanged',
      /run\.sh has changed/,
    ],
    [
      'served, but its copy is damaged',
      {
        ...running,
        pins: [copy.pin],
        deployments: [copy.deployment],
        pods: [{ ...pod, revision: copy.revision }],
        registrations: seen,
        payload: { state: 'pinned', looked: true, drift: 'run.sh is gone' },
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
        payload: { state: 'pinned', looked: true, problem: problem('HDFS_UNREACHABLE') },
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
      /1 still registered/,
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
      /1 still registered, because the mode has only just become drain/,
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
      'paused while it serves',
      { ...running, resource: aResource({ spec: { paused: true } }), pods: [pod], registrations: seen },
      'True',
      'Serving',
      /^1 of 1 registered; paused by spec\.paused$/,
    ],
    [
      'paused before there is anything',
      { resource: aResource({ spec: { paused: true } }), payload: { state: 'resolved', payload: aPayload() } },
      'False',
      'Starting',
      /; paused by spec\.paused \(held back: pin the payload, a new version\)$/,
    ],
    [
      'paused and observed',
      {
        ...running,
        resource: aResource({ spec: { paused: true, instances: 2 } }),
        mode: { mode: 'observe', agents: 'active' },
      },
      'False',
      'Observed',
      /\(held back: other number of instances\); .*; paused by spec\.paused$/,
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
      /no instances are wanted; 1 still registered/,
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

  const broken = { kind: 'waiting', reason: 'ImagePullBackOff', message: 'no such image' } as const;
  const newPod = (changes: Partial<PodView> = {}) =>
    aPod({ name: 'dga-new', uid: 'n', versionKey: key, revision, ...changes });
  const earlier = { ...pod, revision: 'of the spec before' };
  const rolling = { ...running, deployments: [deployment({ rolledOut: false })], registrations: seen };
  it.each<[string, Partial<Observation>, string, string, RegExp]>([
    [
      'not told to the Deployment yet',
      { ...rolling, resource: aResource({ spec: { memory: '1Gi' } }), pods: [pod] },
      'False',
      'RollingOut',
      /^the change is not out: 0 of 1 registered with the present spec, 1 with the one before$/,
    ],
    [
      'on its way',
      { ...rolling, pods: [earlier, newPod()] },
      'False',
      'RollingOut',
      /0 of 1 registered with the present spec, 1 with the one before; dga-new: Starting/,
    ],
    [
      'an image that is not there',
      { ...rolling, pods: [earlier, newPod({ model: { restarts: 0, state: broken } })] },
      'False',
      'ImagePullFailed',
      /the change is not out: 0 of 1 registered with the present spec, 1 with .*; dga-new: no such image\. Correct the image/,
    ],
    [
      'more than any node has',
      { ...rolling, pods: [earlier, newPod({ unschedulable: 'Insufficient cpu' })] },
      'False',
      'Unschedulable',
      /the change is not out: .*Insufficient cpu/,
    ],
    [
      'a pod that Kubernetes refuses',
      { ...rolling, deployments: [deployment({ rolledOut: false, replicaFailure: 'no such class' })], pods: [earlier] },
      'False',
      'PodsRefused',
      /the change is not out: .*no such class/,
    ],
    [
      'mended, and the pod that could not start is still there',
      { ...rolling, pods: [earlier, newPod({ revision: 'broken', model: { restarts: 0, state: broken } })] },
      'False',
      'RollingOut',
      /^the change is not out: 0 of 1 registered with the present spec, 1 with the one before$/,
    ],
    [
      'up, and the instance before it is registered still',
      { ...rolling, pods: [earlier, newPod({ ready: true })], registrations: both },
      'False',
      'RollingOut',
      /1 of 1 registered with the present spec, 1 with the one before/,
    ],
    [
      'up, but with other bytes than the pinned ones',
      { ...running, pods: [pod], registrations: withDigest('sha256:other') },
      'False',
      'RollingOut',
      /1 of 1/,
    ],
    [
      'fewer instances, not all gone yet',
      { ...rolling, pods: [pod, newPod({ ready: true })], registrations: both },
      'True',
      'ScalingDown',
      /2 of 1 registered; 1 more to be stopped/,
    ],
  ])('a change: %s', (_name, changes, status, reason, message) => {
    const found = ready(changes);
    expect([found.ready?.status, found.ready?.reason]).toEqual([status, reason]);
    expect(found.ready?.message).toMatch(message);
    expect([found.reconciling?.status, found.reconciling?.message]).toEqual(['True', found.ready?.message]);
    expect(found.stalled?.status).toBe('False');
  });

  it('stalls with the reason when a change does not come up in its time, and warns', () => {
    const stuck = {
      ...rolling,
      deployments: [deployment({ rolledOut: false, stuck: true })],
      pods: [earlier, newPod({ model: { restarts: 0, state: broken } })],
    };
    const found = ready(stuck);
    expect([found.stalled?.status, found.stalled?.reason]).toEqual(['True', 'ProgressDeadlineExceeded']);
    expect(found.stalled?.message).toMatch(/nothing more has come up for 10m: ImagePullFailed: .*no such image/);
    expect(found.reconciling).toMatchObject({ status: 'False', reason: 'Stalled' });
    const { events } = plan(anObservation(stuck), someSettings);
    expect(events.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
      'Warning ImagePullFailed',
      'Normal Resolved',
      'Warning ProgressDeadlineExceeded',
    ]);
    // Time alone is no trouble: a payload may be large.
    const slow = ready({ ...stuck, pods: [earlier, newPod()] });
    expect(slow.stalled?.status).toBe('False');
  });

  const evicted = (name: string, minutesAgo: number) =>
    aPod({
      name,
      uid: name,
      versionKey: key,
      revision,
      dead: { why: 'Evicted: low on memory', at: start - minutesAgo * 60_000 },
    });
  it.each<[string, Partial<Observation>, string, RegExp]>([
    ['all up', { pods: [evicted('e', 0), pod], registrations: seen }, 'Serving', /^1 of 1 registered$/],
    [
      'no room for the next',
      { pods: [evicted('e', 1), newPod({ unschedulable: 'Insufficient memory' })] },
      'Unschedulable',
      /Insufficient memory; died just before: e: Evicted: low on memory/,
    ],
    ['the next starting', { pods: [evicted('e', 1), newPod()] }, 'Starting', /died just before: e: Evicted/],
    ['long ago', { pods: [evicted('e', 60), newPod()] }, 'Starting', /^0 of 1 registered; dga-new: Starting$/],
    ['nobody left', { pods: [evicted('e', 1)] }, 'PodFailed', /low on memory/],
    [
      'again and again',
      { pods: [evicted('a', 3), evicted('b', 2), evicted('c', 1), newPod()] },
      'PodFailed',
      /c \(the last of 3 in 10 minutes\): Evicted: low on memory/,
    ],
  ])('a pod that died: %s', (_name, changes, reason, message) => {
    const found = ready({ ...running, ...changes }).ready;
    expect(found?.reason).toBe(reason);
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

  it('remembers for whom a name was refused, also when that one is gone', () => {
    const owner = { namespace: 'elsewhere', name: 'first' };
    const older = { ...owner, uid: 'o', version: '1.0', creationTimestamp: '2000-01-01T00:00:00Z' };
    const refused = plan(anObservation({ peers: [older] }), someSettings).status;
    const free = plan(anObservation({ resource: { ...aResource(), status: refused } }), someSettings).status;
    for (const status of [refused, free]) {
      expect(status.nameOwner).toEqual(owner);
      const stalled = status.conditions?.find(({ type }) => type === 'Stalled');
      expect([stalled?.status, stalled?.reason]).toEqual(['True', 'NameOwned']);
      expect(stalled?.message).toMatch(/^the model name belongs to elsewhere\/first, in another namespace/);
    }
  });

  it('waits for a missing payload, but stalls on one that cannot work', () => {
    const failed = (code: ErrorCode) =>
      ready({ payload: { state: 'failed', transient: false, problem: problem(code) } });
    expect(failed('HDFS_PATH_MISSING').stalled?.status).toBe('False');
    expect(failed('PAYLOAD_NO_SCRIPT').stalled?.status).toBe('True');
  });

  it('mentions other bytes at the path that a copy was made from, while instances serve the copy', () => {
    const { ready: found, payload } = ready({
      ...running,
      pins: [copy.pin],
      deployments: [copy.deployment],
      pods: [{ ...pod, revision: copy.revision }],
      registrations: seen,
      payload: { state: 'pinned', looked: true, original: 'run.sh has 9 bytes, it had 8' },
    });
    expect([found?.status, found?.reason]).toEqual(['True', 'Serving']);
    expect([payload?.status, payload?.reason]).toEqual(['True', 'OriginalChanged']);
    expect(payload?.message).toMatch(/read a copy .* another one now: run\.sh has 9 bytes/);
  });

  it.each([
    ['True', 'OriginalChanged', 'OriginalChanged'],
    ['False', 'PayloadChanged', 'PayloadChanged'],
    ['True', 'Resolved', 'Resolved'],
    ['False', 'HdfsPathMissing', 'Resolved'],
  ] as const)(
    'holds to what was last seen of a pinned payload until it has looked: %s %s',
    (status, reason, wanted) => {
      const before = {
        type: 'PayloadResolved',
        status,
        reason,
        message: 'seen',
        lastTransitionTime: '2026-03-01T11:00:00Z',
      };
      const { payload } = ready({
        ...running,
        resource: aResource({}, { conditions: [before] }),
        pods: [pod],
        registrations: seen,
        payload: { state: 'pinned', looked: false },
      });
      expect(payload?.reason).toBe(wanted);
      expect(payload?.message).not.toMatch(/in HDFS is the one/);
    },
  );

  it('leaves what is known of the payload unknown while HDFS is away', () => {
    const away = ready({
      ...running,
      pods: [pod],
      registrations: seen,
      payload: { state: 'pinned', looked: true, problem: problem('HDFS_UNREACHABLE') },
    });
    expect([away.payload?.status, away.payload?.reason]).toEqual(['Unknown', 'HdfsUnreachable']);
  });
});
