import { control as files } from '../../contracts/pod-contract.ts';
import { Bell } from '../../kernel/bell.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { ControlVolume } from '../control-volume.ts';
import type { RunningLifecycle } from '../running-lifecycle.ts';
import { ringWhenTouched } from './file-bell.ts';

const pollMs = 500;

/** Tells when the pod's preStop hook asks to stop. Ends with that, or with the agent. */
export async function followStop(
  lifecycle: RunningLifecycle,
  control: Pick<ControlVolume, 'directory' | 'isStopping'>,
  clock: Clock,
  log: Log,
): Promise<void> {
  const bell = new Bell(clock, lifecycle.ended);
  const watcher = ringWhenTouched(bell, control.directory, [files.stop], log);
  while (!lifecycle.ended.aborted && lifecycle.state.stop === undefined) {
    const stopping = await control.isStopping().catch(() => false);
    if (stopping) lifecycle.dispatch({ type: 'stop' });
    else await bell.wait(pollMs);
  }
  watcher.close();
}
