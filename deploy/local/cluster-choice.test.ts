import { describe, expect, test } from 'vitest';
import { clusterChoice, elsewhere, kindClusterOf } from './cluster-choice.ts';

describe('which cluster', () => {
  test.each([
    [{}, 'kind'],
    [{ CLUSTER: '' }, 'kind'],
    [{ CLUSTER: 'kind' }, 'kind'],
    [{ CLUSTER: 'existing' }, 'existing'],
  ])('%j means %s', (env, wanted) => {
    expect(clusterChoice(env)).toBe(wanted);
  });

  test('anything else is refused', () => {
    expect(() => clusterChoice({ CLUSTER: 'minikube' })).toThrow('CLUSTER=minikube');
  });
});

test('the kind cluster of a context', () => {
  expect(kindClusterOf('kind-test')).toBe('test');
  expect(kindClusterOf('production')).toBeUndefined();
});

describe('a cluster elsewhere', () => {
  const told = {
    ZOOKEEPER_QUORUM: 'zk1:2181,zk2:2181',
    WEBHDFS: 'http://nn1:9870/, http://nn2:9870',
    OPERATOR_IMAGE: 'registry.example/maas-operator:1',
    RUNTIME_IMAGE: 'registry.example/maas-runtime:1',
  };

  test('is taken as told', () => {
    expect(elsewhere(told)).toEqual({
      zookeeper: 'zk1:2181,zk2:2181',
      webhdfs: ['http://nn1:9870', 'http://nn2:9870'],
      operatorImage: 'registry.example/maas-operator:1',
      runtimeImage: 'registry.example/maas-runtime:1',
    });
  });

  test('is refused with the names of what was not told', () => {
    expect(() => elsewhere({ ...told, WEBHDFS: '', RUNTIME_IMAGE: undefined })).toThrow('Set WEBHDFS, RUNTIME_IMAGE:');
  });
});
