/**
 * Optimistic concurrency: read, decide, write on the condition that nothing changed; when something did, all of it
 * again. Many commands at once get through because each waits a random, growing time.
 */

import { hasCode, MaasError } from '../../contracts/errors.ts';
import { backOffMs } from '../../kernel/back-off.ts';
import type { Ports } from '../ports.ts';

const waits = { firstMs: 30, longestMs: 1_500 };
/** One of the competitors always succeeds, so even a hundred of them are done long before. */
const giveUpAfterMs = 60_000;

/** @throws MaasError CONFLICT when others are faster all the time; whatever `attempt` throws otherwise */
export async function untilUncontended<T>(
  { clock, random, signal }: Pick<Ports, 'clock' | 'random' | 'signal'>,
  attempt: () => Promise<T>,
): Promise<T> {
  const end = clock.monotonic() + giveUpAfterMs;
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!hasCode(error, 'CONFLICT') || clock.monotonic() >= end) throw error;
    }
    await clock.sleep(backOffMs(waits, failures, random), signal);
  }
}

/** A write without an answer may have been done: the user must look before repeating what is not idempotent. */
export async function write<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!hasCode(error, 'CLUSTER_UNREACHABLE')) throw error;
    throw new MaasError('CLUSTER_UNREACHABLE', `${error.message}; whether the change was made is not known`, {
      next: 'Look with `kubectl maas list` before running the command again.',
      cause: error,
    });
  }
}
