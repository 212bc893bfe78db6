import { describe, expect, test } from 'vitest';
import { chartValues, imageParts } from './demo-values.ts';
import type { World } from './world.ts';

const world: World = {
  zookeeper: { quorum: '10.201.0.10:2181', container: 'maas-zookeeper' },
  hdfs: {
    nameservice: 'local',
    user: 'maas',
    superuser: 'hdfs',
    namenodes: [
      { id: 'nn1', container: 'maas-namenode1', webhdfs: 'http://10.201.0.12:9870', rpc: '10.201.0.12:8020' },
      { id: 'nn2', container: 'maas-namenode2', webhdfs: 'http://10.201.0.13:9870', rpc: '10.201.0.13:8020' },
    ],
    datanodes: [],
    journalnode: { container: 'maas-journalnode' },
  },
  images: { operator: 'maas-operator:abc', runtime: 'maas-runtime:def' },
};

describe('the values of the chart', () => {
  test('name the parts of the local world', () => {
    expect(chartValues(world, 'demo')).toEqual({
      namespaces: ['demo'],
      clusterId: 'demo',
      zookeeper: { quorum: '10.201.0.10:2181' },
      hdfs: {
        nameservices: {
          local: {
            webhdfs: ['http://10.201.0.12:9870', 'http://10.201.0.13:9870'],
            authorities: ['10.201.0.12:8020', '10.201.0.13:8020'],
          },
        },
        user: 'maas',
      },
      image: { repository: 'maas-operator', tag: 'abc' },
      model: { image: { repository: 'maas-runtime', tag: 'def' } },
    });
  });

  test('what was told of a cluster elsewhere counts more', () => {
    const elsewhere = {
      zookeeper: 'zk:2181',
      webhdfs: ['http://nn:9870'],
      operatorImage: 'registry.example:5000/maas-operator:1',
      runtimeImage: 'registry.example:5000/maas-runtime:1',
    };
    expect(chartValues({ ...world, elsewhere }, 'demo')).toMatchObject({
      zookeeper: { quorum: 'zk:2181' },
      hdfs: { nameservices: { existing: { webhdfs: ['http://nn:9870'] } } },
      image: { repository: 'registry.example:5000/maas-operator', tag: '1' },
    });
  });

  test('are refused while a part is missing, which is named', () => {
    expect(() => chartValues({ ...world, images: { operator: null, runtime: 'maas-runtime:def' } }, 'demo')).toThrow(
      'missing in the local world: operator',
    );
  });
});

test.each([
  ['maas-operator:1', { repository: 'maas-operator', tag: '1' }],
  ['registry.example:5000/maas-operator', { repository: 'registry.example:5000/maas-operator' }],
  ['registry.example:5000/a/b:1.2', { repository: 'registry.example:5000/a/b', tag: '1.2' }],
  ['a/b@sha256:00', { repository: 'a/b', digest: 'sha256:00' }],
])('the parts of %s', (name, parts) => {
  expect(imageParts(name)).toEqual(parts);
});
