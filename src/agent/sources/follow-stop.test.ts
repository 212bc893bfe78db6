import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/builders/manual-clock.ts';
import { silentLog } from '../../kernel/log.ts';
import { initialState, usualLimits } from '../lifecycle/state.ts';
import { RunningLifecycle } from '../running-lifecycle.ts';
import { followStop } from './follow-stop.ts';

/** A control volume of which nobody hears; what is there is only found by looking. */
function living(isStopping: () => Promise<boolean>) {
  const clock = new ManualClock();
  const limits = { ...usualLimits, startup: 1, unregister: 1 };
  const remains = { gateOpen: false, stopping: false, revoked: false };
  const lifecycle = new RunningLifecycle(initialState(limits, remains, 0), clock);
  const following = followStop(lifecycle, { directory: '/nothing/there', isStopping }, clock, silentLog);
  return { clock, lifecycle, following };
}

describe('followStop', () => {
  it('looks again and again, and whatever cannot be read just now is no stop', async () => {
    let there = false;
    let broken = false;
    const { clock, lifecycle, following } = living(async () => {
      if (broken) throw new Error('EIO');
      return there;
    });
    await clock.advance(10_000);
    broken = true;
    await clock.advance(10_000);
    expect(lifecycle.state.stop).toBeUndefined();
    broken = false;
    there = true;
    await clock.advance(1_000);
    expect(lifecycle.state.stage).toBe('Unregistered');
    await following;
  });

  it('ends with the agent, and with a stop that came from elsewhere', async () => {
    const left = living(async () => false);
    await left.clock.advance(0);
    left.lifecycle.end();
    await left.following;
    const terminated = living(async () => false);
    terminated.lifecycle.dispatch({ type: 'terminate' });
    await terminated.clock.advance(1_000);
    await terminated.following;
  });
});
