/** What can come of a call to a shielded model: in metrics, the agent's status and the resource's. */

export const results = [
  /** The model's answer was passed on. */
  'answered',
  /** Served from the cache, or together with the same query of somebody else. */
  'cached',
  /** The model answered with a status that would break a client. */
  'status',
  /** It took longer than the time limit. */
  'timeout',
  /** There was no place, and none in the queue, or none within the queue time. */
  'rejected',
  /** Nobody listens on the model's port. */
  'refused',
  /** The model's connection ended before the answer was whole, or it answered something that is not HTTP. */
  'closed',
  /** The model was started anew meanwhile. */
  'restarted',
  /** There is no model yet, or none any more. */
  'unavailable',
  /** The client left first. */
  'gone',
] as const;

export type Result = (typeof results)[number];
export type Failure = Exclude<Result, 'answered' | 'cached' | 'gone'>;

export function isError(result: Result): result is Failure {
  return result !== 'answered' && result !== 'cached' && result !== 'gone';
}

export const failures: readonly Failure[] = results.filter(isError);
