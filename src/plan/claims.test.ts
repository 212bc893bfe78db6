import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Claim, claimOf } from './claims.ts';
import type { Peer } from './observation.ts';

const peer = (changes: Partial<Peer>): Peer => ({
  namespace: 'a',
  name: 'm',
  uid: 'u1',
  version: '1',
  creationTimestamp: '2026-03-01T12:00:00Z',
  ...changes,
});
const later = '2026-03-01T13:00:00Z';
const ownerOf = (claim: Claim) => (claim.owned ? undefined : claim.owner);

describe('claimOf', () => {
  it('lets one resource have its name', () => {
    expect(claimOf(peer({}), [], undefined)).toEqual({ owned: true });
  });

  it('lets versions of one model live side by side in one namespace', () => {
    expect(claimOf(peer({ uid: 'u2', version: '2', creationTimestamp: later }), [peer({})], undefined)).toEqual({
      owned: true,
    });
  });

  it('refuses a second resource of one version and names the owner', () => {
    expect(claimOf(peer({ uid: 'u2', name: 'n', creationTimestamp: later }), [peer({})], undefined)).toEqual({
      owned: false,
      owner: { namespace: 'a', name: 'm' },
      message: 'version 1 of the model belongs to a/m',
    });
  });

  it('refuses a name of another namespace, whatever the version', () => {
    const mine = peer({ uid: 'u2', namespace: 'b', version: '2', creationTimestamp: later });
    expect(claimOf(mine, [peer({})], undefined)).toMatchObject({
      owned: false,
      owner: { namespace: 'a', name: 'm' },
      message: expect.stringContaining('a/m'),
    });
  });

  it('gives a refused name to nobody when its owner goes away', () => {
    const mine = peer({ uid: 'u2', namespace: 'b', creationTimestamp: later });
    const first = claimOf(mine, [peer({})], undefined);
    const second = claimOf(mine, [], ownerOf(first));
    expect(second).toEqual({
      owned: false,
      owner: { namespace: 'a', name: 'm' },
      message:
        'the model name belongs to a/m, in another namespace; the name is free now: delete and create this resource again to claim it',
    });
    // Asked again it says the same, so that the status comes to rest.
    expect(claimOf(mine, [], ownerOf(second))).toEqual(second);
  });

  it('gives a version to the next in line in its own namespace', () => {
    const mine = peer({ uid: 'u2', name: 'n', creationTimestamp: later });
    const first = claimOf(mine, [peer({})], undefined);
    expect(claimOf(mine, [], ownerOf(first))).toEqual({ owned: true });
  });

  it('has exactly one owner for each version, and all owners in one namespace', () => {
    const peers = fc
      .array(
        fc.record({
          namespace: fc.constantFrom('a', 'b'),
          name: fc.constantFrom('m', 'n'),
          uid: fc.uuid(),
          version: fc.constantFrom('1', '2'),
          creationTimestamp: fc.constantFrom('2026-03-01T12:00:00Z', later),
        }),
        { minLength: 1, maxLength: 6 },
      )
      .filter((all) => new Set(all.map((p) => p.uid)).size === all.length);
    fc.assert(
      fc.property(peers, (all) => {
        const owners = all.filter(
          (mine) =>
            claimOf(
              mine,
              all.filter((p) => p !== mine),
              undefined,
            ).owned,
        );
        expect(new Set(owners.map((owner) => owner.namespace)).size).toBe(1);
        expect(new Set(owners.map((owner) => owner.version)).size).toBe(owners.length);
      }),
    );
  });
});
