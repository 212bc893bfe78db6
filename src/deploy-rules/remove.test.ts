import { describe, expect, it } from 'vitest';
import { deployedModel } from '../../test/builders/deployed-model.ts';
import { decideRemove } from './remove.ts';

const there = deployedModel();
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
