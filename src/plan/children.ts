/** Builds the Kubernetes objects of one version of a model: the ConfigMap that pins its payload, and its Deployment. */

import { parseDuration } from '../contracts/duration.ts';
import {
  annotations,
  deploymentName,
  labels,
  labelValue,
  managedBy,
  pinName,
  shortHash,
  versionKey,
} from '../contracts/names.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import { encodePin } from '../contracts/pin-content.ts';
import {
  type AgentInstructions,
  agentInstructionsVariable,
  agentPaths,
  agentPort,
  containers,
  control,
  downward,
  paths,
  pinnedVolume,
  tokenFile,
} from '../contracts/pod-contract.ts';
import {
  apiVersion,
  kind,
  type ModelDeployment,
  type ModelDeploymentSpec,
  modelDeploymentSpec,
} from '../contracts/resource.ts';
import { cpuOf, type HdfsSettings, type OperatorSettings } from '../contracts/settings.ts';
import { canonicalJson, sameJson } from '../kernel/canonical-json.ts';
import { agentPreStop, modelCommand, modelPreStop } from './model-shell.ts';
import type { Pin } from './observation.ts';
import { affinityOf, kueueQueueLabel, queuePlacement } from './placement.ts';
import { fitted, type Storage, storageOf, withStorage, writtenRequest } from './pod-resources.ts';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly Readonly<Record<string, unknown>>[];
  };
  readonly [field: string]: unknown;
}

type Json = Record<string, unknown>;

/** How long an orderly stop waits for ZooKeeper; see modelPreStop. */
export const unregisterTimeoutMs = 5_000;
const defaultStartupTimeoutMs = 600_000;
const defaultDrainMs = 5_000;
const defaultStopMs = 10_000;

export function keyOf(spec: ModelDeploymentSpec): string {
  return versionKey(spec.version, spec.payload);
}

export function selectorOf(resource: ModelDeployment, key: string): Record<string, string> {
  return { [labels.owner]: resource.metadata.uid, [labels.version]: key };
}

function objectLabels(resource: ModelDeployment, key: string): Record<string, string> {
  return {
    [labels.name]: 'maas-model',
    [labels.managedBy]: managedBy,
    [labels.model]: labelValue(resource.spec.name),
    ...selectorOf(resource, key),
  };
}

/** Of any version's objects, whether it is the wanted one or not. */
export function childMetadata(resource: ModelDeployment, name: string, key: string): Manifest['metadata'] {
  return {
    name,
    namespace: resource.metadata.namespace,
    labels: objectLabels(resource, key),
    ownerReferences: [
      {
        apiVersion,
        kind,
        name: resource.metadata.name,
        uid: resource.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  };
}

function metadata(
  resource: ModelDeployment,
  name: string,
  key: string,
  extra: Record<string, string>,
): Manifest['metadata'] {
  const { ownerReferences, ...rest } = childMetadata(resource, name, key);
  return {
    ...rest,
    annotations: {
      [annotations.model]: resource.spec.name,
      [annotations.version]: resource.spec.version,
      [annotations.payloadPath]: resource.spec.payload.path,
      ...extra,
    },
    ownerReferences,
  };
}

/** The immutable ConfigMap that holds the version's file list, under a name that carries its content. */
export function pinManifest(resource: ModelDeployment, payload: PinnedPayload): Manifest {
  const key = keyOf(resource.spec);
  const name = pinName(resource.metadata, key, JSON.stringify(payload));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(resource, name, key, { [annotations.payloadDigest]: payload.digest }),
    immutable: true,
    ...encodePin(payload),
  };
}

/**
 * Hash of what the user decides about a version's pods. While it stays the same, the Deployment keeps the spec that it
 * was applied with, also under a newer operator with another agent: an upgrade restarts no model.
 */
export function inputsOf(resource: ModelDeployment, payload: PinnedPayload): string {
  // A field that says what leaving it out would mean is left out: a later release may bring a field with a default.
  const decided: Record<string, unknown> = {};
  for (const [field, schema] of Object.entries(modelDeploymentSpec.shape)) {
    // Where the payload is belongs to the version's key, what it is to its digest.
    if (field === 'instances' || field === 'payload' || field === 'disruptionBudget') continue;
    if (field === 'cpu') {
      // One core was once written into each resource that said nothing; it hashes as it did then.
      if (resource.spec.cpu !== '1') decided[field] = resource.spec.cpu ?? null;
      continue;
    }
    const value = resource.spec[field as keyof ModelDeploymentSpec];
    const leftOut = schema.safeParse(undefined);
    if (!(leftOut.success && sameJson(leftOut.data, value))) decided[field] = value;
  }
  const refresh = resource.metadata.annotations[annotations.refresh] ?? '';
  const tokenSecret = resource.spec.payload.tokenSecret ?? '';
  return shortHash(canonicalJson([decided, tokenSecret, payload.digest, refresh]), 16);
}

/**
 * The version's Deployment.
 *
 * @param live the one that is there: its name, and the spec that it was last applied with where that is to be kept;
 *   without a spec a new one is made from the settings. `retried` asks for refused pods again; see retry-refused.ts
 */
export function deploymentManifest(
  resource: ModelDeployment,
  pin: Pin,
  settings: OperatorSettings & { clusterId: string },
  live: { readonly name?: string; readonly applied?: Json | undefined; readonly retried?: string | undefined } = {},
): Manifest {
  const key = keyOf(resource.spec);
  const { payload } = pin;
  const spec = live.applied ?? deploymentSpec(resource, key, pin, settings);
  const own = metadata(resource, live.name ?? deploymentName(resource.metadata, key), key, {
    [annotations.payloadDigest]: payload.digest,
    [annotations.inputs]: inputsOf(resource, payload),
    [annotations.applied]: JSON.stringify(spec),
    ...present(annotations.retried, live.retried),
  });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...own, labels: { ...own.labels, ...kueueLabelOf(spec) } },
    // Somebody may have paused it by hand, and then no change would ever come out.
    spec: { ...spec, replicas: resource.spec.instances, paused: false },
  };
}

/** Kueue looks at the Deployment itself, and wants it to say the same as its pods. */
function kueueLabelOf(spec: Json): Record<string, string> {
  const template = spec['template'] as { metadata?: { labels?: Record<string, string> } } | undefined;
  const queue = template?.metadata?.labels?.[kueueQueueLabel];
  return queue === undefined ? {} : { [kueueQueueLabel]: queue };
}

function deploymentSpec(
  resource: ModelDeployment,
  key: string,
  pin: Pin,
  settings: OperatorSettings & { clusterId: string },
): Json {
  const podLabels = {
    ...settings.model.podLabels,
    ...queuePlacement(resource, settings.scheduling).labels,
    ...resource.spec.podMetadata?.labels,
    ...objectLabels(resource, key),
  };
  const podAnnotations = {
    ...settings.model.podAnnotations,
    ...resource.spec.podMetadata?.annotations,
    [annotations.model]: resource.spec.name,
    [annotations.version]: resource.spec.version,
    [annotations.payloadDigest]: pin.payload.digest,
  };
  const pods = podSpec(resource, key, pin, settings);
  const revision = shortHash(canonicalJson([podLabels, podAnnotations, pods]), 16);
  return {
    selector: { matchLabels: selectorOf(resource, key) },
    revisionHistoryLimit: 2,
    progressDeadlineSeconds: progressDeadlineSeconds(resource.spec),
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    template: {
      metadata: { labels: podLabels, annotations: { ...podAnnotations, [annotations.revision]: revision } },
      spec: pods,
    },
  };
}

/** The revision that a Deployment gives to its pods; undefined where an earlier release made it. */
export function revisionOf(spec: Readonly<Json>): string | undefined {
  const template = spec['template'] as { metadata?: { annotations?: Record<string, string> } } | undefined;
  return template?.metadata?.annotations?.[annotations.revision];
}

/** A change counts as stuck when no further instance has come up for this long: what a start may take by the spec. */
function progressDeadlineSeconds(spec: ModelDeploymentSpec): number {
  return Math.max(1, Math.ceil((parseDuration(spec.startupTimeout) ?? defaultStartupTimeoutMs) / 1_000));
}

function podSpec(
  resource: ModelDeployment,
  key: string,
  { name: pinned, payload }: Pin,
  settings: OperatorSettings & { clusterId: string },
): Json {
  const { spec } = resource;
  const hostNetwork = spec.advertise === 'Node';
  const drainMs = parseDuration(spec.drain) ?? defaultDrainMs;
  const stopMs = parseDuration(spec.stopTimeout) ?? defaultStopMs;
  const storage = storageOf(resource, payload, settings);
  const scheduling = spec.scheduling ?? {};
  const user = spec.securityContext?.runAsUser ?? settings.model.runAsUser ?? undefined;
  const group = spec.securityContext?.runAsGroup ?? user;
  const tokenSecret = spec.payload.tokenSecret;
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...present('serviceAccountName', spec.serviceAccountName),
    ...present('imagePullSecrets', pullSecrets(spec.imagePullSecrets, settings.model.imagePullSecrets)),
    ...(hostNetwork ? { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' } : {}),
    ...present('dnsPolicy', spec.dnsPolicy),
    ...present('dnsConfig', spec.dnsConfig),
    ...present('hostAliases', spec.hostAliases),
    ...present('runtimeClassName', spec.runtimeClassName),
    terminationGracePeriodSeconds: Math.ceil((unregisterTimeoutMs + drainMs + stopMs) / 1_000),
    securityContext: {
      runAsNonRoot: true,
      ...present('runAsUser', user),
      ...present('runAsGroup', group),
      ...present('fsGroup', spec.securityContext?.fsGroup ?? group),
      ...present('supplementalGroups', spec.securityContext?.supplementalGroups),
      ...present('fsGroupChangePolicy', spec.securityContext?.fsGroupChangePolicy),
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...present('schedulerName', scheduling.schedulerName),
    ...present('nodeSelector', scheduling.nodeSelector),
    ...present('tolerations', scheduling.tolerations),
    ...present('affinity', affinityOf(scheduling, settings.scheduling)),
    ...present('priorityClassName', queuePlacement(resource, settings.scheduling).priorityClassName),
    topologySpreadConstraints: spread(resource, key),
    initContainers: [agentContainer(resource, payload, settings, user, storage)],
    containers: [modelContainer(resource, payload, settings, drainMs, storage)],
    volumes: [
      // First, so that what the API server says of the first volume is about the first of the resource.
      ...(spec.volumes ?? []),
      { name: 'payload', emptyDir: present('sizeLimit', storage.directoryLimit) },
      { name: 'control', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      { name: 'session', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      { name: pinnedVolume, configMap: { name: pinned } },
      ...(tokenSecret === undefined
        ? []
        : [
            {
              name: 'token',
              // Named, so that a secret without it is missed before anything runs under another identity.
              secret: { secretName: tokenSecret, defaultMode: 0o440, items: [{ key: tokenFile, path: tokenFile }] },
            },
          ]),
      ...(needsTmp(spec, settings) ? [{ name: 'tmp', emptyDir: present('sizeLimit', storage.written) }] : []),
    ],
  };
}

function isReadOnly(spec: ModelDeploymentSpec, settings: OperatorSettings): boolean {
  return spec.securityContext?.readOnlyRootFilesystem ?? settings.model.readOnlyRootFilesystem;
}

/** Nothing works without /tmp, not even a shell's here-document. */
function needsTmp(spec: ModelDeploymentSpec, settings: OperatorSettings): boolean {
  const own = spec.volumeMounts?.some(({ mountPath }) => mountPath.replace(/\/+$/, '') === '/tmp') ?? false;
  return isReadOnly(spec, settings) && !own;
}

/** The agent's image is not the model's: secrets that a resource names for the one come beside those for the other. */
function pullSecrets(
  asked: ModelDeploymentSpec['imagePullSecrets'],
  defaults: readonly string[],
): readonly { readonly name: string }[] | undefined {
  const names = new Set([...(asked ?? []).map(({ name }) => name), ...defaults]);
  return names.size === 0 ? undefined : [...names].map((name) => ({ name }));
}

/** Instances spread over nodes where that is possible, unless the resource says how they should. */
function spread(resource: ModelDeployment, key: string): Json[] {
  const labelSelector = { matchLabels: selectorOf(resource, key) };
  const asked = resource.spec.scheduling?.topologySpreadConstraints;
  if (asked !== undefined) return asked.map((constraint) => ({ labelSelector, ...constraint }));
  return [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector }];
}

const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

function agentContainer(
  resource: ModelDeployment,
  payload: PinnedPayload,
  settings: OperatorSettings & { clusterId: string },
  modelUid: number | undefined,
  storage: Storage,
): Json {
  const { spec } = resource;
  const hostNetwork = spec.advertise === 'Node';
  const instructions: AgentInstructions = {
    model: spec.name,
    version: spec.version,
    payloadDigest: payload.digest,
    clusterId: settings.clusterId,
    zookeeper: settings.zookeeper,
    hdfs: onlyNameservice(settings.hdfs, payload.nameservice),
    advertise: spec.advertise,
    startupTimeoutMs: parseDuration(spec.startupTimeout) ?? defaultStartupTimeoutMs,
    unregisterTimeoutMs,
    hostNetwork,
    ...(spec.healthCheck === undefined ? {} : { healthPath: spec.healthCheck.path }),
    ...(modelUid === undefined ? {} : { modelUid }),
  };
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return {
    name: containers.agent,
    image: settings.agent.image,
    imagePullPolicy: settings.agent.imagePullPolicy,
    restartPolicy: 'Always',
    // A small young generation: what an agent allocates dies at once, and nodes run many agents.
    command: ['node', '--max-old-space-size=64', '--max-semi-space-size=1', '/app/agent.cjs'],
    env: [
      { name: agentInstructionsVariable, value: JSON.stringify(instructions) },
      field(downward.podName, 'metadata.name'),
      field(downward.podUid, 'metadata.uid'),
      field(downward.podNamespace, 'metadata.namespace'),
      field(downward.podIp, 'status.podIP'),
      field(downward.nodeIp, 'status.hostIP'),
      field(downward.nodeName, 'spec.nodeName'),
    ],
    ...(hostNetwork ? {} : { ports: [{ name: 'agent', containerPort: agentPort, protocol: 'TCP' }] }),
    resources: fitted(
      withStorage(settings.agent.resources, storage.requested, storage.agentLimit),
      spec.agent?.resources,
    ),
    readinessProbe: {
      ...(hostNetwork
        ? { exec: { command: ['test', '-e', `${paths.control}/${control.ready}`] } }
        : { httpGet: { path: agentPaths.ready, port: agentPort } }),
      periodSeconds: 1,
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
    lifecycle: { preStop: { exec: { command: agentPreStop } } },
    securityContext: { ...restricted, readOnlyRootFilesystem: true },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: 'payload', mountPath: paths.payload },
      { name: 'control', mountPath: paths.control },
      { name: 'session', mountPath: paths.session },
      { name: pinnedVolume, mountPath: paths.pinned, readOnly: true },
      ...(spec.payload.tokenSecret === undefined ? [] : [{ name: 'token', mountPath: paths.token, readOnly: true }]),
    ],
  };
}

function modelContainer(
  resource: ModelDeployment,
  payload: PinnedPayload,
  settings: OperatorSettings,
  drainMs: number,
  storage: Storage,
): Json {
  const { spec } = resource;
  const { resources } = settings.model;
  const named = new Set(spec.env?.map((variable) => variable.name));
  const defaults: Record<string, string> = {
    HOME: paths.payload,
    USER: 'maas',
    ...settings.model.env,
    MAAS_MODEL: spec.name,
    MAAS_VERSION: spec.version,
  };
  return {
    name: containers.model,
    image: spec.image ?? settings.model.image,
    imagePullPolicy: spec.imagePullPolicy ?? settings.model.imagePullPolicy,
    command: ['/bin/sh', '-c', modelCommand, 'maas', payload.script],
    workingDir: paths.payload,
    env: [
      ...Object.entries(defaults)
        .filter(([name]) => !named.has(name))
        .map(([name, value]) => ({ name, value })),
      ...(spec.env ?? []),
    ],
    ...present('envFrom', spec.envFrom),
    resources: fitted(
      withStorage(
        { requests: { cpu: cpuOf(settings), ...resources.requests }, limits: resources.limits },
        storage.written === undefined ? undefined : writtenRequest,
        storage.written,
      ),
      {
        requests: { memory: spec.memory, ...present('cpu', spec.cpu), ...spec.resources?.requests },
        limits: { memory: spec.memory, ...spec.resources?.limits },
      },
    ),
    lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', modelPreStop(unregisterTimeoutMs, drainMs)] } } },
    securityContext: { ...restricted, ...(isReadOnly(spec, settings) ? { readOnlyRootFilesystem: true } : {}) },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      ...(spec.volumeMounts ?? []),
      { name: 'payload', mountPath: paths.payload },
      { name: 'control', mountPath: paths.control, readOnly: true },
      ...(needsTmp(spec, settings) ? [{ name: 'tmp', mountPath: '/tmp' }] : []),
    ],
  };
}

/** Agents get the addresses of the nameservice that they read from, and of no other. */
function onlyNameservice(hdfs: HdfsSettings, name: string): HdfsSettings {
  const found = hdfs.nameservices[name];
  return found === undefined ? hdfs : { ...hdfs, nameservices: { [name]: found }, defaultNameservice: name };
}

function present<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>);
}
