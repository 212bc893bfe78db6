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
