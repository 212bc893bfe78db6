import { describe, expect, it } from 'vitest';
import type { DeployedModel } from './deployed-model.ts';
import { decideRemove } from './remove.ts';

const there: DeployedModel = {
  state: { namespace: 'fraud', name: 'dga-1.0', uid: 'u1', resourceVersion: '5' },
  createdAt: '2026-01-01T00:00:00Z',
  deleting: false,
  stalled: false,
  model: 'dga',
  version: '1.0',
  instances: 3,
  memory: '512Mi',
  path: '/m/dga',
  readFrom: 'Store',
};
const dga = (instances: number | undefined) => ({ model: 'dga', version: '1.0', instances });

describe('REMOVE', () => {
  it.each<[number | undefined, number]>([
    [1, 2],
    [3, 0],
    [9, 0],
    [undefined, 0],
  ])('of %s leaves %i', (instances, left) => {
    expect(decideRemove(dga(instances), [there])).toEqual({ kind: 'change', of: there, instances: left });
  });

  it('has nothing to do where it is going or not there', () => {
    const going = { ...there, deleting: true };
    expect(decideRemove(dga(1), [going])).toEqual({ kind: 'going', of: going });
    expect(decideRemove(dga(1), [{ ...there, version: '2.0' }])).toEqual({ kind: 'not there' });
  });
});
