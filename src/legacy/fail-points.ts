/**
 * Named places at which a test kills the operator: one before and one after each external write of handling a request.
 * Outside of such a test all of them do nothing (`noFailPoints`).
 */
import { MaasError } from '../contracts/errors.ts';

/** Each external write of handling a request. */
const queueWrites = [
  /** A resource for an ADD of a model that is not there. */
  'create',
  /** The instances of a resource, raised or lowered, and the request's id. */
  'change',
  /** To zero instances, which is the first of three writes of a REMOVE of all. */
  'empty',
  /** Into the record: which resource is about to be deleted, and for which request. */
  'remember',
  'delete',
  /** Into the record: a request that cannot be done. */
  'reject',
  /** The second queue itself, where it is not there yet. */
  'prepare',
  /** A request to the second queue; the same transaction takes it off the first. */
  'forward',
  /** What lies below a request's node, which must be gone before the node. */
  'clear',
  /** Off the queue. */
  'take-off',
] as const;
export type QueueWrite = (typeof queueWrites)[number];

export type FailPoint = `${'before' | 'after'}-${QueueWrite}`;
export const failPoints: readonly FailPoint[] = queueWrites.flatMap(
  (write) => [`before-${write}`, `after-${write}`] as const,
);

/** Told where the program is. */
export type FailPoints = (point: FailPoint) => void;

export const noFailPoints: FailPoints = () => {};

/**
 * Calls `crash` when the program gets to the named point.
 * @throws MaasError SETTINGS_INVALID for a name that is none: a test that waits for it would wait for nothing
 */
export function crashingAt(name: string, crash: () => void): FailPoints {
  if (!failPoints.some((point) => point === name)) {
    throw new MaasError('SETTINGS_INVALID', `there is no fail point ${JSON.stringify(name)}`, {
      next: `Name one of: ${failPoints.join(', ')}.`,
    });
  }
  return (point) => {
    if (point === name) crash();
  };
}
