import { describe, expect, it } from 'vitest';
import { encodeMarker, revokedMarker } from '../../contracts/marker.ts';
import { markerNode, ownerOf } from './owner.ts';

const id = 'dga-1-3f0b7c1e-8a41-4d7a-9a53-0c6d1f2e9b10';
const marker = (cluster: string, session: string | undefined, model = 'dga') =>
  markerNode(cluster, { data: encodeMarker({ namespace: 'fraud', pod: 'dga-1', model }), session });
const isHere = ({ cluster }: { cluster: string }) => cluster === 'here';

describe('ownerOf', () => {
  it.each([
    ['here', 'marker and registration of one session', { id, session: '1' }, [marker('here', '1')]],
    [
      'here',
      'a marker that was revoked',
      { id, session: '1' },
      [markerNode('here', { data: new TextEncoder().encode(revokedMarker), session: '1' })],
    ],
    ['other-cluster', "another cluster's marker", { id, session: '1' }, [marker('there', '1')]],
    [
      'here',
      'the marker of its own session among others',
      { id, session: '1' },
      [marker('there', '2'), marker('here', '1')],
    ],
    ['foreign', 'no marker', { id, session: '1' }, []],
    ['foreign', 'a marker of another session', { id, session: '1' }, [marker('here', '2')]],
    ['foreign', 'a marker for another model', { id, session: '1' }, [marker('here', '1', 'spam')]],
    [
      'foreign',
      'a marker that nobody of ours wrote',
      { id, session: '1' },
      [markerNode('here', { data: new TextEncoder().encode('{}'), session: '1' })],
    ],
    [
      'foreign',
      'a persistent registration, whatever lies beside it',
      { id, session: undefined },
      [marker('here', undefined)],
    ],
    ['foreign', 'an id that ends in no UID', { id: 'container_17', session: '1' }, [marker('here', '1')]],
  ] as const)('is %s for %s', (owner, _what, registration, markers) => {
    expect(ownerOf({ ...registration, model: 'dga' }, markers, isHere)).toBe(owner);
  });
});
