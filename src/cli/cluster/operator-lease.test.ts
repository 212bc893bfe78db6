import { expect, it } from 'vitest';
import { lapsedForMs, leaseFacts } from './operator-lease.ts';

const now = Date.UTC(2026, 0, 1);
const renewed = (secondsAgo: number, more: object = {}) =>
  leaseFacts({
    spec: { leaseDurationSeconds: 15, renewTime: new Date(now - secondsAgo * 1_000).toISOString(), ...more },
  });

it('tells who leads', () => {
  expect(renewed(1, { holderIdentity: 'one' })).toEqual({
    holder: 'one',
    renewedAt: now - 1_000,
    durationMs: 15_000,
    concerns: [],
  });
});

it('has lapsed when clocks that differ and an election are no excuse any more', () => {
  expect([lapsedForMs(renewed(25), now), lapsedForMs(renewed(26), now)]).toEqual([undefined, 26_000]);
  expect(lapsedForMs(renewed(-60), now)).toBeUndefined();
});

it.each([[{}], [{ spec: null }], [{ spec: { renewTime: 7, holderIdentity: '' }, metadata: { annotations: [] } }]])(
  'tells nothing where it is not understood: %j',
  (object) => {
    const facts = leaseFacts(object);
    expect(facts).toEqual({ holder: undefined, renewedAt: undefined, durationMs: 15_000, concerns: [] });
    expect(lapsedForMs(facts, now)).toBeUndefined();
  },
);
