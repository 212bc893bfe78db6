/** Which payloads nothing refers to, and may go. Pure. */
import type { StoredPayload } from '../../contracts/stored-payload.ts';
import { type Reference, usersOf } from './references.ts';

const abandonedAfterMs = 24 * 60 * 60 * 1_000;

export type Fate = { readonly go: true } | { readonly go: false; readonly why: 'used' | 'young' | 'not ours' };

/**
 * @param olderThanMs what was changed since may be waiting for the resource that will refer to it
 * @param now milliseconds since the epoch
 */
export function fateOf(
  payload: StoredPayload,
  references: readonly Reference[],
  now: number,
  olderThanMs: number,
): Fate {
  if (payload.kind === 'other') return { go: false, why: 'not ours' };
  if (usersOf(payload, references).length > 0) return { go: false, why: 'used' };
  // An upload that is under way looks like one that was given up.
  const leastMs = payload.kind === 'unfinished' ? Math.max(olderThanMs, abandonedAfterMs) : olderThanMs;
  return now - payload.changedAt < leastMs ? { go: false, why: 'young' } : { go: true };
}
