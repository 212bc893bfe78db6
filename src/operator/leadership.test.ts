import { describe, expect, it } from 'vitest';
import { MaasError } from '../contracts/errors.ts';
import { Leadership } from './leadership.ts';

function aLease() {
  const lost = new AbortController();
  const lease = { uid: 'l1', held: true, holds: () => lease.held, lost: lost.signal, release: async () => {} };
  return { lease, lose: () => lost.abort(new MaasError('LEASE_LOST', 'gone')) };
}

describe('the leadership', () => {
  it("is nobody's that is known of, until this process has the Lease", () => {
    const leadership = new Leadership();
    expect([leadership.holds(), leadership.uid, leadership.lost.aborted]).toEqual([false, undefined, false]);
    const { lease } = aLease();
    leadership.begin(lease);
    expect([leadership.holds(), leadership.uid]).toEqual([true, 'l1']);
    lease.held = false;
    expect(leadership.holds()).toBe(false);
  });

  it.each(['before', 'after'])('is lost with the Lease, also when that was lost %s it was told', (when) => {
    const leadership = new Leadership();
    const { lease, lose } = aLease();
    if (when === 'before') lose();
    leadership.begin(lease);
    if (when === 'after') lose();
    expect(leadership.lost.reason).toMatchObject({ code: 'LEASE_LOST' });
  });
});
