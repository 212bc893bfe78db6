import { Bell } from '../../kernel/bell.ts';
import type { Clock } from '../../kernel/clock.ts';
import { wakeAt } from '../lifecycle/deadlines.ts';
import type { RunningLifecycle } from '../running-lifecycle.ts';

/** Wakes the lifecycle whenever the passing of time alone changes something. Ends with the agent. */
export async function followTime(lifecycle: RunningLifecycle, clock: Clock): Promise<void> {
  const bell = new Bell(clock, lifecycle.ended);
  lifecycle.follow(({ state }, before) => {
    if (state !== before) bell.ring();
  });
  while (!lifecycle.ended.aborted) {
    // Counted from the last step, so that what became due since is not passed over.
    const due = wakeAt(lifecycle.state, lifecycle.steppedAt);
    await bell.wait(due === undefined ? undefined : Math.max(0, due - clock.monotonic()));
    if (due !== undefined && clock.monotonic() >= due) lifecycle.dispatch({ type: 'tick' });
  }
}
