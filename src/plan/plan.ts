/**
 * The planner: one observation in, everything that is to be written out. It does no IO and reads no clock.
 *
 * 1. A spec that cannot be used, or a model name that is somebody else's, changes nothing but the status. Nor does
 *    anything while the mode is to observe: the status then says what was held back.
 * 2. The wanted version (version text and payload) has one Deployment and one ConfigMap that pins its payload.
 *    They are made when the payload was resolved, and copied where instances read a copy, ConfigMap first. A pinned
 *    payload is never resolved again.
 * 3. A Deployment keeps the spec it was applied with until the user's inputs change; only replicas follow at once.
 *    What somebody else changed in it is put back.
 * 4. The version that was served before goes when all instances of the wanted one are registered, not earlier, and
 *    never while ZooKeeper cannot be asked. Where the mode is not to register, they count when they are ready.
 * 5. The status says all of it, and only what was seen: a model counts as serving when all instances of the present
 *    spec do. Dead pods are said where they explain something, and count for nothing.
 * 6. The same observation always gives the same plan: a settled world gives an empty one.
 */

import { annotations } from '../contracts/names.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import { eventOf, type ReasonedEvent, rankOf } from '../contracts/reasons.ts';
import { type EndpointStatus, type ModelDeploymentStatus, maxStatusEndpoints } from '../contracts/resource.ts';
import type { OperatorSettings } from '../contracts/settings.ts';
import { compareTexts } from '../kernel/text-order.ts';
import { type Awaits, awaitsOf } from './awaits.ts';
import { budgetsToApply, budgetsToRemove } from './budgets.ts';
import { appliedOf, deploymentManifest, inputsOf, type Manifest, pinManifest, selectorOf } from './children.ts';
import { claimOf } from './claims.ts';
import { conditionFrom, no, type Verdict, yes } from './conditions.ts';
import { driftOf } from './drift.ts';
import { eventsOf } from './events.ts';
import { type InstanceState, stateOf } from './instance-state.ts';
import type { DeploymentView, Observation, Pin, PodView } from './observation.ts';
import { pinIn, uselessPins } from './pins.ts';
import { type Facts, payloadVerdict, readyVerdict, stalledVerdict } from './readiness.ts';
import { retryOf } from './retry-refused.ts';
import { rolloutOf, verifiedDigest } from './rollout.ts';
import { registeredPods, stays, type Versions, versionsOf } from './versions.ts';

export interface Plan {
  /** To be applied in this order. `why` goes to the log. */
  readonly apply: readonly { readonly manifest: Manifest; readonly why: string }[];
  /** To be begun before all else: the copy of the payload in the payload store, or what has to be mended in it. */
  readonly copyPayload: boolean;
  /** To be deleted, each only with this UID. */
  readonly remove: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
    readonly why: string;
  }[];
  /** Budgets, to be applied last: a model runs also where these are refused. */
  readonly protect: readonly { readonly manifest: Manifest; readonly why: string }[];
  readonly status: ModelDeploymentStatus;
  readonly events: readonly ReasonedEvent[];
  readonly awaits: Awaits;
}

export function plan(observation: Observation, settings: OperatorSettings & { clusterId: string }): Plan {
  const { resource } = observation;
  const { key } = observation;
  const { namespace, name, uid, creationTimestamp } = resource.metadata;
  const claim = claimOf(
    { namespace, name, uid, creationTimestamp, version: resource.spec.version },
    observation.peers,
    resource.status.nameOwner,
  );
  const versions = versionsOf(
    key,
    resource.spec.instances,
    observation.deployments,
    observation.pods,
    observation.registrations,
    observation.mode.agents,
  );
  const usable = observation.invalid === undefined && claim.owned;
  const observes = observation.mode.mode === 'observe';
  const pin = wantedPin(observation);
  const wanted = usable ? wantedActions(observation, settings, versions, pin) : noActions;
  const { copyPayload, apply, remove, protect } = observes ? noActions : wanted;
  const rollout = rolloutOf(
    observation,
    versions,
    wanted.apply.some(({ changes }) => changes === 'pods'),
  );
  const living = observation.pods
    .filter((pod) => pod.dead === undefined)
    .map((pod) => ({ pod, state: instanceState(observation, pod) }));
  const instances = living
    .filter(({ pod }) => pod.versionKey === key)
    .map(({ pod, state }) => ({ pod: pod.name, state, present: rollout.pods.includes(pod) }))
    .sort((a, b) => rankOf(b.state.severity) - rankOf(a.state.severity) || compareTexts(a.pod, b.pod));
  const withheld = observes ? whyOf(wanted) : [];
  const facts: Facts = { observation, claim, versions, rollout, instances, withheld };
  const endpoints = endpointsOf(observation, living);
  const status = statusOf(facts, endpoints, pin?.payload, apply.length > 0 || remove.length > 0);
  const events = [
    ...switchEvents(resource.status.serving, status.serving),
    ...eventsOf(resource.status.conditions, status.conditions ?? []),
  ];
  return {
    copyPayload,
    apply: apply.map(({ manifest, why }) => ({ manifest, why })),
    remove,
    protect,
    status,
    events,
    awaits: usable ? awaitsOf(observation, status) : 'nothing',
  };
}

interface Actions extends Pick<Plan, 'copyPayload' | 'remove' | 'protect'> {
  readonly apply: readonly ChildToApply[];
}

const noActions: Actions = { copyPayload: false, apply: [], remove: [], protect: [] };

/** What is to be done, if the mode lets the operator act. */
function wantedActions(
  observation: Observation,
  settings: OperatorSettings & { clusterId: string },
  versions: Versions,
  pin: WantedPin | undefined,
): Actions {
  return {
    copyPayload: needsCopy(observation),
    apply: pin === undefined ? [] : childrenToApply(observation, settings, versions, pin),
    remove: [...childrenToRemove(observation, versions), ...budgetsToRemove(observation, settings)],
    protect: budgetsToApply(observation, versions.superfluous, settings),
  };
}

function whyOf({ copyPayload, apply, remove, protect }: Actions): readonly string[] {
  return [...(copyPayload ? ['copy the payload'] : []), ...[...apply, ...remove, ...protect].map(({ why }) => why)];
}

function needsCopy(observation: Observation): boolean {
  const { payload, pin } = observation;
  switch (payload.state) {
    case 'found':
      return true;
    case 'failed':
      return payload.copying === true;
    case 'pinned':
      return payload.drift !== undefined && pin?.payload.copiedFrom !== undefined;
    default:
      return false;
  }
}

function instanceState(observation: Observation, pod: PodView) {
  const { registrations } = observation;
  return stateOf(
    pod,
    registrations.known ? registrations.byPod.get(pod.uid) : undefined,
    observation.agents.get(pod.uid),
    observation.mode.agents,
  );
}

/** With the manifest of one that is to be made. */
type WantedPin = Pin & { readonly manifest?: Manifest };

/** The pin that is there, or the one that is to be made. */
function wantedPin({ pin, payload, resource }: Observation): WantedPin | undefined {
  if (pin !== undefined) return pin;
  if (payload.state !== 'resolved') return undefined;
  const manifest = pinManifest(resource, payload.payload);
  return { name: manifest.metadata.name, payload: payload.payload, manifest };
}

interface ChildToApply {
  readonly manifest: Manifest;
  readonly why: string;
  /** What it means for pods that are there. */
  readonly changes: 'nothing' | 'count' | 'pods';
}

function childrenToApply(
  observation: Observation,
  settings: OperatorSettings & { clusterId: string },
  { wanted }: Versions,
  pin: WantedPin,
): readonly ChildToApply[] {
  const { resource } = observation;
  const apply: ChildToApply[] = [];
  if (pin.manifest !== undefined) {
    // A damaged one under its name has to go first.
    if (observation.pins.some(({ name }) => name === pin.name)) return [];
    apply.push({ manifest: pin.manifest, why: 'pin the payload', changes: 'nothing' });
  }
  if (wanted === undefined) {
    const manifest = deploymentManifest(resource, pin, settings);
    return [...apply, { manifest, why: 'a new version', changes: 'pods' }];
  }
  const inputs = inputsOf(resource, pin.payload);
  if (isAsWanted(wanted, inputs, pin.name, resource.spec.instances)) return apply;
  const applied = appliedSpec(wanted, inputs, pin.name);
  const retried =
    wanted.replicaFailure === undefined ? undefined : retryOf(wanted.annotations[annotations.retried], observation.now);
  const manifest = deploymentManifest(resource, pin, settings, { name: wanted.name, applied, retried });
  const change = changeOf(wanted, manifest, applied === undefined);
  if (change !== undefined) return [...apply, { manifest, ...change }];
  if (retried === undefined) return apply;
  return [...apply, { manifest, why: 'ask again for pods that were refused', changes: 'nothing' }];
}

/** Nothing is to be applied; what is said here of most Deployments in most passes says `changeOf` of all in the end. */
function isAsWanted(live: DeploymentView, inputs: string, pin: string, instances: number): boolean {
  const { asApplied, replicaFailure } = live;
  const isSame = live.annotations[annotations.inputs] === inputs && pinIn(live.spec) === pin;
  return asApplied && isSame && live.spec['replicas'] === instances && replicaFailure === undefined;
}

/** The spec that the Deployment was applied with, where the user's inputs and the pin are still the same. */
function appliedSpec(deployment: DeploymentView, inputs: string, pin: string): Record<string, unknown> | undefined {
  if (deployment.annotations[annotations.inputs] !== inputs) return undefined;
  const spec = appliedOf(deployment);
  return spec !== undefined && pinIn(spec) === pin ? spec : undefined;
}

function changeOf(
  live: DeploymentView,
  manifest: Manifest,
  inputsChanged: boolean,
): Pick<ChildToApply, 'why' | 'changes'> | undefined {
  if (inputsChanged) return { why: 'the spec changed', changes: 'pods' };
  const difference = driftOf(manifest['spec'], live.spec);
  if (difference === undefined) return undefined;
  return difference === 'replicas'
    ? { why: 'other number of instances', changes: 'count' }
    : { why: `somebody changed ${difference}`, changes: 'pods' };
}

function childrenToRemove(observation: Observation, versions: Versions): Plan['remove'] {
  const deployments = versions.superfluous.map((deployment) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name: deployment.name,
    uid: deployment.uid,
    why: `version ${deployment.version} is not needed any more`,
  }));
  const pins = uselessPins(observation).map((pin) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: pin.name,
    uid: pin.uid,
    why: pin.payload === undefined ? 'it is damaged' : 'nothing refers to it any more',
  }));
  return [...deployments, ...pins];
}

function statusOf(
  facts: Facts,
  endpoints: readonly EndpointStatus[],
  payload: PinnedPayload | undefined,
  acting: boolean,
): ModelDeploymentStatus {
  const { observation, versions, claim, rollout } = facts;
  const { resource, now, registrations } = observation;
  const { generation } = resource.metadata;
  const before = resource.status.conditions;
  const ready = readyVerdict(facts);
  const stalled = stalledVerdict(facts);
  const reconciling = reconcilingVerdict(facts, ready, stalled, acting);
  const servingKey = versions.serving?.versionKey ?? observation.key;
  return {
    observedGeneration: generation,
    replicas: observation.pods.filter(stays).length,
    ready: readyPods(observation),
    ...(registrations.known ? { registered: versions.registered, updated: rollout.updated } : {}),
    ...(claim.owned
      ? {
          selector: Object.entries(selectorOf(resource, servingKey))
            .map(([label, value]) => `${label}=${value}`)
            .join(','),
        }
      : { nameOwner: claim.owner }),
    ...serving(observation, versions),
    ...(payload === undefined ? {} : { payload: payloadStatus(observation, payload) }),
    endpoints: mostTelling(endpoints),
    endpointsTotal: endpoints.length,
    conditions: [
      conditionFrom('Ready', ready, before, generation, now),
      conditionFrom('Reconciling', reconciling, before, generation, now),
      conditionFrom('Stalled', stalled, before, generation, now),
      conditionFrom('PayloadResolved', payloadVerdict(observation), before, generation, now),
    ],
  };
}

/** Pods of the wanted version that are there to stay. */
function wantedPods({ pods, key }: Observation): readonly PodView[] {
  return pods.filter((pod) => pod.versionKey === key && stays(pod));
}

function readyPods(observation: Observation): number {
  return wantedPods(observation).filter((pod) => pod.ready).length;
}

function reconcilingVerdict(
  { observation, versions, rollout }: Facts,
  ready: Verdict,
  stalled: Verdict,
  acting: boolean,
): Verdict {
  const { deployments, pods, resource, mode } = observation;
  const settled =
    !acting &&
    ready.status === 'True' &&
    (rollout.done || versions.wanted === undefined) &&
    readyPods(observation) >= resource.spec.instances &&
    deployments.every((deployment) => deployment === versions.wanted) &&
    !pods.some((pod) => pod.dead === undefined && pod.deleting);
  if (settled) return no('Settled', '');
  if (mode.mode === 'observe') return no('Observed', '');
  if (stalled.status === 'True') return no('Stalled', '');
  return yes(ready.status === 'True' ? 'RollingOut' : ready.reason, ready.message);
}

function payloadStatus(observation: Observation, payload: PinnedPayload): ModelDeploymentStatus['payload'] {
  const { path, copiedFrom, script, files, bytes, digest } = payload;
  return {
    path: copiedFrom ?? path,
    ...(copiedFrom === undefined ? {} : { copy: path }),
    script,
    files: files.length,
    bytes,
    digest,
    verified: wantedPods(observation).filter((pod) => verifiedDigest(observation, pod) === digest).length,
  };
}

/** The version of which at least one instance is registered; what was served stays said while nobody can be asked. */
function serving({ resource, registrations, pods }: Observation, versions: Versions): { serving?: string } {
  if (!registrations.known) {
    return resource.status.serving === undefined ? {} : { serving: resource.status.serving };
  }
  const { serving: deployment } = versions;
  if (deployment === undefined) return {};
  const served = registeredPods(deployment.versionKey, pods, registrations) > 0;
  return served ? { serving: deployment.version } : {};
}

function endpointsOf(
  observation: Observation,
  living: readonly { readonly pod: PodView; readonly state: InstanceState }[],
): EndpointStatus[] {
  const { registrations } = observation;
  const versionOf = new Map(observation.deployments.map((deployment) => [deployment.versionKey, deployment.version]));
  return living
    .map(({ pod, state }) => {
      const registration = registrations.known ? registrations.byPod.get(pod.uid) : undefined;
      const version =
        registration?.version ??
        versionOf.get(pod.versionKey) ??
        (pod.versionKey === observation.key ? observation.resource.spec.version : '');
      const endpoint: EndpointStatus = {
        pod: pod.name,
        version,
        state: state.state,
        ...digestOf(observation, pod),
        ...(registration === undefined ? {} : { url: registration.url, functions: { ...registration.functions } }),
        ...(state.message === undefined ? {} : { message: state.message }),
      };
      return { endpoint, place: placeOf(state) };
    })
    .sort((a, b) => a.place - b.place || compareTexts(a.endpoint.pod, b.endpoint.pod))
    .map(({ endpoint }) => endpoint);
}

/** What fails first, what goes last: nobody asks why a pod that is told to go is not up. */
function placeOf({ severity }: InstanceState): number {
  return severity === 'leaving' ? Number.POSITIVE_INFINITY : -rankOf(severity);
}

/** As many as a status holds. Where that is not all, what clients are answered by gets half of the places. */
function mostTelling(endpoints: readonly EndpointStatus[]): EndpointStatus[] {
  if (endpoints.length <= maxStatusEndpoints) return [...endpoints];
  const half = maxStatusEndpoints / 2;
  const served = endpoints.filter(({ url }) => url !== undefined);
  const others = endpoints.filter(({ url }) => url === undefined);
  const room = maxStatusEndpoints - Math.min(others.length, Math.max(half, maxStatusEndpoints - served.length));
  const shown = new Set([...served.slice(0, room), ...others.slice(0, maxStatusEndpoints - room)]);
  return endpoints.filter((endpoint) => shown.has(endpoint));
}

function digestOf(observation: Observation, pod: PodView): Pick<EndpointStatus, 'digest'> {
  const digest = verifiedDigest(observation, pod);
  return digest === undefined ? {} : { digest };
}

function switchEvents(before: string | undefined, after: string | undefined): ReasonedEvent[] {
  if (before === undefined || after === undefined || before === after) return [];
  return [eventOf('Switched', `version ${after} serves instead of ${before}`, 'Switch')];
}
