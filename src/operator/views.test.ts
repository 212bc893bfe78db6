import { describe, expect, it } from 'vitest';
import { podView } from './views.ts';

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
