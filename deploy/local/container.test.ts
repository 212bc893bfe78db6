import { describe, expect, test } from 'vitest';
import { type ContainerSpec, deedFor, type Seen, specKey } from './container.ts';

const spec: ContainerSpec = {
  name: 'maas-zookeeper',
  image: 'maas-zookeeper:1',
  address: '10.201.0.10',
  env: {},
  hosts: {},
  volumes: { data: '/data' },
  command: [],
};
const running: Seen = { status: 'running', key: specKey(spec), address: '10.201.0.10' };

describe('what has to be done to a container', () => {
  test.each([
    ['that is not there', undefined, 'create'],
    ['that runs as it should', running, 'nothing'],
    ['that was made from something else', { ...running, key: 'other' }, 'recreate'],
    ['that ended', { ...running, status: 'exited' }, 'start'],
    ['that never started', { ...running, status: 'created' }, 'start'],
    ['that is paused', { ...running, status: 'paused' }, 'unpause'],
    ['that was cut off', { ...running, address: '' }, 'reconnect'],
    ['that is being removed', { ...running, status: 'removing' }, 'recreate'],
    ['that is dead', { ...running, status: 'dead' }, 'recreate'],
  ] as const)('%s', (_, seen, deed) => {
    expect(deedFor(spec, seen)).toBe(deed);
  });

  test('another image is another specification', () => {
    expect(deedFor({ ...spec, image: 'maas-zookeeper:2' }, running)).toBe('recreate');
  });
});
