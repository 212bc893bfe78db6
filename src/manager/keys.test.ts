import { beforeEach, describe, expect, it } from 'vitest';
import { aResource } from '../../test/builders/model-deployment.ts';
import { WatchStore } from '../adapters/kube/watch-store.ts';
import type { ResourceEntry } from '../contracts/resource-entry.ts';
import { Keys } from './keys.ts';

let store: WatchStore<ResourceEntry>;
let added: Set<string>;
let keys: Keys;

beforeEach(() => {
  store = new WatchStore(({ resource }) => resource.spec.name);
  added = new Set();
  keys = new Keys(added, store);
  put('a', 'dga', 'fraud');
  put('b', 'dga', 'ads');
  put('c', 'echo', 'fraud');
});

function entry(uid: string, model: string, namespace: string): ResourceEntry {
  return { resource: aResource({ metadata: { name: uid, uid, namespace }, spec: { name: model } }) };
}

function put(uid: string, model: string, namespace: string): void {
  store.put(0, { namespace, name: uid, uid, resourceVersion: '1' }, entry(uid, model, namespace));
}

const heard = () => [...added].sort();

describe('the keys of news', () => {
  it.each([
    ['added', ['a', 'b']],
    ['modified', ['a']],
    ['deleted', ['a', 'b']],
  ] as const)('of a resource that was %s', (type, wanted) => {
    keys.resource({ type, object: entry('a', 'dga', 'fraud') });
    expect(heard()).toEqual(wanted);
  });

  it('of a resource that is gone are its own, too: who works on it forgets it', () => {
    keys.resource({ type: 'deleted', object: entry('gone', 'dga', 'fraud') });
    expect(heard()).toEqual(['a', 'b', 'gone']);
  });

  it('of a child are its owner', () => {
    keys.child({ type: 'deleted', object: { ownerUid: 'c', namespace: 'fraud', view: {} } });
    expect(heard()).toEqual(['c']);
  });

  it('of a model are all that name it', () => {
    keys.model('dga');
    keys.model('unheard-of');
    expect(heard()).toEqual(['a', 'b']);
  });

  it.each([
    ['fraud', ['a', 'c']],
    [undefined, ['a', 'b', 'c']],
  ])('of namespace %s are those in it', (namespace, wanted) => {
    keys.namespace(namespace);
    expect(heard()).toEqual(wanted);
  });
});
