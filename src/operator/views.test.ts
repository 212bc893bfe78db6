import { describe, expect, it } from 'vitest';
import { aPayload, aResource, someSettings } from '../../test/builders/model-deployment.ts';
import { deploymentManifest } from '../plan/children.ts';
import { deploymentView, podView } from './views.ts';

describe('deploymentView', () => {
  const { metadata, ...manifest } = deploymentManifest(aResource(), { name: 'pin', payload: aPayload() }, someSettings);
  const spec = manifest['spec'] as { template: { spec: object } };
  const isAsApplied = (live: object, annotations = metadata.annotations) =>
    deploymentView({ metadata: { name: 'd', uid: 'u', annotations: { ...annotations } }, spec: { ...live } }).view
      .asApplied;

  it('tells whether the live spec is the one that was applied', () => {
    expect(isAsApplied(spec)).toBe(true);
    expect(isAsApplied({ ...spec, replicas: 7, minReadySeconds: 0 })).toBe(true);
    expect(isAsApplied({ ...spec, paused: true })).toBe(false);
    expect(isAsApplied({ ...spec, template: { spec: { ...spec.template.spec, volumes: [] } } })).toBe(false);
    expect(isAsApplied(spec, {})).toBe(false);
    expect(isAsApplied(spec, { 'maas.dev/applied': '{' })).toBe(false);
  });
});

describe('podView', () => {
  it.each([
    ['Unschedulable', { unschedulable: 'words' }],
    ['SchedulingGated', { gated: 'words' }],
    ['Other', {}],
  ])('a pod without a node because of %s', (reason, wanted) => {
    const conditions = [{ type: 'PodScheduled', status: 'False', reason, message: 'words' }];
    const { view } = podView({ metadata: { name: 'p', uid: 'u' }, status: { conditions } });
    const { unschedulable, gated } = view;
    expect({
      ...(unschedulable === undefined ? {} : { unschedulable }),
      ...(gated === undefined ? {} : { gated }),
    }).toEqual(wanted);
  });
});

describe('the volumes of a pod', () => {
  it('are known by what they are made of, for those that cannot be mounted', () => {
    const volumes = [
      { name: 'token', secret: { secretName: 'hdfs' } },
      { name: 'pinned', configMap: { name: 'dga-x' } },
      { name: 'payload' },
    ];
    const { view } = podView({ metadata: { name: 'p', uid: 'u' }, spec: { volumes } });
    expect(view.volumeSources).toEqual({ token: 'hdfs', pinned: 'dga-x' });
  });
});
