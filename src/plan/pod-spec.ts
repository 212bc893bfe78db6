/** The pods of one version of a model: the agent, the model's container, and what they share. */

import { agentPaths, agentPort, probeHeldMs, readinessProbe } from '../contracts/agent-http.ts';
import { parseDuration } from '../contracts/duration.ts';
import type { HdfsSettings } from '../contracts/hadoop-side.ts';
import type { HoldInstruction } from '../contracts/holds.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import {
  type AgentInstructions,
  agentInstructionsVariable,
  containers,
  downward,
  paths,
  pinnedVolume,
  shieldPort,
  tokenFile,
  type WarmUp,
} from '../contracts/pod-contract.ts';
import type { ModelDeployment, ModelDeploymentSpec } from '../contracts/resource.ts';
import { cpuOf, type OperatorSettings } from '../contracts/settings.ts';
import { agentPreStop, modelCommand, modelPreStop, readyCommand } from './model-shell.ts';
import type { Pin } from './observation.ts';
import { affinityOf, queuePlacement } from './placement.ts';
import { fitted, type Storage, storageOf, withStorage, writtenRequest } from './pod-resources.ts';
import { shieldInstructionsOf } from './shield-instructions.ts';
import { spreadOverNodes, spreadOverZones } from './spread.ts';

type Json = Record<string, unknown>;
type Labels = Readonly<Record<string, string>>;

/** How long an orderly stop waits for ZooKeeper; see modelPreStop. */
const unregisterTimeoutMs = 5_000;
const defaultStartupTimeoutMs = 600_000;
const defaultDrainMs = 5_000;
const defaultStopMs = 10_000;

export function startupTimeoutMs(spec: ModelDeploymentSpec): number {
  return parseDuration(spec.startupTimeout) ?? defaultStartupTimeoutMs;
}

/**
 * @param selector labels of the version's pods
 * @param hold what its agents are told of holds; undefined where it is never held
 */
export function podSpec(
  resource: ModelDeployment,
  selector: Labels,
  { name: pinned, payload }: Pin,
  settings: OperatorSettings & { clusterId: string },
  hold: HoldInstruction | undefined,
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
    ...present('affinity', spreadOverZones(affinityOf(scheduling, settings.scheduling), scheduling, selector)),
    ...present('priorityClassName', queuePlacement(resource, settings.scheduling).priorityClassName),
    topologySpreadConstraints: spreadOverNodes(scheduling, selector),
    initContainers: [agentContainer(resource, payload, settings, user, storage, hold)],
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

const defaultWarmUpMs = 10_000;

function warmUpOf({ rollout }: ModelDeploymentSpec): WarmUp | undefined {
  if (rollout?.warmup === undefined) return undefined;
  const { function: name, arguments: given, expect, timeLimit } = rollout.warmup;
  return {
    function: name ?? 'apply',
    arguments: given ?? {},
    status: expect?.status ?? 200,
    fields: expect?.fields ?? {},
    timeLimitMs: parseDuration(timeLimit ?? '') ?? defaultWarmUpMs,
  };
}

const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

function agentContainer(
  resource: ModelDeployment,
  payload: PinnedPayload,
  settings: OperatorSettings & { clusterId: string },
  modelUid: number | undefined,
  storage: Storage,
  hold: HoldInstruction | undefined,
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
    startupTimeoutMs: startupTimeoutMs(spec),
    unregisterTimeoutMs,
    hostNetwork,
    ...(spec.healthCheck === undefined ? {} : { healthPath: spec.healthCheck.path }),
    ...(modelUid === undefined ? {} : { modelUid }),
    ...present('payloadCache', payloadCacheOf(spec, settings)),
    ...(spec.shield === undefined ? {} : { shield: shieldInstructionsOf(spec.shield) }),
    ...present('hold', hold),
    ...present('warmUp', warmUpOf(spec)),
  };
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return {
    name: containers.agent,
    image: settings.agent.image,
    imagePullPolicy: settings.agent.imagePullPolicy,
    restartPolicy: 'Always',
    // A small young generation: what an agent allocates dies at once, and nodes run many agents.
    command: [
      ...['node', '--max-old-space-size=64', '--max-semi-space-size=1', '/app/agent.cjs'],
      // On the node's network the port follows from the pod's UID.
      ...(hostNetwork ? [] : [String(agentPort)]),
    ],
    env: [
      { name: agentInstructionsVariable, value: JSON.stringify(instructions) },
      field(downward.podName, 'metadata.name'),
      field(downward.podUid, 'metadata.uid'),
      field(downward.podNamespace, 'metadata.namespace'),
      field(downward.podIp, 'status.podIP'),
      field(downward.nodeIp, 'status.hostIP'),
      field(downward.nodeName, 'spec.nodeName'),
    ],
    ...(hostNetwork ? {} : { ports: portsOf(spec) }),
    resources: fitted(
      withStorage(settings.agent.resources, storage.requested, storage.agentLimit),
      spec.agent?.resources,
    ),
    readinessProbe: {
      ...(hostNetwork
        ? { exec: { command: readyCommand(probeHeldMs) } }
        : { httpGet: { path: agentPaths.readyHeld, port: agentPort } }),
      ...readinessProbe,
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

function portsOf({ shield }: ModelDeploymentSpec): Json[] {
  const agent = { name: 'agent', containerPort: agentPort, protocol: 'TCP' };
  return shield === undefined ? [agent] : [agent, { name: 'shield', containerPort: shieldPort, protocol: 'TCP' }];
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

/** What is protected by a token of its own is cached only where the site says so. */
function payloadCacheOf(
  spec: ModelDeploymentSpec,
  { payloadCache }: OperatorSettings,
): AgentInstructions['payloadCache'] {
  if (payloadCache === undefined || (spec.payload.tokenSecret !== undefined && !payloadCache.withTokens))
    return undefined;
  return { url: payloadCache.url };
}

/** Agents get the addresses of the nameservice that they read from, and of no other. */
function onlyNameservice(hdfs: HdfsSettings, name: string): HdfsSettings {
  const found = hdfs.nameservices[name];
  return found === undefined ? hdfs : { ...hdfs, nameservices: { [name]: found }, defaultNameservice: name };
}

function present<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>);
}
