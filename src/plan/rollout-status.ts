/** What the status says of a version that is about to take the place of another. */
import { parseDuration } from '../contracts/duration.ts';
import type { ModelDeploymentStatus } from '../contracts/resource-status.ts';
import { type Verdict, yes } from './conditions.ts';
import type { Facts } from './readiness.ts';

const defaultDeadline = '30m';

/** Absent where nothing changes place. When it began is kept for as long as the same version is wanted. */
export function rolloutStatus({
  observation,
  versions,
  handover,
}: Pick<Facts, 'observation' | 'versions' | 'handover'>): Pick<ModelDeploymentStatus, 'rollout'> {
  const { resource, now, key } = observation;
  const { before, tookOver } = versions;
  if (before === undefined || tookOver) return {};
  const last = resource.status.rollout;
  const { answering, needed, released } = handover;
  return {
    rollout: {
      from: before.version,
      to: resource.spec.version,
      key,
      startedAt: last?.key === key ? last.startedAt : new Date(now).toISOString(),
      answering,
      needed,
      released,
    },
  };
}

/** The version has not taken the place of the one before in time. @param ready what is said of it */
export function deadlineVerdict(facts: Facts, ready: Verdict): Verdict | undefined {
  const { resource, now } = facts.observation;
  const { rollout } = rolloutStatus(facts);
  if (rollout === undefined || resource.spec.paused === true) return undefined;
  const deadline = resource.spec.rollout?.deadline ?? defaultDeadline;
  if (now - Date.parse(rollout.startedAt) < (parseDuration(deadline) ?? 0)) return undefined;
  const { from, to } = rollout;
  return yes(
    'RolloutDeadlineExceeded',
    `version ${to} has not taken the place of ${from} within ${deadline}, and ${from} goes on serving: ${ready.reason}: ${ready.message}`,
  );
}
