/** Getting the payload: trouble that may pass is retried for ever, what cannot get better ends the agent. */

import { asMaasError, type MaasError } from '../contracts/errors.ts';
import type { Clock } from '../kernel/clock.ts';
import type { PayloadProgress } from './lifecycle/events.ts';

/** How far it is, and what is being retried just now. */
export interface FetchProgress extends PayloadProgress {
  readonly lastError: MaasError | undefined;
}

/**
 * Fetches what is missing and verifies everything; retries by itself what may pass. @throws MaasError; wrong bytes only
 * where they keep coming
 */
export type FetchPayload = (progress: (done: FetchProgress) => void, signal: AbortSignal) => Promise<void>;

export interface PayloadReport {
  progress(done: PayloadProgress): void;
  /** It is tried again. */
  trouble(error: MaasError): void;
  verified(): void;
  lost(error: MaasError): void;
}

const firstPauseMs = 500;
const longestPauseMs = 15_000;

/** Ends when the payload is verified or lost, or quietly when the signal is aborted. */
export async function fetchUntilVerified(
  fetch: FetchPayload,
  report: PayloadReport,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (let pause = firstPauseMs; !signal.aborted; pause = Math.min(pause * 2, longestPauseMs)) {
    try {
      await fetch(({ lastError, ...done }) => {
        report.progress(done);
        if (lastError !== undefined) report.trouble(lastError);
      }, signal);
      report.verified();
      return;
    } catch (error) {
      if (signal.aborted) return;
      const problem = asMaasError(error);
      if (!problem.transient || problem.code === 'HDFS_DATA_CORRUPT') {
        report.lost(problem);
        return;
      }
      report.trouble(problem);
    }
    await clock.sleep(pause, signal).catch(() => undefined);
  }
}
