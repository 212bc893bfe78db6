import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeKubeApi, refusal } from '../../../test/builders/fake-kube-api.ts';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import { RememberingLog } from '../../../test/builders/remembering-log.ts';
import { systemClock as clock } from '../../kernel/system-clock.ts';
import { KubeClient } from './client.ts';
import { configMaps } from './resource-kind.ts';
import { createTransport, type Transport } from './transport.ts';
import { startWatch, type Watch } from './watch.ts';
import type { WatchOptions } from './watch-scope.ts';
import type { Change } from './watch-store.ts';

const collection = 'v1/configmaps';
/** Waits for a condition, longer than any machine needs. */
const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 5 });

interface Kept {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly value: string;
}
type ConfigMapWatch = WatchOptions<NonNullable<(typeof configMaps)[keyof typeof configMaps & symbol]>, Kept>;

describe('a supervised watch', () => {
  let api: FakeKubeApi;
  let transport: Transport;
  let watches: Watch<Kept>[];
  let log: RememberingLog;
  let seen: string[];

  beforeEach(async () => {
    api = await new FakeKubeApi().start();
    transport = createTransport(() => api.kubeconfig(), clock, 'maas-test');
    watches = [];
    seen = [];
    log = new RememberingLog();
  });
  afterEach(async () => {
    await Promise.all(watches.map((watch) => watch.stop()));
    transport.close();
    await api.stop();
  });

  const start = (options: Partial<ConfigMapWatch> = {}): Watch<Kept> => {
    const watch = startWatch({
      client: new KubeClient(transport, clock),
      kind: configMaps,
      project: (object) => ({
        namespace: object.metadata.namespace ?? '',
        name: object.metadata.name,
        uid: object.metadata.uid,
        value: object.data?.['value'] ?? '',
      }),
      onChange: (change: Change<Kept>) => seen.push(`${change.type} ${change.object.name} ${change.object.uid}`),
      clock,
      log,
      times: { backoffMs: 5, longestBackoffMs: 40 },
      ...options,
    });
    watches.push(watch);
    return watch;
  };
  const put = (name: string, value = '', namespace = 'a', labels: Record<string, string> = {}) =>
    api.put(collection, { metadata: { namespace, name, labels }, data: { value } });
  /** What the server was asked for: whole lists, and streams. */
  const lists = () => api.requests.filter(({ query }) => !query.has('watch') && !query.has('continue')).length;
  const streams = () => api.requests.filter(({ query }) => query.get('watch') === 'true').length;
  const failures = () => log.entries.filter(({ message }) => message.startsWith('a watch failed')).length;
  const streaming = (count = 1) => eventually(() => expect(api.watchers).toBe(count));
  /** Everything that the watch knows is what the server has. */
  const agrees = (watch: Watch<Kept>) =>
    eventually(() => {
      const there = api.all(collection).map((object) => `${object.metadata.name} ${object.metadata.uid}`);
      expect(
        watch.store
          .list()
          .map((kept) => `${kept.name} ${kept.uid}`)
          .sort(),
      ).toEqual(there.sort());
    });

  it('lists page by page, then follows', async () => {
    for (let i = 0; i < 5; i++) put(`m${i}`);
    const watch = start({ pageSize: 2 });
    expect(watch.isSynced()).toBe(false);
    await watch.synced;
    expect(watch.isSynced()).toBe(true);
    expect(watch.store.size).toBe(5);
    expect(watch.store.get('a', 'm3')?.name).toBe('m3');

    await streaming();
    put('m3', 'new');
    api.remove(collection, 'a', 'm0');
    put('m9');
    await agrees(watch);
    expect(watch.store.get('a', 'm3')?.value).toBe('new');
    expect(seen.slice(5).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'modified m3',
      'deleted m0',
      'added m9',
    ]);
    expect([lists(), streams(), seen.length]).toEqual([1, 1, 8]);
    expect(log.warnings).toEqual([]);
  });

  it('loses nothing when the connection is reset, and does not list again', async () => {
    const watch = start();
    for (let round = 1; round <= 3; round++) {
      await streaming();
      api.cutWatches();
      put(`m${round}`);
      await agrees(watch);
    }
    expect(lists()).toBe(1);
    expect(streams()).toBeGreaterThanOrEqual(4);
  });

  it('drops half a line and gets the whole one after the restart', async () => {
    const watch = start();
    await streaming();
    api.silent = true;
    const stored = put('m1');
    api.silent = false;
    api.say(JSON.stringify({ type: 'ADDED', object: stored }).slice(0, 40));
    api.cutWatches();
    await agrees(watch);
    expect(seen).toEqual([`added m1 ${stored.metadata.uid}`]);
  });

  it.each([
    ['at the start', true],
    ['in the stream', false],
  ])('lists again when the resourceVersion expired %s, and tells the difference', async (_when, atStart) => {
    api.expiredAtStart = atStart;
    const gone = put('gone');
    const kept = put('kept');
    const changed = put('changed');
    const watch = start();
    await watch.synced;
    await streaming();
    seen.length = 0;
    api.silent = true;
    api.remove(collection, 'a', 'gone');
    put('changed', 'now');
    const fresh = put('fresh');
    api.compact();
    api.cutWatches();
    api.silent = false;
    await agrees(watch);
    expect(seen.sort()).toEqual([
      `added fresh ${fresh.metadata.uid}`,
      `deleted gone ${gone.metadata.uid}`,
      `modified changed ${changed.metadata.uid}`,
    ]);
    expect(watch.store.byUid(kept.metadata.uid ?? '')).toBeDefined();
    expect(lists()).toBe(2);
    // The stream works again.
    await streaming();
    put('after');
    await agrees(watch);
  });

  it('does not wait before it lists again after an orderly end', async () => {
    const hasty = new HastyClock();
    const watch = start({ times: { backoffMs: 1 }, clock: hasty });
    await watch.synced;
    await streaming();
    api.silent = true;
    put('unheard');
    api.compact();
    api.silent = false;
    // A stream that ends at once would be a failure with another face.
    hasty.pass(1_000);
    api.endWatches();
    await agrees(watch);
    expect(lists()).toBe(2);
    expect(hasty.waits).toEqual([]);
  });

  it.each([
    ['during an outage', true],
    ['while it watches', false],
  ])('sees an object that was deleted and created again %s as two', async (_when, outage) => {
    const before = put('same');
    const watch = start();
    await watch.synced;
    await streaming();
    seen.length = 0;
    api.silent = outage;
    api.remove(collection, 'a', 'same');
    const after = put('same');
    if (outage) {
      api.compact();
      api.cutWatches();
      api.silent = false;
    }
    await agrees(watch);
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    expect(seen).toEqual([`deleted same ${before.metadata.uid}`, `added same ${after.metadata.uid}`]);
    expect(watch.store.byUid(before.metadata.uid ?? '')).toBeUndefined();
    expect(watch.store.byUid(after.metadata.uid ?? '')?.name).toBe('same');
  });

  it('goes on from the last bookmark', async () => {
    const watch = start();
    await watch.synced;
    await streaming();
    put('m1');
    await agrees(watch);
    api.bookmark();
    api.endWatches();
    await eventually(() => expect(streams()).toBeGreaterThan(1));
    await streaming();
    const versions = api.requests
      .filter((request) => request.query.get('watch') === 'true')
      .map((request) => Number(request.query.get('resourceVersion')));
    expect(versions.at(-1)).toBe((versions[0] ?? 0) + 2);
    expect(
      api.requests.every((r) => r.query.get('watch') === null || r.query.get('allowWatchBookmarks') === 'true'),
    ).toBe(true);
  });

  it('gives a silent stream up', async () => {
    const watch = start({ times: { streamMs: 1_000, graceMs: 100, backoffMs: 5 } });
    await watch.synced;
    await streaming();
    const since = performance.now();
    api.silent = true;
    put('unheard');
    await eventually(() => expect(watch.store.size).toBe(1));
    expect(performance.now() - since).toBeLessThan(4_000);
    expect(failures()).toBe(1);
  });

  it('takes an orderly end as nothing special', async () => {
    const watch = start({ times: { streamMs: 1_000 } });
    await watch.synced;
    await eventually(() => expect(streams()).toBe(2));
    expect(lists()).toBe(1);
    expect(log.warnings).toEqual([]);
  });

  it.each([
    ['nonsense', 'not json\n'],
    ['a value that is no event', '42\n'],
    ['an object without identity', `${JSON.stringify({ type: 'ADDED', object: { metadata: {} } })}\n`],
    ['an error event', `${JSON.stringify({ type: 'ERROR', object: refusal(500, 'InternalError', 'etcd') })}\n`],
  ])('starts again after %s in the stream', async (_what, text) => {
    const watch = start();
    await watch.synced;
    await streaming();
    api.say(text);
    await eventually(() => expect(failures()).toBe(1));
    put('after');
    await agrees(watch);
    expect(lists()).toBe(1);
  });

  it.each([
    ['lists again when its version may be the reason', 400, 8, 3],
    ['does not burden a server in trouble with lists', 503, 8, 0],
    ['lists again at last', 503, 12, 1],
  ])('survives a server that fails for a while, and %s', async (_what, status, times, relists) => {
    put('m1');
    const watch = start();
    await watch.synced;
    await streaming();
    let failing = times;
    const fault = { do: 'answer', status, body: refusal(status, 'Trouble', 'no') } as const;
    api.fault = (request) => (request.query.get('watch') === 'true' && failing-- > 0 ? fault : undefined);
    api.cutWatches();
    await eventually(() => expect(failing).toBeLessThan(0));
    put('m2');
    await agrees(watch);
    expect(lists()).toBe(1 + relists);
  });

  it('syncs late when the first lists fail', async () => {
    put('m1');
    let failing = 3;
    api.fault = () => (failing-- > 0 ? { do: 'answer', status: 503 } : undefined);
    const watch = start();
    await watch.synced;
    expect(watch.store.size).toBe(1);
    expect([failures(), lists()]).toEqual([3, 4]);
  });

  it('waits longer and longer, but not without bound', async () => {
    api.fault = () => ({ do: 'answer', status: 500 });
    const hasty = new HastyClock();
    start({ random: () => 1, times: {}, clock: hasty });
    await eventually(() => expect(hasty.waits.length).toBeGreaterThanOrEqual(9));
    expect(hasty.waits.slice(0, 9)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  });

  it('obeys a Retry-After of the stream', async () => {
    const hasty = new HastyClock();
    const watch = start({ times: {}, clock: hasty });
    await watch.synced;
    await streaming();
    let busy = true;
    api.fault = () => {
      if (!busy) return undefined;
      busy = false;
      return {
        do: 'answer',
        status: 429,
        headers: { 'retry-after': '7' },
        body: refusal(429, 'TooManyRequests', 'slow'),
      };
    };
    api.cutWatches();
    await eventually(() => expect(hasty.waits).toContain(7_000));
  });

  it('survives its handler, its projection and its index', async () => {
    put('bad-handler');
    put('bad-projection');
    put('bad-index');
    put('good');
    const plain = start().store;
    const watch = start({
      onChange: (change) => {
        if (change.object.name === 'bad-handler') throw new Error('handler');
        seen.push(change.object.name);
      },
      project: ({ metadata }) => {
        if (metadata.name === 'bad-projection') throw new Error('projection');
        return { namespace: metadata.namespace ?? '', name: metadata.name, uid: metadata.uid, value: '' };
      },
      index: (kept) => {
        if (kept.name === 'bad-index') throw new Error('index');
        return kept.name;
      },
    });
    await watch.synced;
    expect(
      watch.store
        .list()
        .map((kept) => kept.name)
        .sort(),
    ).toEqual(['bad-handler', 'bad-index', 'good']);
    expect(watch.store.indexed('good')).toHaveLength(1);
    expect(log.warnings).toHaveLength(3);
    await eventually(() => expect(plain.size).toBe(4));
    await streaming(2);
    put('bad-projection', 'again');
    put('later');
    await eventually(() => expect(watch.store.get('a', 'later')).toBeDefined());
  });

  it('follows several namespaces and a selector, and no others', async () => {
    put('m1', '', 'a', { app: 'maas' });
    put('m2', '', 'b', { app: 'maas' });
    put('m3', '', 'c', { app: 'maas' });
    put('m4', '', 'a');
    const watch = start({ namespaces: ['a', 'b'], labelSelector: 'app=maas' });
    await watch.synced;
    await streaming(2);
    put('m5', '', 'b', { app: 'maas' });
    put('m6', '', 'c', { app: 'maas' });
    await eventually(() => expect(watch.store.size).toBe(3));
    expect(
      watch.store
        .list('b')
        .map((kept) => kept.name)
        .sort(),
    ).toEqual(['m2', 'm5']);
    // A relist of one namespace leaves the others alone.
    api.compact();
    api.cutWatches();
    await eventually(() => expect(lists()).toBe(4));
    expect(
      watch.store
        .list()
        .map((kept) => kept.name)
        .sort(),
    ).toEqual(['m1', 'm2', 'm5']);
  });

  it('goes on with the other namespaces where one is refused, keeps what it knew, and follows again when it may', async () => {
    put('one', '', 'a');
    put('two', '', 'b');
    let forbidden = '';
    const body = refusal(403, 'Forbidden', 'configmaps is forbidden: User "x" cannot list resource "configmaps"');
    api.fault = ({ path }) =>
      path.includes(`/namespaces/${forbidden}/`) ? { do: 'answer', status: 403, body } : undefined;
    const access: string[] = [];
    const onAccess = (namespace: string | undefined, error: unknown) =>
      access.push(`${namespace} ${error === undefined ? 'follows' : 'is refused'}`);
    forbidden = 'b';
    const watch = start({ namespaces: ['a', 'b'], onAccess });
    await watch.synced;
    await eventually(() => expect(access.toSorted()).toEqual(['a follows', 'b is refused']));
    expect(watch.store.list().map(({ name }) => name)).toEqual(['one']);

    forbidden = '';
    await eventually(() => expect(access).toContain('b follows'));
    await eventually(() => expect(watch.store.list().map(({ name }) => name)).toEqual(['one', 'two']));
    await streaming(2);

    forbidden = 'b';
    api.cutWatches();
    await eventually(() => expect(access.filter((line) => line === 'b is refused')).toHaveLength(2));
    // What is not known is not gone.
    expect(watch.store.list().map(({ name }) => name)).toEqual(['one', 'two']);
    expect(seen.filter((line) => line.startsWith('deleted'))).toEqual([]);

    api.remove(collection, 'b', 'two');
    put('three', '', 'b');
    forbidden = '';
    await eventually(() => expect(watch.store.list().map(({ name }) => name)).toEqual(['one', 'three']));
    expect(access.filter((line) => line === 'b follows')).toHaveLength(2);
  });

  it('is not in step with a namespace that is refused where nobody asks about it', async () => {
    const body = refusal(403, 'Forbidden', 'configmaps is forbidden: User "x" cannot list resource "configmaps"');
    api.fault = () => ({ do: 'answer', status: 403, body });
    const watch = start({ namespaces: ['a'] });
    await eventually(() => expect(failures()).toBeGreaterThan(6));
    expect(watch.isSynced()).toBe(false);
  });

  it('finds by its index, which follows the changes', async () => {
    put('m1', 'x');
    put('m2', 'x');
    const watch = start({ index: (kept) => kept.value });
    await watch.synced;
    await streaming();
    expect(
      watch.store
        .indexed('x')
        .map((kept) => kept.name)
        .sort(),
    ).toEqual(['m1', 'm2']);
    put('m1', 'y');
    api.remove(collection, 'a', 'm2');
    await eventually(() => expect(watch.store.indexed('x')).toEqual([]));
    await eventually(() => expect(watch.store.indexed('y').map((kept) => kept.name)).toEqual(['m1']));
  });

  it('counts what it does, for the metrics', async () => {
    const watch = start({ times: { streamMs: 1_000, graceMs: 100, backoffMs: 5 } });
    await watch.synced;
    await streaming();
    api.silent = true;
    put('m1');
    api.compact();
    api.cutWatches();
    api.silent = false;
    await eventually(() => expect(watch.counters()).toMatchObject({ lists: 2, relists: 1, silences: 0, changes: 1 }));
    await streaming();
    api.silent = true;
    await eventually(() => expect(watch.counters().silences).toBe(1));
    expect(watch.counters().restarts).toBeGreaterThan(1);
    expect(watch.counters().failures).toBeGreaterThan(1);
  });

  it('stops at once, also before it is synced, and says nothing after', async () => {
    api.fault = () => ({ do: 'hang' });
    const early = start();
    const failed = early.synced.then(
      () => 'synced',
      () => 'stopped',
    );
    await early.stop();
    expect(await failed).toBe('stopped');
    api.fault = () => undefined;

    const watch = start();
    await watch.synced;
    await streaming();
    await watch.stop();
    put('late');
    await eventually(() => expect(api.watchers).toBe(0));
    expect(seen).toEqual([]);
  });

  it('ends up with what the server has, whatever happens in between', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), name: fc.integer({ min: 0, max: 4 }) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), name: fc.integer({ min: 0, max: 4 }) }) },
      fc.record({
        do: fc.constantFrom(
          'cut' as const,
          'compact' as const,
          'deafen' as const,
          'bookmark' as const,
          'garble' as const,
        ),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const alive = new Map<string, string>();
        const watch = start({
          onChange: ({ type, object }) => {
            // Told changes must be those of a possible history: one object a name, known before it changes.
            expect(alive.get(object.name)).toBe(type === 'added' ? undefined : object.uid);
            if (type === 'deleted') alive.delete(object.name);
            else alive.set(object.name, object.uid);
          },
        });
        for (const [index, action] of steps.entries()) {
          if (action.do === 'put') put(`m${action.name}`, `${index}`);
          else if (action.do === 'remove') api.remove(collection, 'a', `m${action.name}`);
          else if (action.do === 'cut') api.cutWatches();
          else if (action.do === 'compact') api.compact();
          else if (action.do === 'bookmark') api.bookmark();
          else if (action.do === 'garble') api.say('{"type":\n');
          else api.silent = true;
          if (index % 4 === 3) await new Promise((resolve) => setImmediate(resolve));
        }
        api.silent = false;
        api.cutWatches();
        await agrees(watch);
        await eventually(() =>
          expect([...alive.values()].sort()).toEqual(
            watch.store
              .list()
              .map((kept) => kept.uid)
              .sort(),
          ),
        );
        expect(log.entries.filter(({ level }) => level === 'error')).toEqual([]);
        await watch.stop();
      }),
      { numRuns: 40 },
    );
  });
});
