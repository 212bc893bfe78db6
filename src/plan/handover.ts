/**
 * How a version takes the place of the one that serves; see docs/adr/0043.
 *
 * 1. Clients take the highest version as soon as they see one instance of it. So a version that takes another's place is
 *    held: its instances start, are checked and answer, and none is registered until as many answer as are asked for.
 *    Then all are released at once. Where nothing is served, nothing is held.
 * 2. When as many of them are registered, and clients have had time to see that, the versions before are held, so that all
 *    their instances leave together, and then removed. Where the new ones fall away before that, the old ones are released
 *    again.
 * 3. With `Surge` never more than one instance beyond the wanted number runs: the old version gives up one for each new
 *    one that answers, until half are new; then these are released, the old ones go, and the rest is started.
 * 4. With `Immediate` nothing is held.
 * 5. Until then the version that serves has as many instances as are wanted, too: a switch may take long, and the load does
 *    not wait for it.
 *
 * Everything follows from the present world, so that it goes on wherever the operator was interrupted. Of what was published
 * it is read since when a version has been told to leave, and that one which was released and is the only one of its
 * resource is not held again.
 */
import type { Hold, HoldInstruction, Holds } from '../contracts/holds.ts';
import { registers } from '../contracts/modes.ts';
import { annotations } from '../contracts/names.ts';
import type { ModelDeployment, ModelDeploymentSpec } from '../contracts/resource.ts';
import { revisionOf, runsOf } from './children.ts';
import type { DeploymentView, Observation, PodView } from './observation.ts';
import { registeredPods, stays, type Versions, versionsOfOthers } from './versions.ts';

export interface Handover {
  /** Instances of the wanted version's present spec that answer, registered or not. */
  readonly answering: number;
  /** So many must answer, and then be registered, before the wanted version takes over. */
  readonly needed: number;
  /** The wanted version's instances may be registered. */
  readonly released: boolean;
  /** How many instances the wanted version is to have now. */
  readonly replicas: number;
  /** Versions before that are to have another number of instances while they serve. */
  readonly resize: readonly { readonly deployment: DeploymentView; readonly replicas: number; readonly why: string }[];
  /** What the agents of a spec that is made now are told. */
  readonly hold: HoldInstruction | undefined;
  /** What is to be published, where that is something else than what is. */
  readonly publish: Holds | undefined;
  /** Versions that are not needed any more and may be removed now: their instances have left, or were given the time. */
  readonly removable: readonly DeploymentView[];
}

/**
 * So long clients are given to see the wanted version whole: they fetch each registration one by one, and notice at once
 * that others are gone.
 */
const seenByClientsMs = 1_000;
/** So long the instances of a version that goes may take to leave together; then it is removed all the same. */
const leaveTogetherMs = 5_000;

/** How many instances must answer before a version takes over: `minReady`, and with `Surge` at most half. */
export function neededInstances({ instances, rollout }: Pick<ModelDeploymentSpec, 'instances' | 'rollout'>): number {
  const asked = Math.min(instances, share(rollout?.minReady, instances));
  return rollout?.strategy === 'Surge' ? Math.min(asked, Math.ceil(instances / 2)) : asked;
}

/**
 * The same of those that are asked for now. Once the wanted version was seen to serve, or the one before was told to leave,
 * it has taken over: instances that are wanted since then are started, and do not bring back what clients have left.
 */
export function neededNow(observation: Observation): number {
  const { resource, deployments, key } = observation;
  const { spec, status } = resource;
  const hasServed = isSaidToServe(resource);
  const isOver = (each: DeploymentView) =>
    hasServed || (status.rollout?.key !== key && isToldToLeave(observation, each));
  const leaving = deployments.filter((each) => each.versionKey !== key && isOver(each));
  const atTakeover = leaving.map(({ replicas }) => Math.max(1, replicas));
  return neededInstances({ ...spec, instances: Math.min(spec.instances, ...atTakeover) });
}

function isToldToLeave({ holds }: Observation, { hold }: DeploymentView): boolean {
  return hold !== undefined && holds.known && holds.versions[hold.version]?.held === true;
}

function share(minReady: number | string | undefined, instances: number): number {
  if (minReady === undefined) return instances;
  return typeof minReady === 'number' ? minReady : Math.ceil((Number.parseInt(minReady, 10) * instances) / 100);
}

/**
 * @param needed see neededNow
 * @param inputs of the wanted version's present spec, where its payload is known; see inputsOf
 */
export function handoverOf(
  observation: Observation,
  versions: Versions,
  needed: number,
  inputs: string | undefined,
): Handover {
  const answering = answeringPods(observation, versions, inputs);
  const released = isReleased(observation, versions, answering >= needed);
  const seen = hasBeenSeen(observation, versions, needed);
  const mayLeave = versions.superfluous.filter(({ versionKey }) => seen || !isServed(observation, versionKey));
  return {
    answering,
    needed,
    released,
    replicas: replicasOf(observation, versions),
    resize: resizeOf(observation, versions, answering, needed),
    hold: instructionFor(observation, versions),
    publish: toPublish(observation, versions, released, mayLeave),
    removable: mayLeave.filter((deployment) => hasLeft(observation, deployment)),
  };
}

function answeringPods({ pods, key }: Observation, { wanted }: Versions, inputs: string | undefined): number {
  // Those of a spec that is about to be changed are not what is to take over.
  if (wanted === undefined || wanted.annotations[annotations.inputs] !== inputs) return 0;
  const revision = revisionOf(wanted.spec);
  return pods.filter((pod) => pod.versionKey === key && stays(pod) && pod.ready && pod.revision === revision).length;
}

function strategyOf({ spec }: ModelDeployment): 'Switch' | 'Surge' | 'Immediate' {
  return spec.rollout?.strategy ?? 'Switch';
}

/** Was the present spec seen to serve, whatever can be seen now? */
export function isSaidToServe({ spec, status }: ModelDeployment): boolean {
  const [newest] = status.history ?? [];
  return newest?.result === 'Serving' && newest.id === runsOf(spec);
}

/** Do clients get answers from elsewhere, which they would leave for the first instance of the wanted version? */
function hasRival(observation: Observation, { before }: Versions): boolean {
  if (before !== undefined) return true;
  // Nobody knows, so nobody is hurt by waiting: nothing can be registered anyway.
  return !observation.registrations.known || versionsOfOthers(observation).length > 0;
}

function isReleased(observation: Observation, versions: Versions, enough: boolean): boolean {
  const { resource, holds, key } = observation;
  if (!observation.registrations.known) {
    // Nothing can be told to anybody; what was said before is still so.
    const { rollout } = resource.status;
    return rollout?.key === key ? rollout.released : versions.before === undefined || isSaidToServe(resource);
  }
  if (strategyOf(resource) === 'Immediate' || enough || versions.registered > 0) return true;
  if (!hasRival(observation, versions)) return true;
  const id = versions.wanted?.hold?.version;
  const wasReleased = id !== undefined && holds.known && holds.versions[id]?.held === false;
  return versions.before === undefined && wasReleased;
}

/** One that is there keeps its id, under which its instances are told, and what they were told. */
function instructionFor(observation: Observation, versions: Versions): HoldInstruction | undefined {
  const { resource, key } = observation;
  const live = versions.wanted?.hold;
  if (live !== undefined) return live;
  if (strategyOf(resource) === 'Immediate') return undefined;
  const { uid, generation } = resource.metadata;
  // Never the id of an earlier one of the same version, of which something may still be published.
  const version = `${key}-${generation}`;
  return { resource: uid, version, untilReleased: versions.registered === 0 && hasRival(observation, versions) };
}

function toPublish(
  observation: Observation,
  versions: Versions,
  released: boolean,
  mayLeave: readonly DeploymentView[],
): Holds | undefined {
  const { resource, holds, deployments, registrations, now } = observation;
  if (!holds.known || !registrations.known) return undefined;
  const wanted = deployments.flatMap((deployment): [string, Hold][] => {
    const { hold } = deployment;
    if (hold === undefined || deployment.deleting) return [];
    const held = deployment === versions.wanted ? !released : mayLeave.includes(deployment);
    const before = holds.versions[hold.version];
    if (before?.held === held) return [[hold.version, before]];
    return before === undefined && held === hold.untilReleased ? [] : [[hold.version, { held, since: now }]];
  });
  const same =
    wanted.length === Object.keys(holds.versions).length &&
    wanted.every(([version, hold]) => holds.versions[version] === hold);
  if (same) return undefined;
  const { namespace, name } = resource.metadata;
  return { namespace, name, versions: Object.fromEntries(wanted) };
}

/** Have clients had the time to see as many instances of the wanted version as are asked for? */
function hasBeenSeen(
  { pods, registrations, key, mode, now }: Observation,
  versions: Versions,
  needed: number,
): boolean {
  if (!registrations.known) return false;
  if (!registers(mode.agents)) return versions.tookOver;
  const seen = pods.filter((pod) => {
    const registration = pod.versionKey === key && stays(pod) ? registrations.byPod.get(pod.uid) : undefined;
    return registration !== undefined && hasPassed(registration.since, now, seenByClientsMs);
  });
  return seen.length >= needed;
}

/** A clock that was set back must not make anybody wait for it to come round again. */
function hasPassed(since: number, now: number, ms: number): boolean {
  return Math.abs(now - since) >= ms;
}

function isServed({ pods, registrations }: Observation, versionKey: string): boolean {
  return registeredPods(versionKey, pods, registrations) > 0;
}

/** Agents that know of no holds unregister when their pods are told to stop. */
function hasLeft(observation: Observation, { hold, versionKey }: DeploymentView): boolean {
  const { holds, now } = observation;
  if (hold === undefined || !isServed(observation, versionKey)) return true;
  const told = holds.known ? holds.versions[hold.version] : undefined;
  return told?.held === true && hasPassed(told.since, now, leaveTogetherMs);
}

/** How many instances may run at a time while versions change place under `Surge`. */
function roomOf({ spec }: ModelDeployment, before: DeploymentView): number {
  return Math.max(spec.instances, before.replicas) + 1;
}

function replicasOf(observation: Observation, { wanted, before }: Versions): number {
  const { resource, pods, key, registrations } = observation;
  const { instances } = resource.spec;
  const others = pods.filter((pod) => pod.versionKey !== key && pod.dead === undefined).length;
  if (instances > 0 && wanted !== undefined && wanted.replicas > instances && isAboutToRegister(observation, wanted))
    return wanted.replicas;
  if (strategyOf(resource) !== 'Surge' || (before === undefined && others === 0)) return instances;
  const live = Math.min(wanted?.replicas ?? 0, instances);
  if (!registrations.known && wanted !== undefined) return live;
  const room = before === undefined ? instances + 1 : roomOf(resource, before);
  return Math.max(Math.min(instances, 1), live, Math.min(instances, room - others));
}

/**
 * Some of its instances answer and were released, but are not registered yet. Kubernetes knows no difference between these
 * and those that serve, and might stop all that do.
 */
function isAboutToRegister({ pods, registrations, mode }: Observation, { hold, versionKey }: DeploymentView): boolean {
  if (hold === undefined || !registers(mode.agents) || !registrations.known) return false;
  const answering = pods.filter((pod) => pod.versionKey === versionKey && stays(pod) && pod.ready);
  const registered = answering.filter(({ uid }) => registrations.byPod.has(uid)).length;
  return registered > 0 && registered < answering.length;
}

function resizeOf(
  { resource, registrations }: Observation,
  { before, superfluous, wanted }: Versions,
  answering: number,
  needed: number,
): Handover['resize'] {
  if (before === undefined || superfluous.includes(before) || !registrations.known) return [];
  const resize = (replicas: number, why: string) =>
    replicas === before.replicas ? [] : [{ deployment: before, replicas, why }];
  if (strategyOf(resource) !== 'Surge') return resize(resource.spec.instances, 'other number of instances');
  if (wanted === undefined || answering >= needed) return [];
  const left = Math.min(before.replicas, Math.max(1, roomOf(resource, before) - 1 - answering));
  return resize(left, 'make room for the other version');
}

/** Pods that answer and are to stay unregistered, by what their agents were told. */
export function isHeld({ holds, deployments }: Pick<Observation, 'holds' | 'deployments'>, pod: PodView): boolean {
  const hold = deployments.find(({ versionKey }) => versionKey === pod.versionKey)?.hold;
  if (hold === undefined) return false;
  return (holds.known ? holds.versions[hold.version]?.held : undefined) ?? hold.untilReleased;
}
