import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  concernsAbout,
  isOnlyOurs,
  type Neighbour,
  ownsStore,
  rememberedMs,
  type Self,
  yieldsModes,
} from './neighbours.ts';

const self: Self = { clusterId: 'c1', namespace: 'maas-system', identity: 'me', namespaces: ['fraud'] };
const neighbour = (changes: Partial<Neighbour>): Neighbour => ({
  clusterId: 'c1',
  namespace: 'maas-two',
  identity: 'other',
  namespaces: ['ads'],
  seenMs: 60_000,
  ...changes,
});
const patienceMs = rememberedMs(10_000);

describe('other operators on the same ZooKeeper', () => {
  it.each<[string, Partial<Self>, Partial<Neighbour>, { sweep: boolean; store: boolean; concerns: string[] }]>([
    [
      'of another cluster, which serves a namespace of the same name',
      {},
      { clusterId: 'c2', namespace: 'maas-system', namespaces: ['fraud'] },
      { sweep: true, store: true, concerns: [] },
    ],
    [
      'of another cluster, which serves all',
      {},
      { clusterId: 'c2', namespaces: [] },
      { sweep: true, store: true, concerns: [] },
    ],
    ['another release beside it', {}, {}, { sweep: true, store: true, concerns: ['ModesShared'] }],
    [
      'another release that serves the same namespace',
      {},
      { namespaces: ['ads', 'fraud'] },
      { sweep: false, store: true, concerns: ['NamespacesOverlap', 'ModesShared'] },
    ],
    [
      'another release that serves all',
      {},
      { namespaces: [] },
      { sweep: false, store: true, concerns: ['NamespacesOverlap', 'ModesShared'] },
    ],
    [
      'another release, where this one serves all',
      { namespaces: [] },
      { namespaces: ['fraud'] },
      { sweep: false, store: true, concerns: ['NamespacesOverlap', 'ModesShared'] },
    ],
    [
      'a copy of this cluster',
      {},
      { namespace: 'maas-system', namespaces: ['fraud'] },
      { sweep: false, store: false, concerns: ['ClusterIdTaken'] },
    ],
    [
      'a copy of this cluster whose release serves something else now',
      {},
      { namespace: 'maas-system', namespaces: ['ads'] },
      { sweep: false, store: false, concerns: ['ClusterIdTaken'] },
    ],
    [
      'the leader before this one, whose session has not ended yet',
      {},
      { namespace: 'maas-system', namespaces: ['fraud'], seenMs: 9_000 },
      { sweep: false, store: false, concerns: [] },
    ],
    [
      'of another cluster, which reads the same queue',
      { queue: '/metron/maas/config' },
      { clusterId: 'c2', queue: '/metron/maas/config' },
      { sweep: true, store: true, concerns: ['QueueShared'] },
    ],
    [
      'of another cluster, which reads another queue',
      { queue: '/metron/maas/config' },
      { clusterId: 'c2', queue: '/other/config' },
      { sweep: true, store: true, concerns: [] },
    ],
  ])('%s', (_name, own, other, expected) => {
    const me = { ...self, ...own };
    const neighbours = [neighbour(other)];
    expect({
      sweep: isOnlyOurs(me, neighbours, 'fraud'),
      store: ownsStore(me, neighbours),
      concerns: concernsAbout(me, neighbours, patienceMs).map(({ reason }) => reason),
    }).toEqual(expected);
  });

  it('says what to do about each, and names the other', () => {
    const all = [
      neighbour({ namespaces: ['fraud'] }),
      neighbour({ namespace: 'maas-system', identity: 'copy' }),
      neighbour({ clusterId: 'c2', queue: '/q' }),
    ];
    for (const { message, next, subject } of concernsAbout({ ...self, queue: '/q' }, all, patienceMs)) {
      expect(subject).toMatch(/^operator (maas-two|maas-system) of cluster c[12]$/);
      expect(message).toMatch(/maas-two|maas-system/);
      expect(next).toMatch(/\.$/);
    }
  });

  it('lets the modes of exactly one of several operators of one cluster id hold, once all have been there for a while', () => {
    const operator = fc.record({ namespace: fc.constantFrom('one', 'two', 'three'), identity: fc.uuid() });
    fc.assert(
      fc.property(
        fc.uniqueArray(operator, { minLength: 1, maxLength: 4, selector: ({ identity }) => identity }),
        (all) => {
          const whole = all.map((each) => ({ ...each, clusterId: 'c', namespaces: [], seenMs: patienceMs }));
          const publishing = whole.filter(
            (me) =>
              !yieldsModes(
                me,
                whole.filter((other) => other !== me),
                patienceMs,
              ),
          );
          expect(publishing).toHaveLength(1);
        },
      ),
    );
    expect(yieldsModes(self, [neighbour({ clusterId: 'c2', namespace: 'a' })], patienceMs)).toBe(false);
    // The leader before this one.
    expect(yieldsModes(self, [neighbour({ namespace: 'maas-system', identity: 'a', seenMs: 0 })], patienceMs)).toBe(
      false,
    );
  });

  it('never lets a namespace be swept that is not served', () => {
    expect(isOnlyOurs(self, [], 'ads')).toBe(false);
    expect(isOnlyOurs({ ...self, namespaces: [] }, [], 'ads')).toBe(true);
  });

  it('never lets two operators of one cluster id sweep the same namespace', () => {
    const names = fc.subarray(['a', 'b', 'c']);
    const operator = fc.record({ namespace: fc.constantFrom('one', 'two'), namespaces: names });
    fc.assert(
      fc.property(
        operator,
        operator,
        fc.nat(100_000),
        fc.constantFrom('a', 'b', 'c'),
        (one, two, seenMs, namespace) => {
          const first = { ...one, clusterId: 'c', identity: 'first' };
          const second = { ...two, clusterId: 'c', identity: 'second' };
          const both =
            isOnlyOurs(first, [{ ...second, seenMs }], namespace) &&
            isOnlyOurs(second, [{ ...first, seenMs }], namespace);
          expect(both).toBe(false);
        },
      ),
    );
  });
});
