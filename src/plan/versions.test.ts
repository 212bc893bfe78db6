import { describe, expect, it } from 'vitest';
import { aPod, start } from '../../test/builders/model-deployment.ts';
import type { DeploymentView, RegistrationsView } from './observation.ts';
import { versionsOf } from './versions.ts';

const deployment = (key: string, changes: Partial<DeploymentView> = {}): DeploymentView => ({
  name: key,
  uid: `uid-${key}`,
  versionKey: key,
  version: key,
  createdAt: start,
  deleting: false,
  replicas: 1,
  annotations: {},
  spec: {},
  asApplied: false,
  rolledOut: true,
  stuck: false,
  everComplete: true,
  ...changes,
});
const never: Partial<DeploymentView> = { everComplete: false };
/** Registered pods, one for each key named. */
function served(...keys: string[]) {
  const pods = keys.map((key, at) => aPod({ uid: `p${at}`, versionKey: key, ready: true }));
  const byPod = new Map(pods.map((pod) => [pod.uid, { id: pod.uid, version: '', url: '', functions: {}, since: 0 }]));
  const registrations: RegistrationsView = { known: true, byPod };
  return { pods, registrations };
}

const one = { wanted: 1, needed: 1 };

describe('versionsOf', () => {
  it.each<[string, DeploymentView[], string[], string | undefined, string[]]>([
    ['a first version on its way', [deployment('new', never)], [], 'new', []],
    ['a version that is complete', [deployment('new')], ['new'], 'new', []],
    ['a switch on its way', [deployment('old'), deployment('new', never)], ['old'], 'old', []],
    ['a switch that is done', [deployment('old'), deployment('new')], ['old', 'new'], 'new', ['old']],
    ['an old version that is down for the moment', [deployment('old'), deployment('new', never)], [], 'old', []],
    ['an old version that never came up', [deployment('old', never), deployment('new', never)], [], 'new', ['old']],
    [
      'three versions, of which one is served',
      [deployment('old'), deployment('between', never), deployment('new', never)],
      ['old'],
      'old',
      ['between'],
    ],
    [
      'a deployment that is being deleted',
      [deployment('old', { deleting: true }), deployment('new')],
      ['new'],
      'new',
      [],
    ],
    ['the wanted version gone, the old one served', [deployment('old')], ['old'], 'old', []],
  ])('%s', (_name, deployments, keys, serving, superfluous) => {
    const { pods, registrations } = served(...keys);
    const found = versionsOf('new', one, deployments, pods, registrations);
    expect(found.serving?.versionKey).toBe(serving);
    expect(found.superfluous.map((each) => each.versionKey)).toEqual(superfluous);
  });

  it.each<[string, string[], string[], boolean, string[]]>([
    ['none ready yet', [], [], false, []],
    ['all ready, the old one registered still', ['old'], ['new', 'old'], false, []],
    ['all ready, registered still themselves', ['new'], ['new', 'old'], false, []],
    ['all ready, nothing registered any more', [], ['new', 'old'], true, ['old']],
  ])('counts by readiness where the mode is not to register: %s', (_name, registeredKeys, readyKeys, done, going) => {
    const all = [deployment('old'), deployment('new')];
    const pods = ['old', 'new'].map((key) => aPod({ uid: key, versionKey: key, ready: readyKeys.includes(key) }));
    const seen = registeredKeys.map(
      (key) => [key, { id: key, version: '', url: '', functions: {}, since: 0 }] as const,
    );
    for (const mode of ['shadow', 'drain'] as const) {
      const found = versionsOf('new', one, all, pods, { known: true, byPod: new Map(seen) }, mode);
      expect([found.complete, found.superfluous.map((each) => each.versionKey)]).toEqual([done, going]);
      const away = versionsOf('new', one, all, pods, { known: false, why: '' }, mode);
      expect([away.complete, away.superfluous]).toEqual([false, []]);
    }
  });

  it('finds nothing superfluous while ZooKeeper cannot be asked', () => {
    const all = [deployment('old', never), deployment('new')];
    const found = versionsOf('new', one, all, served('new').pods, { known: false, why: '' });
    expect(found.superfluous).toEqual([]);
    expect(found.registered).toBe(0);
  });
});
