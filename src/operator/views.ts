/** Projects Kubernetes objects to the views that a plan is made from. Pure; what is not needed is not kept in memory. */
import { annotations, labels } from '../contracts/names.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import { decodePin } from '../contracts/pin-content.ts';
import { containers, pinnedVolume } from '../contracts/pod-contract.ts';
import { holdToldIn, isAsApplied } from '../plan/children.ts';
import type { BudgetView, ContainerView, DeploymentView, PinView, PodView, Termination } from '../plan/observation.ts';
import type {
  BudgetJson,
  ConditionJson,
  ConfigMapJson,
  ContainerStatusJson,
  DeploymentJson,
  MetaJson,
  PodJson,
} from './kube-json.ts';

/** A child with what is needed to find the ModelDeployment that it belongs to. */
export interface Owned<V> {
  readonly ownerUid: string;
  readonly namespace: string;
  readonly view: V;
}

function owned<V>(meta: MetaJson | undefined, view: V): Owned<V> {
  return { ownerUid: meta?.labels?.[labels.owner] ?? '', namespace: meta?.namespace ?? '', view };
}

const time = (text: string | undefined): number => (text === undefined ? 0 : Date.parse(text));

export function deploymentView({ metadata, spec, status }: DeploymentJson): Owned<DeploymentView> {
  const condition = (type: string) => status?.conditions?.find((c) => c.type === type);
  // What the conditions say of an earlier spec says nothing of the present one.
  const observed = status?.observedGeneration === metadata?.generation;
  const failure = observed ? condition('ReplicaFailure') : undefined;
  const progressing = condition('Progressing');
  const replicas = spec?.replicas ?? 1;
  const held = { annotations: { ...metadata?.annotations }, spec: { ...spec } };
  return owned(metadata, {
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    versionKey: metadata?.labels?.[labels.version] ?? '',
    version: metadata?.annotations?.[annotations.version] ?? '',
    createdAt: time(metadata?.creationTimestamp),
    deleting: metadata?.deletionTimestamp !== undefined,
    replicas,
    ...held,
    asApplied: isAsApplied(held),
    ...holdOf(spec),
    rolledOut: observed && (status?.updatedReplicas ?? 0) >= replicas && (status?.replicas ?? 0) <= replicas,
    stuck: observed && progressing?.status === 'False' && progressing.reason === 'ProgressDeadlineExceeded',
    // The Deployment controller's own memory: the reason stays when pods fail later. A change that is on its way, or
    // does not come up, has another one, while instances of before are there.
    everComplete: progressing?.reason === 'NewReplicaSetAvailable' || (status?.availableReplicas ?? 0) > 0,
    ...(failure?.status !== 'True' ? {} : { replicaFailure: failure.message ?? failure.reason ?? 'pods are refused' }),
  });
}

/** What the agents of its pods are told of holds. */
function holdOf(spec: DeploymentJson['spec']): Pick<DeploymentView, 'hold'> {
  const hold = holdToldIn({ ...spec });
  return hold === undefined ? {} : { hold };
}

export function pinView({ metadata, data, binaryData }: ConfigMapJson): Owned<PinView> {
  return owned(metadata, {
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    versionKey: metadata?.labels?.[labels.version] ?? '',
    deleting: metadata?.deletionTimestamp !== undefined,
    ...payload(decodePin({ data, binaryData })),
  });
}

export function budgetView({ metadata, spec }: BudgetJson): Owned<BudgetView> {
  return owned(metadata, {
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    versionKey: metadata?.labels?.[labels.version] ?? '',
    deleting: metadata?.deletionTimestamp !== undefined,
    spec: { ...spec },
  });
}

function payload(pinned: PinnedPayload | undefined): Pick<PinView, 'payload'> {
  return pinned === undefined ? {} : { payload: pinned };
}

export function podView({ metadata, spec, status }: PodJson): Owned<PodView> {
  const condition = (type: string) => status?.conditions?.find((c) => c.type === type);
  const agent = containerView(status?.initContainerStatuses, containers.agent);
  const model = containerView(status?.containerStatuses, containers.model);
  return owned(metadata, {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    versionKey: metadata?.labels?.[labels.version] ?? '',
    createdAt: time(metadata?.creationTimestamp),
    deleting: metadata?.deletionTimestamp !== undefined,
    ready: condition('Ready')?.status === 'True',
    hostNetwork: spec?.hostNetwork ?? false,
    ...addresses(status),
    ...dead(metadata, status),
    ...pinOfPod(spec),
    ...revision(metadata),
    ...withoutNode(condition('PodScheduled')),
    ...(agent === undefined ? {} : { agent }),
    ...(model === undefined ? {} : { model }),
    ...volumeSources(spec?.volumes ?? []),
  });
}

function addresses(status: PodJson['status']): Pick<PodView, 'ip' | 'nodeIp'> {
  return {
    ...(status?.podIP === undefined ? {} : { ip: status.podIP }),
    ...(status?.hostIP === undefined ? {} : { nodeIp: status.hostIP }),
  };
}

/** Why no node was chosen yet, where the scheduler has said so. */
function withoutNode(scheduled: ConditionJson | undefined): Pick<PodView, 'unschedulable' | 'gated'> {
  if (scheduled?.status !== 'False') return {};
  const { reason, message } = scheduled;
  if (reason === 'Unschedulable') return { unschedulable: message ?? 'no node has room' };
  if (reason === 'SchedulingGated') return { gated: message ?? 'the pod is held back by a scheduling gate' };
  return {};
}

function volumeSources(volumes: NonNullable<NonNullable<PodJson['spec']>['volumes']>): Pick<PodView, 'volumeSources'> {
  const named = volumes.flatMap(({ name, secret, configMap }): [string, string][] => {
    const source = secret?.secretName ?? configMap?.name;
    return name === undefined || source === undefined ? [] : [[name, source]];
  });
  return named.length === 0 ? {} : { volumeSources: Object.fromEntries(named) };
}

/** Containers that are always restarted end only with their pod, however well they ended. */
function dead(metadata: MetaJson | undefined, status: PodJson['status']): Pick<PodView, 'dead'> {
  if (status?.phase !== 'Failed' && status?.phase !== 'Succeeded') return {};
  const words = [status.reason ?? status.phase, status.message].filter((text) => text !== undefined && text !== '');
  // No field says when a pod ended; its conditions change for the last time then.
  const changes = (status.conditions ?? []).map((condition) => time(condition.lastTransitionTime ?? undefined));
  return { dead: { why: words.join(': '), at: Math.max(time(metadata?.creationTimestamp), ...changes) } };
}

function pinOfPod(spec: PodJson['spec']): Pick<PodView, 'pin'> {
  const name = spec?.volumes?.find((volume) => volume.name === pinnedVolume)?.configMap?.name;
  return name === undefined ? {} : { pin: name };
}

function revision(metadata: MetaJson | undefined): Pick<PodView, 'revision'> {
  const text = metadata?.annotations?.[annotations.revision];
  return text === undefined ? {} : { revision: text };
}

function containerView(statuses: readonly ContainerStatusJson[] | undefined, name: string): ContainerView | undefined {
  const status = statuses?.find((candidate) => candidate.name === name);
  if (status === undefined) return undefined;
  const { waiting, running, terminated } = status.state ?? {};
  const ended = (json: NonNullable<typeof terminated>): Termination => ({
    kind: 'terminated',
    exitCode: json.exitCode ?? -1,
    reason: json.reason ?? '',
    message: json.message ?? '',
  });
  const last = status.lastState?.terminated;
  return {
    restarts: status.restartCount ?? 0,
    state:
      terminated !== undefined
        ? ended(terminated)
        : running !== undefined
          ? { kind: 'running' }
          : { kind: 'waiting', reason: waiting?.reason ?? '', message: waiting?.message ?? '' },
    ...(last === undefined ? {} : { lastTermination: ended(last) }),
  };
}
