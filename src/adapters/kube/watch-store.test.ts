import { describe, expect, it } from 'vitest';
import { type Identity, WatchStore } from './watch-store.ts';

const id = (name: string, uid: string, resourceVersion = '1'): Identity => ({
  namespace: 'a',
  name,
  uid,
  resourceVersion,
});

describe('the store of a watch', () => {
  it('tells an object that took a name over from the one that had it', () => {
    const store = new WatchStore<string>();
    store.put(0, id('x', 'old'), 'old x');
    expect(store.put(0, id('x', 'new', '2'), 'new x')).toEqual([
      { type: 'deleted', object: 'old x' },
      { type: 'added', object: 'new x' },
    ]);
    expect([store.byUid('old'), store.byUid('new'), store.size]).toEqual([undefined, 'new x', 1]);
  });

  it('takes the deletion of an object whose name has passed on for old news', () => {
    const store = new WatchStore<string>();
    store.put(0, id('x', 'new'), 'new x');
    expect(store.remove(id('x', 'old'), 'old x')).toEqual([]);
    expect(store.remove(id('y', 'other'), 'y')).toEqual([]);
    expect(store.get('a', 'x')).toBe('new x');
  });

  it('says nothing about a state that it knows', () => {
    const store = new WatchStore<string>();
    store.put(0, id('x', 'u'), 'x');
    expect(store.put(0, id('x', 'u'), 'x')).toEqual([]);
    expect(store.put(0, id('x', 'u', '2'), 'x2')).toEqual([{ type: 'modified', object: 'x2' }]);
  });

  it('tells with a deletion the last state, or the one that it knew', () => {
    const store = new WatchStore<string>();
    store.put(0, id('x', 'u'), 'x');
    store.put(0, id('y', 'v'), 'y');
    expect(store.remove(id('x', 'u', '2'), 'last x')).toEqual([{ type: 'deleted', object: 'last x' }]);
    expect(store.remove(id('y', 'v', '2'))).toEqual([{ type: 'deleted', object: 'y' }]);
  });

  it('drops what a full list of its scope has not, and nothing of other scopes', () => {
    const store = new WatchStore<string>((object) => object[0]);
    store.put(0, id('x', 'u'), 'x');
    store.put(0, id('y', 'v'), 'y');
    store.put(1, id('z', 'w'), 'z');
    expect(store.retain(0, new Set(['v']))).toEqual([{ type: 'deleted', object: 'x' }]);
    expect(store.list().sort()).toEqual(['y', 'z']);
    expect([store.indexed('x'), store.indexed('y')]).toEqual([[], ['y']]);
  });
});
