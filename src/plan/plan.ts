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
 * 5. The status says all of it, and the same observation always gives the same plan: a settled world gives an empty one.
 */
import { annotations } from '../api/names.ts';
import type { PinnedPayload } from '../api/payload.ts';
import { type EndpointStatus, type ModelDeploymentStatus, maxStatusEndpoints } from '../api/resource.ts';
import type { OperatorSettings } from '../api/settings.ts';
import { deploymentManifest, inputsOf, keyOf, type Manifest, pinManifest, selectorOf } from './children.ts';
import { claimOf } from './claims.ts';
import { conditionOf, no, type Verdict, yes } from './conditions.ts';
import { driftOf } from './drift.ts';
import { eventsOf, type PlannedEvent } from './events.ts';
import { stateOf } from './instance-state.ts';
import type { DeploymentView, Observation, PodView } from './observation.ts';
import { pinnedOf } from './pinned.ts';
import { type Facts, payloadVerdict, readyVerdict, stalledVerdict } from './readiness.ts';
import { retryOf } from './retry-refused.ts';
import { type Versions, versionsOf } from './versions.ts';

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
  readonly status: ModelDeploymentStatus;
  readonly events: readonly PlannedEvent[];
  /** Look again after so many milliseconds even if nothing is heard. */
  readonly lookAgainMs?: number;
}

/** How often agents of instances that are not registered yet are asked what they do. */
const pollMs = 1_000;

export function plan(observation: Observation, settings: OperatorSettings & { clusterId: string }): Plan {
  const { resource } = observation;
  const key = keyOf(resource.spec);
  const { namespace, name, uid, creationTimestamp } = resource.metadata;
  const claim = claimOf(
    { namespace, name, uid, creationTimestamp, version: resource.spec.version },
    observation.peers,
    resource.status.conditions?.find((condition) => condition.type === 'Stalled'),
  );
  const versions = versionsOf(
    key,
    resource.spec.instances,
    observation.deployments,
    observation.pods,
    observation.registrations,
    observation.mode.agents,
  );
  const instances = observation.pods
    .filter((pod) => pod.versionKey === key)
    .map((pod) => ({ pod: pod.name, state: instanceState(observation, pod) }))
    .sort((a, b) => b.state.severity - a.state.severity || (a.pod < b.pod ? -1 : 1));
  const payload = payloadOf(observation, key);
  const usable = observation.invalid === undefined && claim.owned;
  const wantedApply = usable ? childrenToApply(observation, settings, versions, payload) : [];
  const wantedRemove = usable ? childrenToRemove(observation, versions, key) : [];
  const wantsCopy = usable && needsCopy(observation);
  const observes = observation.mode.mode === 'observe';
  const mayAct = usable && !observes;
  const apply = mayAct ? wantedApply : [];
  const remove = mayAct ? wantedRemove : [];
  const withheld = observes
    ? [...(wantsCopy ? ['copy the payload'] : []), ...[...wantedApply, ...wantedRemove].map(({ why }) => why)]
    : [];
  const facts: Facts = { observation, claim, versions, instances, withheld };
  const status = statusOf(facts, payload, apply.length > 0 || remove.length > 0);
  const events = [
    ...switchEvents(resource.status.serving, status.serving),
    ...eventsOf(resource.status.conditions, status.conditions ?? []),
  ];
  const settled = status.conditions?.find((condition) => condition.type === 'Reconciling')?.status === 'False';
  const copyPayload = wantsCopy && mayAct;
  return { copyPayload, apply, remove, status, events, ...(settled || !mayAct ? {} : { lookAgainMs: pollMs }) };
}

function needsCopy({ payload, pins, resource }: Observation): boolean {
  switch (payload.state) {
    case 'found':
      return true;
    case 'failed':
      return payload.copying === true;
    case 'pinned':
      return payload.drift !== undefined && pinnedOf(pins, keyOf(resource.spec))?.copiedFrom !== undefined;
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

function payloadOf(observation: Observation, key: string): PinnedPayload | undefined {
  const pinned = pinnedOf(observation.pins, key);
  if (pinned !== undefined) return pinned;
  return observation.payload.state === 'resolved' ? observation.payload.payload : undefined;
}

function childrenToApply(
  observation: Observation,
  settings: OperatorSettings & { clusterId: string },
  versions: Versions,
  payload: PinnedPayload | undefined,
): Plan['apply'] {
  if (payload === undefined) return [];
  const { resource } = observation;
  const key = keyOf(resource.spec);
  const apply: { manifest: Manifest; why: string }[] = [];
  if (pinnedOf(observation.pins, key) === undefined) {
    apply.push({ manifest: pinManifest(resource, payload), why: 'pin the payload' });
  }
  const { wanted } = versions;
  const applied = wanted === undefined ? undefined : appliedSpec(wanted, inputsOf(resource, payload));
  const retried =
    wanted?.replicaFailure === undefined
      ? undefined
      : retryOf(wanted.annotations[annotations.retried], observation.now);
  const manifest = deploymentManifest(resource, payload, settings, applied, retried);
  const why =
    wanted === undefined
      ? 'a new version'
      : (whyApply(wanted, manifest, applied === undefined) ??
        (retried === undefined ? undefined : 'ask again for pods that were refused'));
  if (why !== undefined) apply.push({ manifest, why });
  return apply;
}

/** The spec that the Deployment was applied with, where the user's inputs are still the same. */
function appliedSpec(deployment: DeploymentView, inputs: string): Record<string, unknown> | undefined {
  if (deployment.annotations[annotations.inputs] !== inputs) return undefined;
  try {
    const spec: unknown = JSON.parse(deployment.annotations[annotations.applied] ?? '');
    return typeof spec === 'object' && spec !== null ? (spec as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function whyApply(live: DeploymentView, manifest: Manifest, inputsChanged: boolean): string | undefined {
  if (inputsChanged) return 'the spec changed';
  const difference = driftOf(manifest['spec'], live.spec);
  if (difference === undefined) return undefined;
  return difference === 'replicas' ? 'other number of instances' : `somebody changed ${difference}`;
}

function childrenToRemove(observation: Observation, versions: Versions, key: string): Plan['remove'] {
  const going = new Set(versions.superfluous.map((deployment) => deployment.versionKey));
  const deployments = versions.superfluous.map((deployment) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name: deployment.name,
    uid: deployment.uid,
    why: `version ${deployment.version} is not needed any more`,
  }));
  // A pin goes after its Deployment and its pods, whose agents may be restarted until they end.
  const inUse = (pinKey: string) =>
    pinKey === key ||
    observation.deployments.some((deployment) => deployment.versionKey === pinKey) ||
    observation.pods.some((pod) => pod.versionKey === pinKey) ||
    going.has(pinKey);
  const pins = observation.pins
    .filter((pin) => !pin.deleting && !inUse(pin.versionKey))
    .map((pin) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: pin.name,
      uid: pin.uid,
      why: 'its version is gone',
    }));
  return [...deployments, ...pins];
}

function statusOf(facts: Facts, payload: PinnedPayload | undefined, acting: boolean): ModelDeploymentStatus {
  const { observation, versions, claim } = facts;
  const { resource, now, registrations } = observation;
  const { generation } = resource.metadata;
  const before = resource.status.conditions;
  const key = keyOf(resource.spec);
  const current = observation.pods.filter((pod) => pod.failed === undefined);
  const wantedPods = current.filter((pod) => pod.versionKey === key && !pod.deleting);

  const ready = readyVerdict(facts);
  const stalled = stalledVerdict(facts);
  const settled =
    !acting &&
    ready.status === 'True' &&
    (versions.wanted?.rolledOut ?? true) &&
    wantedPods.filter((pod) => pod.ready).length >= resource.spec.instances &&
    observation.deployments.every((deployment) => deployment === versions.wanted) &&
    !current.some((pod) => pod.deleting);
  const reconciling: Verdict = settled
    ? no('Settled', '')
    : observation.mode.mode === 'observe'
      ? no('Observed', '')
      : stalled.status === 'True'
        ? no('Stalled', '')
        : yes(ready.status === 'True' ? 'RollingOut' : ready.reason, '');

  const endpoints = endpointsOf(observation);
  const servingKey = versions.serving?.versionKey ?? key;
  return {
    observedGeneration: generation,
    replicas: current.filter((pod) => !pod.deleting).length,
    ready: wantedPods.filter((pod) => pod.ready).length,
    ...(registrations.known ? { registered: versions.registered } : {}),
    ...(claim.owned
      ? {
          selector: Object.entries(selectorOf(resource, servingKey))
            .map(([label, value]) => `${label}=${value}`)
            .join(','),
        }
      : {}),
    ...serving(observation, versions),
    ...(payload === undefined
      ? {}
      : {
          payload: {
            path: payload.copiedFrom ?? payload.path,
            ...(payload.copiedFrom === undefined ? {} : { copy: payload.path }),
            script: payload.script,
            files: payload.files.length,
            bytes: payload.bytes,
            digest: payload.digest,
          },
        }),
    endpoints: endpoints.slice(0, maxStatusEndpoints),
    endpointsTotal: endpoints.length,
    conditions: [
      conditionOf('Ready', ready, before, generation, now),
      conditionOf('Reconciling', reconciling, before, generation, now),
      conditionOf('Stalled', stalled, before, generation, now),
      conditionOf('PayloadResolved', payloadVerdict(observation), before, generation, now),
    ],
  };
}

/** The version of which at least one instance is registered; what was served stays said while nobody can be asked. */
function serving({ resource, registrations, pods }: Observation, versions: Versions): { serving?: string } {
  if (!registrations.known) {
    return resource.status.serving === undefined ? {} : { serving: resource.status.serving };
  }
  const { serving: deployment } = versions;
  if (deployment === undefined) return {};
  const served = pods.some(
    (pod) => pod.versionKey === deployment.versionKey && !pod.deleting && registrations.byPod.has(pod.uid),
  );
  return served ? { serving: deployment.version } : {};
}

function endpointsOf(observation: Observation): EndpointStatus[] {
  const { registrations } = observation;
  const versionOf = new Map(observation.deployments.map((deployment) => [deployment.versionKey, deployment.version]));
  const own = keyOf(observation.resource.spec);
  return observation.pods
    .map((pod) => {
      const state = instanceState(observation, pod);
      const registration = registrations.known ? registrations.byPod.get(pod.uid) : undefined;
      const version =
        registration?.version ??
        versionOf.get(pod.versionKey) ??
        (pod.versionKey === own ? observation.resource.spec.version : '');
      const endpoint: EndpointStatus = {
        pod: pod.name,
        version,
        state: state.state,
        ...(registration === undefined ? {} : { url: registration.url, functions: { ...registration.functions } }),
        ...(state.message === undefined ? {} : { message: state.message }),
      };
      return { endpoint, severity: state.severity };
    })
    .sort((a, b) => b.severity - a.severity || (a.endpoint.pod < b.endpoint.pod ? -1 : 1))
    .map(({ endpoint }) => endpoint);
}

function switchEvents(before: string | undefined, after: string | undefined): PlannedEvent[] {
  if (before === undefined || after === undefined || before === after) return [];
  return [
    { type: 'Normal', reason: 'Switched', message: `version ${after} serves instead of ${before}`, action: 'Switch' },
  ];
}
