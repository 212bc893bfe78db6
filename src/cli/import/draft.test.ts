import { describe, expect, it } from 'vitest';
import { ZnodeTree } from '../../../test/builders/znode-tree.ts';
import { readZooKeeperSide } from '../zookeeper/zookeeper-side.ts';
import { candidatePaths } from './candidate-paths.ts';
import { type Draft, draftsOf } from './draft.ts';
import { importedOf, type PayloadSearch } from './imported.ts';
import { manifestsYaml } from './manifest-yaml.ts';

const everything = { model: undefined, version: undefined };

async function drafts(tree: ZnodeTree, wanted: Parameters<typeof draftsOf>[1] = everything) {
  const side = await readZooKeeperSide(tree, { configPath: '/metron/maas/config', operatorRoot: '/maas/operator' });
  return draftsOf(side, wanted);
}

const request = (change: object) =>
  JSON.stringify({
    name: 'dga',
    version: '1.0',
    numInstances: 2,
    memory: 512,
    action: 'ADD',
    path: '/m/dga',
    ...change,
  });

describe('draftsOf', () => {
  it('counts the registrations of others, by model and version', async () => {
    const tree = new ZnodeTree()
      .register({ id: '1', url: 'http://node1:1' })
      .register({ id: '2', url: 'http://node2:1' })
      .register({ id: '3', url: 'http://node2:1', version: '2.0' })
      .register({ id: '4', model: 'echo' });
    const { drafts: found, notes } = await drafts(tree);
    expect(notes).toEqual([]);
    expect(found.map(({ model, version, registered, urls }) => [model, version, registered, urls])).toEqual([
      ['dga', '1.0', 2, ['http://node1:1', 'http://node2:1']],
      ['dga', '2.0', 1, ['http://node2:1']],
      ['echo', '1.0', 1, ['http://127.0.0.1:1']],
    ]);
    expect((await drafts(tree, { model: 'dga', version: '2.0' })).drafts).toHaveLength(1);
  });

  it('passes over what agents registered, of this cluster or another, and what nobody can read', async () => {
    const tree = new ZnodeTree()
      .registerFromPod({ id: 'dga-2-3f0b7c1e-8a41-4d7a-9a53-0c6d1f2e9b10' })
      .registerFromPod({ id: 'dga-9-11111111-8a41-4d7a-9a53-0c6d1f2e9b10' }, { cluster: 'there', session: '2' })
      .put('/maas/service/spam/1', 'garbage')
      .put('/maas/service/spam/2', '', { hidden: true });
    const { drafts: found, notes } = await drafts(tree);
    expect(found).toEqual([]);
    expect(notes).toEqual([
      expect.stringContaining('/maas/service/spam/1 was passed over: it is not JSON'),
      expect.stringContaining('/maas/service/spam/2 was passed over'),
      expect.stringContaining('2 registrations of agents passed over'),
    ]);
  });

  it('learns memory and payload from the last request that says them', async () => {
    const tree = new ZnodeTree()
      .register()
      .request(1, request({}))
      .request(2, request({ numInstances: 1, memory: 1024, path: null }))
      .request(3, request({ action: 'REMOVE', numInstances: 1, memory: 0, path: null }))
      .request(4, 'null');
    expect(await drafts(tree)).toMatchObject({
      notes: [],
      drafts: [
        {
          registered: 1,
          asked: 2,
          memoryMb: 1024,
          payloadPath: '/m/dga',
          requests: ['qn-0000000001', 'qn-0000000002', 'qn-0000000003'],
        },
      ],
    });
  });

  it('has nothing to say about what is removed before it was there', async () => {
    const tree = new ZnodeTree()
      .request(1, request({ action: 'REMOVE', name: 'gone' }))
      .request(2, request({ name: 'brief' }))
      .request(3, request({ name: 'brief', action: 'REMOVE' }));
    expect((await drafts(tree)).drafts).toEqual([]);
  });

  it.each([
    ['broken JSON', '{"na', 'it is not JSON'],
    ['an unknown field', request({ zone: 'a' }), 'zone'],
    ['no name', request({ name: null }), 'nothing that can be done'],
    ['no version', request({ version: null }), 'nothing that can be done'],
    ['no action', request({ action: null }), 'nothing that can be done'],
    ['no instances', request({ numInstances: 0 }), 'nothing that can be done'],
    ['a name that no resource can have', request({ name: 'a/b' }), 'no resource can have this model name'],
    ['a version that no resource can have', request({ version: 'a\nb' }), 'no resource can have this version'],
  ])('passes over a request with %s', async (_what, data, why) => {
    const { drafts: found, notes } = await drafts(new ZnodeTree().request(1, data));
    expect(found).toEqual([]);
    expect(notes).toEqual([expect.stringContaining(why)]);
  });
});

const draft: Draft = {
  model: 'dga',
  version: '1.0',
  registered: 2,
  urls: ['http://node1:1', 'http://node2:1'],
  asked: 0,
  requests: [],
  memoryMb: undefined,
  payloadPath: undefined,
};
const found: PayloadSearch = {
  state: 'found',
  path: 'models/dga',
  payload: { path: '/user/maas/models/dga', script: 'dga.sh', files: 3, bytes: 2_048 },
};
const nowhere: PayloadSearch = { state: 'unknown', tried: [{ path: 'maas/models/dga/1.0', why: 'There is nothing' }] };
const options = { namespace: 'fraud', memory: undefined, cpu: '10m', readFrom: 'Store' } as const;

describe('importedOf', () => {
  it('is complete where a request and HDFS tell the rest', () => {
    const { manifest, missing } = importedOf({ ...draft, memoryMb: 512 }, found, options);
    expect(missing).toEqual([]);
    expect(manifest).toEqual({
      apiVersion: 'maas.dev/v1',
      kind: 'ModelDeployment',
      metadata: { name: 'dga-1.0', namespace: 'fraud' },
      spec: {
        name: 'dga',
        version: '1.0',
        instances: 2,
        memory: '512Mi',
        cpu: '10m',
        payload: { path: 'models/dga', readFrom: 'Store' },
      },
    });
  });

  it('takes the memory that is given only where nobody tells it', () => {
    const given = { ...options, memory: '2Gi' };
    expect(importedOf(draft, found, given).manifest.spec['memory']).toBe('2Gi');
    expect(importedOf({ ...draft, memoryMb: 512 }, found, given).manifest.spec['memory']).toBe('512Mi');
  });

  it('counts what is registered, and what is asked for only where nothing is', () => {
    expect(importedOf({ ...draft, asked: 3 }, found, options).manifest.spec['instances']).toBe(2);
    const asked = importedOf({ ...draft, registered: 0, asked: 3 }, found, options);
    expect(asked).toMatchObject({ onlyAsked: true, manifest: { spec: { instances: 3 } } });
  });

  it('says which fields are open', () => {
    expect(importedOf(draft, nowhere, options).missing).toEqual(['memory', 'payload.path']);
    const unproved: PayloadSearch = { state: 'unproved', path: '/m/dga', why: 'HDFS is away' };
    expect(importedOf(draft, unproved, options)).toMatchObject({
      missing: ['memory'],
      notes: [expect.any(String), 'The payload could not be seen: HDFS is away'],
    });
  });
});

describe('manifestsYaml', () => {
  it('leaves what is open as comments in its place', () => {
    expect(manifestsYaml([importedOf(draft, nowhere, options)])).toBe(`---
# 2 instances registered at http://node1:1, http://node2:1.
# No payload at maas/models/dga/1.0: There is nothing
apiVersion: maas.dev/v1
kind: ModelDeployment
metadata:
  name: dga-1.0
  namespace: fraud
spec:
  name: dga
  version: "1.0"
  instances: 2
  cpu: 10m
  # To be filled in: memory of each instance (-m of the old deploy client, there in megabytes).
  # memory: 512Mi
  # To be filled in: the directory in HDFS (-hmp of the old deploy client).
  # payload:
  #   path: /user/metron/models/NAME
  #   readFrom: Store
`);
  });

  it('lets no text from outside end a comment', () => {
    const evil = { ...draft, urls: ['http://x\nspec: {evil: true}\u2028\u0007'] };
    const text = manifestsYaml([importedOf(evil, found, options)]);
    expect(text).not.toMatch(/^spec: \{evil/m);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u2028]/u);
  });
});

describe('candidatePaths', () => {
  it('fills the template, once and literally', () => {
    const model = { model: '{version}$&', version: '1.0' };
    expect(candidatePaths(model, '/m/{name}/{version}/{name}', undefined)).toEqual(['/m/{version}$&/1.0/{version}$&']);
  });

  it('tries what the user says first, and then where add puts payloads', () => {
    const model = { model: 'dga', version: '1.0' };
    expect(candidatePaths(model, 'models/{name}', 'maas/models')).toEqual(['models/dga', 'maas/models/dga/1.0']);
    expect(candidatePaths(model, undefined, undefined)).toEqual([]);
  });
});
