/** The status of a plan: only what was seen, whatever is about to be done. */
import { annotations } from '../contracts/names.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import { rankOf, traitsOf } from '../contracts/reasons.ts';
import {
  type EndpointStatus,
  type ModelDeploymentStatus,
  maxStatusEndpoints,
  pausedReason,
} from '../contracts/resource-status.ts';
import { compareTexts } from '../kernel/text-order.ts';
import { callsVerdict, failedCallsOf } from './calls-failing.ts';
import { selectorOf } from './children.ts';
import { conditionFrom, no, type Verdict, yes } from './conditions.ts';
import { historyOf } from './history.ts';
import type { InstanceState } from './instance-state.ts';
import type { Observation, PodView } from './observation.ts';
import { outrankedVerdict } from './outranked.ts';
import { type Facts, pausedWords, payloadVerdict, readyVerdict, stalledVerdict } from './readiness.ts';
import { verifiedDigest } from './rollout.ts';
import { deadlineVerdict, rolloutStatus } from './rollout-status.ts';
import { registeredPods, stays, type Versions } from './versions.ts';

export function statusOf(
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
  const stalled = stalledIn(facts, ready);
  const reconciling = reconcilingVerdict(facts, ready, stalled, acting);
  const outranks = claim.owned ? outrankedVerdict(observation) : undefined;
  const failed = failedCallsOf(observation);
  const servingKey = versions.serving?.versionKey ?? observation.key;
  return {
    observedGeneration: generation,
    // What the selector finds, as an autoscaler expects of the two.
    replicas: observation.pods.filter((pod) => pod.versionKey === servingKey && stays(pod)).length,
    ready: readyPods(observation),
    ...(registrations.known ? { registered: versions.registered, updated: rollout.updated } : {}),
    ...refreshedOf(resource.metadata.annotations[annotations.refresh]),
    ...(claim.owned
      ? {
          selector: Object.entries(selectorOf(resource, servingKey))
            .map(([label, value]) => `${label}=${value}`)
            .join(','),
        }
      : { nameOwner: claim.owner }),
    ...serving(observation, versions),
    ...rolloutStatus(facts),
    ...keptHistory(facts, ready, stalled, payload),
    ...(payload === undefined ? {} : { payload: payloadStatus(observation, payload) }),
    endpoints: mostTelling(endpoints),
    endpointsTotal: endpoints.length,
    ...(failed === undefined ? {} : { failedCalls: failed }),
    conditions: [
      conditionFrom('Ready', ready, before, generation, now),
      conditionFrom('Reconciling', reconciling, before, generation, now),
      conditionFrom('Stalled', stalled, before, generation, now),
      conditionFrom('PayloadResolved', payloadVerdict(observation), before, generation, now),
      ...(outranks === undefined ? [] : [conditionFrom('Outranked', outranks, before, generation, now)]),
      ...(failed === undefined ? [] : [conditionFrom('CallsFailing', callsVerdict(failed), before, generation, now)]),
    ],
  };
}

/** Room that a queue will give is waited for, however long a version may take. */
function stalledIn(facts: Facts, ready: Verdict): Verdict {
  const stalled = stalledVerdict(facts);
  if (stalled.status === 'True' || traitsOf(ready.reason).expected === 'queued') return stalled;
  return deadlineVerdict(facts, ready) ?? stalled;
}

function keptHistory(...about: Parameters<typeof historyOf>): Pick<ModelDeploymentStatus, 'history'> {
  const history = historyOf(...about);
  return history.length === 0 ? {} : { history: [...history] };
}

function refreshedOf(refresh: string | undefined): Pick<ModelDeploymentStatus, 'refreshed'> {
  return refresh === undefined ? {} : { refreshed: refresh };
}

/** Pods of the wanted version that are there to stay. */
function wantedPods({ pods, key }: Observation): readonly PodView[] {
  return pods.filter((pod) => pod.versionKey === key && stays(pod));
}

function readyPods(observation: Observation): number {
  return wantedPods(observation).filter((pod) => pod.ready).length;
}

function reconcilingVerdict(
  { observation, versions, rollout, withheld }: Facts,
  ready: Verdict,
  stalled: Verdict,
  acting: boolean,
): Verdict {
  const { deployments, pods, resource, mode } = observation;
  if (resource.spec.paused === true) return no(pausedReason, pausedWords(withheld));
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

export function endpointsOf(
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
        ...(state.next === undefined ? {} : { next: state.next }),
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
