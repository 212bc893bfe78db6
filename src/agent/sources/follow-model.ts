/** Looks at the model again and again: closely while something is awaited, seldom while all is well. */
import { asMaasError } from '../../contracts/errors.ts';
import { endpointFile, startedFile } from '../../contracts/pod-contract.ts';
import { backOffMs } from '../../kernel/back-off.ts';
import { Bell } from '../../kernel/bell.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { pause } from '../../kernel/pause.ts';
import { looking } from '../lifecycle/state.ts';
import { type LookOptions, lookAtModel } from '../model/look.ts';
import type { RunningLifecycle } from '../running-lifecycle.ts';
import { ringWhenTouched } from './file-bell.ts';

/**
 * Between two close looks. Short after each step of a start, because the next one often follows at once and a listener
 * announces itself to nobody; longer where a model takes its time.
 */
const closeLooks = { firstMs: 10, longestMs: 100, factor: 1.5 };
const inFull = () => 1;
const seldomLookMs = 1_000;
const afterFailureMs = 1_000;

/** Ends with the agent. */
export async function followModel(
  lifecycle: RunningLifecycle,
  options: LookOptions,
  clock: Clock,
  log: Log,
): Promise<void> {
  const { ended } = lifecycle;
  const bell = new Bell(clock, ended);
  let looksInVain = 0;
  lifecycle.follow(({ state }, before) => {
    if (looking(state) !== looking(before)) bell.ring();
    if (state.gate !== before.gate || state.start !== before.start || state.endpoint !== before.endpoint)
      looksInVain = 0;
  });
  let watcher: { close(): void } | undefined;
  while (!ended.aborted) {
    const how = looking(lifecycle.state);
    if (how === 'closely') {
      watcher ??= ringWhenTouched(bell, options.payloadDirectory, [endpointFile, startedFile], log);
      // However often the model touches its files.
      await pause(clock, closeLooks.firstMs, ended);
      await bell.wait(backOffMs(closeLooks, looksInVain, inFull) - closeLooks.firstMs);
      looksInVain += 1;
    } else {
      // A model that serves may write much into its directory, of which nobody wants to hear.
      watcher?.close();
      watcher = undefined;
      await bell.wait(how === 'seldom' ? seldomLookMs : undefined);
    }
    if (how === 'never' || ended.aborted) continue;
    try {
      const { start, endpoint } = lifecycle.state;
      lifecycle.dispatch({ type: 'look', look: await lookAtModel(options, { mark: start?.mark, endpoint }) });
    } catch (error) {
      log.warn({ err: asMaasError(error) }, 'could not look at the model');
      await pause(clock, afterFailureMs, ended);
    }
  }
  watcher?.close();
}
