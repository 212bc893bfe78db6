import { describe, expect, it } from 'vitest';
import { readModel } from './model.ts';

describe('a model as the commands read it', () => {
  it('may have amounts without quotes, as a Pod may', () => {
    const { spec } = readModel({
      apiVersion: 'maas.dev/v1',
      kind: 'ModelDeployment',
      metadata: { name: 'dga', namespace: 'fraud', uid: 'u', resourceVersion: '1' },
      spec: { name: 'dga', version: '1.0', memory: 536_870_912, cpu: 0.5, payload: { path: '/m' } },
    });
    expect(spec).toMatchObject({ memory: '536870912', cpu: '0.5' });
  });
});
