/** Getting the payload: trouble that may pass is retried for ever, what cannot get better ends the agent. */

import { asMaasError, type MaasError } from '../../contracts/errors.ts';
import type { FetchProgress } from '../../contracts/payload.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { pause } from '../../kernel/pause.ts';
import { problemOf } from '../lifecycle/problems.ts';
import type { RunningLifecycle } from '../running-lifecycle.ts';

/**
 * Fetches what is missing and verifies everything; retries by itself what may pass. @throws MaasError; wrong bytes only
 * where they keep coming
 */
export type FetchPayload = (progress: (done: FetchProgress) => void, signal: AbortSignal) => Promise<void>;

const firstPauseMs = 500;
const longestPauseMs = 15_000;

/** Ends when the payload is verified or lost, or quietly when the agent ends. */
export async function fetchUntilVerified(
  fetch: FetchPayload,
  lifecycle: Pick<RunningLifecycle, 'dispatch' | 'ended'>,
  clock: Clock,
  log: Log,
): Promise<void> {
  const trouble = (error: MaasError) => {
    log.warn({ err: error }, 'the payload cannot be fetched yet');
    lifecycle.dispatch({ type: 'payload-trouble', problem: problemOf(error) });
  };
  for (let ms = firstPauseMs; !lifecycle.ended.aborted; ms = Math.min(ms * 2, longestPauseMs)) {
    try {
      await fetch(({ lastError, ...progress }) => {
        lifecycle.dispatch({ type: 'payload-progress', progress });
        if (lastError !== undefined) trouble(lastError);
      }, lifecycle.ended);
      return lifecycle.dispatch({ type: 'payload-verified' });
    } catch (error) {
      if (lifecycle.ended.aborted) return;
      const problem = asMaasError(error);
      if (!problem.transient || problem.code === 'HDFS_DATA_CORRUPT') {
        return lifecycle.dispatch({ type: 'payload-lost', problem: problemOf(problem) });
      }
      trouble(problem);
    }
    await pause(clock, ms, lifecycle.ended);
  }
}
