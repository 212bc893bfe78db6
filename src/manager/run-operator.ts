/**
 * An operator's life. Its order:
 *
 * 1. Follow: registrations, modes, the watches, health and metrics. News becomes keys in a queue that nobody works on.
 * 2. Lead: wait for the Lease, then for all watches to be in step, then plan, sweep, publish modes, take requests.
 * 3. End, in the opposite order: no more decisions, the Lease is given back, the rest is put away.
 */
import { follow } from './follow.ts';
import { lead } from './lead.ts';
import type { OperatorWorld } from './ports.ts';

/**
 * Resolves when it was told to stop and has put everything away.
 *
 * @throws whatever else ended it, LEASE_LOST above all; everything that was begun has been put away then, too
 */
export async function runOperator(world: OperatorWorld, stopping: AbortSignal): Promise<void> {
  await using life = new AsyncDisposableStack();
  const followed = await follow(world, life);
  try {
    await lead(world, followed, stopping, life);
  } catch (error) {
    if (!stopping.aborted) throw error;
  }
}
