/**
 * How far the present spec is out. A Deployment keeps old instances until new ones are up, so that the model serves
 * while a change cannot come up; whoever reads that it serves must be able to tell which spec is meant.
 */
import { registers } from '../contracts/modes.ts';
import { revisionOf } from './children.ts';
import type { Observation, PodView } from './observation.ts';
import { stays, type Versions } from './versions.ts';

export interface Rollout {
  /** Pods of the wanted version that were made from the present spec, and live. */
  readonly pods: readonly PodView[];
  /** How many of them are all that their mode asks for, with the payload that is pinned. */
  readonly updated: number;
  /** Instances of the wanted version that are up and run an earlier spec. */
  readonly before: number;
  /** More instances than are wanted run, all of the present spec. */
  readonly surplus: number;
  /** All that is wanted is up and runs the present spec, and nothing else of this version runs. */
  readonly done: boolean;
  /** For longer than a start may take, no further instance has come up. */
  readonly stuck: boolean;
}

/**
 * @param applying the Deployment is about to be told the present spec
 */
export function rolloutOf(observation: Observation, versions: Versions, applying: boolean): Rollout {
  const { wanted } = versions;
  const { key, pin, mode, registrations, resource } = observation;
  const living = observation.pods.filter((pod) => pod.versionKey === key && stays(pod));
  if (wanted === undefined) return { pods: [], updated: 0, before: 0, surplus: 0, done: false, stuck: false };
  const revision = revisionOf(wanted.spec);
  const digest = pin?.payload.digest;
  const isUp = (pod: PodView) =>
    registers(mode.agents) ? registrations.known && registrations.byPod.has(pod.uid) : pod.ready;
  const runsOther = (pod: PodView) => {
    const verified = verifiedDigest(observation, pod);
    return verified !== undefined && digest !== undefined && verified !== digest;
  };
  const pods = applying ? [] : living.filter((pod) => pod.revision === revision);
  const updated = pods.filter((pod) => isUp(pod) && !runsOther(pod)).length;
  const before = living.filter((pod) => isUp(pod) && !pods.includes(pod)).length;
  const { instances } = resource.spec;
  return {
    pods,
    updated,
    before,
    surplus: pods.length === living.length ? Math.max(0, pods.length - instances) : 0,
    done: versions.complete && wanted.rolledOut && updated >= instances && pods.length === living.length && !applying,
    stuck: wanted.stuck && !applying,
  };
}

/** The digest that an instance said it had verified; undefined where nothing is known, as of agents of earlier releases. */
export function verifiedDigest(
  { registrations, agents }: Pick<Observation, 'registrations' | 'agents'>,
  pod: PodView,
): string | undefined {
  const registered = registrations.known ? registrations.byPod.get(pod.uid)?.payloadDigest : undefined;
  return registered ?? agents.get(pod.uid)?.verifiedDigest;
}
