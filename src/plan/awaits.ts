/** Is something awaited that nobody tells of? What agents do has to be asked, and that time passes nobody says. */
import { registers } from '../contracts/modes.ts';
import type { ModelDeploymentStatus } from '../contracts/resource-status.ts';
import { shieldedPods } from './calls-failing.ts';
import type { Observation } from './observation.ts';
import { verifiedDigest } from './rollout.ts';
import { stays } from './versions.ts';

/**
 * `some`: nothing but how calls go behind its shields. `much`: the world is on its way to what is wanted. `little`: it is
 * not and may stay so, but pods that were refused are asked for again, say, and agents are asked what they have verified.
 * `nothing`: whatever comes next is told.
 */
export type Awaits = 'much' | 'some' | 'little' | 'nothing';

/** @param observation of a resource whose spec can be used and whose model name is its own */
export function awaitsOf(observation: Observation, status: ModelDeploymentStatus): Awaits {
  const awaits = besideCalls(observation, status);
  return awaits !== 'much' && shieldedPods(observation).length > 0 ? 'some' : awaits;
}

function besideCalls(observation: Observation, status: ModelDeploymentStatus): Awaits {
  const { payload, deployments, pods, mode } = observation;
  const isLookedFor = payload.state === 'pending' || payload.state === 'failed';
  if (isLookedFor && deployments.length === 0 && pods.length === 0) return 'nothing';
  const reconciling = status.conditions?.find((condition) => condition.type === 'Reconciling');
  if (reconciling?.status !== 'False') return mode.mode === 'observe' ? 'little' : 'much';
  if (reconciling.reason !== 'Settled') return 'little';
  // Who is registered has said it in the marker.
  const asks =
    !registers(mode.agents) && pods.some((pod) => stays(pod) && verifiedDigest(observation, pod) === undefined);
  return asks ? 'little' : 'nothing';
}
