/**
 * When the ReplicaSet controller is asked to try again to make pods that were refused.
 *
 * Left alone it tries after pauses that double up to a quarter of an hour, and hears nothing of the service account,
 * priority class or quota that was missing and now is there. A changed annotation of the Deployment reaches its
 * ReplicaSet and makes the controller try at once. When it was asked last, and how long the pause after that is, stands
 * in that annotation, so that it outlives the operator.
 */
const firstPauseMs = 5_000;
const longestPauseMs = 60_000;
/** An entry as old as this is of an earlier trouble. */
const forgottenMs = 600_000;

/**
 * @param before the annotation's present value
 * @param now milliseconds since the epoch
 * @returns the value that asks again, or undefined while it is too early
 */
export function retryOf(before: string | undefined, now: number): string | undefined {
  const [, time = '', seconds = ''] = /^(\S+) (\d{1,4})$/.exec(before ?? '') ?? [];
  const elapsedMs = now - Date.parse(time);
  // What lies ahead was written by a clock that went wrong.
  if (Number.isNaN(elapsedMs) || elapsedMs < -longestPauseMs || elapsedMs > forgottenMs)
    return entry(now, firstPauseMs);
  const pauseMs = Number(seconds) * 1_000;
  return elapsedMs < pauseMs ? undefined : entry(now, Math.min(pauseMs * 2, longestPauseMs));
}

/** What is said of the refusal meanwhile is gone for a moment, until the next attempt has failed or not. */
const answeredWithinMs = 10_000;

/** @param asked the annotation's value. @returns whether the controller was asked so recently that it may not have answered */
export function isAskedJustNow(asked: string | undefined, now: number): boolean {
  const [time = ''] = (asked ?? '').split(' ');
  const elapsedMs = now - Date.parse(time);
  return elapsedMs >= 0 && elapsedMs < answeredWithinMs;
}

function entry(now: number, pauseMs: number): string {
  return `${new Date(now).toISOString()} ${pauseMs / 1_000}`;
}
