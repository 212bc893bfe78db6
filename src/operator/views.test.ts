import { describe, expect, it } from 'vitest';
import { customResourceDefinition } from '../contracts/crd.ts';
import { modelDeploymentStatus } from '../contracts/resource.ts';
import { podView, resourceEntry } from './views.ts';

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

describe('resourceEntry', () => {
  const spec = { name: 'dga', version: '1.0', memory: '512Mi', payload: { path: '/models/dga' } };

  it('does not take for a memory what the API server says before any operator does', () => {
    const crd = customResourceDefinition() as {
      spec: { versions: { schema: { openAPIV3Schema: { properties: { status: { default: unknown } } } } }[] };
    };
    const status = crd.spec.versions[0]?.schema.openAPIV3Schema.properties.status.default;
    expect(status).toMatchObject({ conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NotSeen' }] });
    expect(modelDeploymentStatus.safeParse(status).success).toBe(true);
    expect(resourceEntry({ metadata: { name: 'dga' }, spec, status }).resource.status).toEqual({});
  });
});
