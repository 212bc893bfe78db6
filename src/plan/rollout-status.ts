/** What the status says of a version that is about to take the place of another. */
import { parseDuration } from '../contracts/duration.ts';
import type { ModelDeployment } from '../contracts/resource.ts';
import { type ModelDeploymentStatus, pausedReason } from '../contracts/resource-status.ts';
import { runsOf } from './children.ts';
import { type Verdict, yes } from './conditions.ts';
import { isSaidToServe } from './handover.ts';
import type { DeploymentView, Observation } from './observation.ts';
import type { Facts } from './readiness.ts';
import { namesOf } from './version-names.ts';
import { registeredPods } from './versions.ts';

const defaultDeadline = '30m';

/**
 * Absent where nothing changes place. When it began is kept for as long as the same is asked for: what is mended has its
 * whole time again, and so has what was paused.
 */
export function rolloutStatus({
  observation,
  versions,
  handover,
  withheld,
}: Pick<Facts, 'observation' | 'versions' | 'handover' | 'withheld'>): Pick<ModelDeploymentStatus, 'rollout'> {
  const { resource, now, key } = observation;
  const { before, tookOver } = versions;
  if (before === undefined || tookOver) return {};
  if (!observation.registrations.known && isSaidToServe(resource)) return {};
  const last = resource.status.rollout;
  const id = runsOf(resource.spec);
  const goesOn = last?.key === key && last.id === id && !isJustResumed(resource);
  const { answering, needed } = handover;
  // What is to be said to the agents, and is not, is not so.
  const released = handover.released && (handover.publish === undefined || withheld.length === 0);
  return {
    rollout: {
      from: before.version,
      to: resource.spec.version,
      key,
      id,
      startedAt: goesOn ? last.startedAt : new Date(now).toISOString(),
      answering,
      needed,
      released,
    },
  };
}

function isJustResumed({ spec, status }: ModelDeployment): boolean {
  const reconciling = status.conditions?.find(({ type }) => type === 'Reconciling');
  return spec.paused !== true && reconciling?.reason === pausedReason;
}

/** The version has not taken the place of the one before in time. @param ready what is said of it */
export function deadlineVerdict(facts: Facts, ready: Verdict): Verdict | undefined {
  const { observation, versions } = facts;
  const { resource, now } = observation;
  const { rollout } = rolloutStatus(facts);
  if (rollout === undefined || versions.before === undefined || resource.spec.paused === true) return undefined;
  const deadline = resource.spec.rollout?.deadline ?? defaultDeadline;
  if (now - Date.parse(rollout.startedAt) < (parseDuration(deadline) ?? 0)) return undefined;
  const { from, to } = namesOf(versions.before, resource.spec);
  return yes(
    'RolloutDeadlineExceeded',
    `version ${to} has not taken the place of ${from} within ${deadline}, and ${from} ${stateOf(versions.before, observation)}: ${ready.reason}: ${ready.message}`,
  );
}

function stateOf({ versionKey }: DeploymentView, { pods, registrations }: Observation): string {
  if (!registrations.known) return 'is kept';
  const isServed = registeredPods(versionKey, pods, registrations) > 0;
  return isServed ? 'goes on serving' : 'is kept, but none of it is registered';
}
