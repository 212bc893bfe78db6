import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/builders/manual-clock.ts';
import type { Event } from '../lifecycle/events.ts';
import { initialState, usualLimits } from '../lifecycle/state.ts';
import { RunningLifecycle } from '../running-lifecycle.ts';
import { followTime } from './follow-time.ts';

const limits = { ...usualLimits, startup: 10_000, unregister: 5_000 };

/** A lifecycle that time happens to, and what it decided when. */
function living() {
  const clock = new ManualClock();
  const lifecycle = new RunningLifecycle(
    initialState(limits, { gateOpen: false, stopping: false, revoked: false }, clock.monotonic()),
    clock,
  );
  const decided: string[] = [];
  lifecycle.follow(({ actions }) => {
    for (const action of actions) decided.push(`${clock.monotonic()} ${action.do}`);
  });
  const following = followTime(lifecycle, clock);
  const tell = (...events: Event[]) => {
    for (const event of events) lifecycle.dispatch(event);
  };
  return { clock, lifecycle, decided, following, tell };
}

const started: Event[] = [
  { type: 'payload-verified' },
  { type: 'gate-opened' },
  { type: 'look', look: { mark: 'a', reading: { kind: 'absent' } } },
];

describe('followTime', () => {
  it('wakes the lifecycle when something is due, and as often as that is so', async () => {
    const { clock, decided, tell } = living();
    tell(...started);
    await clock.advance(limits.startup - 1);
    expect(decided).toEqual(['0 open-gate']);
    await clock.advance(1 + limits.askAgain);
    expect(decided).toEqual(['0 open-gate', '10000 ask-restart', '15000 ask-restart']);
  });

  it('waits for what an event has brought nearer', async () => {
    const { clock, decided, tell } = living();
    await clock.advance(1_000);
    tell({ type: 'zookeeper', session: 'connected' }, { type: 'mode', mode: 'active' }, ...started);
    const endpoint = { scheme: 'http', port: 1500, path: '', functions: {}, otherHost: undefined } as const;
    const reading = { kind: 'valid', endpoint } as const;
    tell({ type: 'look', look: { mark: 'a', reading, asked: { endpoint, answer: 'answers' } } }, { type: 'stop' });
    await clock.advance(60_000);
    expect(decided).toEqual(['1000 open-gate', '1000 register', '6000 say-stopped']);
  });

  it('sleeps where nothing is due, and ends with the agent', async () => {
    const { clock, lifecycle, following } = living();
    await clock.advance(3_600_000);
    expect(clock.sleepers).toBe(0);
    lifecycle.end();
    await following;
  });
});
