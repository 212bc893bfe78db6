/** Builds the Kubernetes objects of one version of a model: the ConfigMap that pins its payload, and its Deployment. */

import { group } from '../contracts/api-group.ts';
import type { HoldInstruction } from '../contracts/holds.ts';
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
import { agentInstructionsVariable, containers, instructedHold } from '../contracts/pod-contract.ts';
import {
  apiVersion,
  kind,
  type ModelDeployment,
  type ModelDeploymentSpec,
  modelDeploymentSpec,
} from '../contracts/resource.ts';
import type { OperatorSettings } from '../contracts/settings.ts';
import { canonicalJson, sameJson } from '../kernel/canonical-json.ts';
import { readJson } from '../kernel/schema-json.ts';
import { driftOf } from './drift.ts';
import type { DeploymentView, Pin } from './observation.ts';
import { kueueQueueLabel, queuePlacement } from './placement.ts';
import { podSpec, startupTimeoutMs } from './pod-spec.ts';

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

/** Of each field of a spec, what leaving it out means. */
const leftOut = Object.entries(modelDeploymentSpec.shape).map(([field, schema]) => ({
  field,
  meaning: schema.safeParse(undefined),
}));

/** Undefined where a field says nothing about pods. */
function decidedOf(spec: ModelDeploymentSpec, field: keyof ModelDeploymentSpec): unknown {
  switch (field) {
    case 'instances':
    case 'paused':
    case 'disruptionBudget':
    // Where it is belongs to the version's key, what it is to its digest.
    case 'payload':
      return undefined;
    case 'cpu':
      // One core was once written into each resource that said nothing; it hashes as it did then.
      return spec.cpu === '1' ? undefined : (spec.cpu ?? null);
    case 'rollout':
      // How versions follow one another concerns no pod, but for what each has to pass.
      return spec.rollout?.warmup === undefined ? undefined : { warmup: spec.rollout.warmup };
    default:
      return spec[field];
  }
}

/**
 * Hash of what the user decides about a version's pods. While it stays the same, the Deployment keeps the spec that it
 * was applied with, also under a newer operator with another agent: an upgrade restarts no model.
 */
export function inputsOf(resource: ModelDeployment, payload: PinnedPayload): string {
  const decided = decidedAboutPods(resource.spec);
  const refresh = resource.metadata.annotations[annotations.refresh] ?? '';
  const tokenSecret = resource.spec.payload.tokenSecret ?? '';
  return shortHash(canonicalJson([decided, tokenSecret, payload.digest, refresh]), 16);
}

/**
 * Hash of what a spec says of what runs: what pods are made from, and where their payload is. Specs with the same differ in
 * nothing that somebody would go back from.
 */
export function runsOf(spec: ModelDeploymentSpec): string {
  return shortHash(canonicalJson([decidedAboutPods(spec), spec.payload]), 16);
}

function decidedAboutPods(spec: ModelDeploymentSpec): Readonly<Record<string, unknown>> {
  const decided: Record<string, unknown> = {};
  for (const { field, meaning } of leftOut) {
    const value = decidedOf(spec, field as keyof ModelDeploymentSpec);
    // A field that says what leaving it out would mean is left out: a later release may bring a field with a default.
    if (value !== undefined && !(meaning.success && sameJson(meaning.data, value))) decided[field] = value;
  }
  return decided;
}

/** A spec without what it says of the model's name and of how many instances there are, and without what goes without saying. */
export function decidedSpec(spec: ModelDeploymentSpec): Readonly<Record<string, unknown>> {
  const decided = leftOut.flatMap(({ field, meaning }): [string, unknown][] => {
    const value = spec[field as keyof ModelDeploymentSpec];
    if (value === undefined || field === 'name' || field === 'instances' || field === 'paused') return [];
    return meaning.success && sameJson(meaning.data, value) ? [] : [[field, value]];
  });
  return Object.fromEntries(decided);
}

/**
 * The version's Deployment.
 *
 * @param rollout how many instances it is to have now, and what the agents of a new spec are told of holds; all that are
 *   wanted, and nothing, where no version takes another's place
 * @param live the one that is there: its name, and the spec that it was last applied with where that is to be kept;
 *   without a spec a new one is made from the settings. `retried` asks for refused pods again; see retry-refused.ts
 */
export function deploymentManifest(
  resource: ModelDeployment,
  pin: Pin,
  settings: OperatorSettings & { clusterId: string },
  rollout: { readonly replicas: number; readonly hold: HoldInstruction | undefined } = {
    replicas: resource.spec.instances,
    hold: undefined,
  },
  live: { readonly name?: string; readonly applied?: Json | undefined; readonly retried?: string | undefined } = {},
): Manifest {
  const key = keyOf(resource.spec);
  const { payload } = pin;
  const spec = live.applied ?? deploymentSpec(resource, key, pin, settings, rollout.hold);
  const own = metadata(resource, live.name ?? deploymentName(resource.metadata, key), key, {
    [annotations.payloadDigest]: payload.digest,
    [annotations.inputs]: inputsOf(resource, payload),
    [annotations.applied]: JSON.stringify(spec),
    ...(live.retried === undefined ? {} : { [annotations.retried]: live.retried }),
  });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...own, labels: { ...own.labels, ...kueueLabelOf(spec) } },
    spec: { ...spec, replicas: rollout.replicas, ...neverPaused },
  };
}

/** A Deployment of another version than the wanted one, with another number of instances and else as it was applied. */
export function scaledManifest(
  resource: ModelDeployment,
  live: DeploymentView,
  replicas: number,
): Manifest | undefined {
  const spec = appliedOf(live);
  if (spec === undefined) return undefined;
  const own = childMetadata(resource, live.name, live.versionKey);
  const written = Object.entries(live.annotations).filter(([name]) => name.startsWith(`${group}/`));
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...own, annotations: Object.fromEntries(written), labels: { ...own.labels, ...kueueLabelOf(spec) } },
    spec: { ...spec, replicas, ...neverPaused },
  };
}

/** The spec that a Deployment was last applied with, without a number of instances; undefined where that is lost. */
export function appliedOf(deployment: Pick<DeploymentView, 'annotations'>): Json | undefined {
  try {
    const json: unknown = JSON.parse(deployment.annotations[annotations.applied] ?? '');
    return typeof json === 'object' && json !== null ? (json as Json) : {};
  } catch {
    return undefined;
  }
}

/** What is to be in the live spec: somebody may have paused it by hand, and then no change would ever come out. */
const neverPaused = { paused: false };

/** Does the live spec hold all that was applied, whatever number of instances is wanted? */
export function isAsApplied(deployment: Pick<DeploymentView, 'annotations' | 'spec'>): boolean {
  const applied = appliedOf(deployment);
  return applied !== undefined && driftOf({ ...applied, ...neverPaused }, deployment.spec) === undefined;
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
  hold: HoldInstruction | undefined,
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
    ...refreshOf(resource),
  };
  const pods = podSpec(resource, selectorOf(resource, key), pin, settings, hold);
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

/** What asks for new pods has to change their template, also where everything else is as it was. */
function refreshOf({ metadata }: ModelDeployment): Record<string, string> {
  const refresh = metadata.annotations[annotations.refresh];
  return refresh === undefined ? {} : { [annotations.refresh]: refresh };
}

/** The revision that a Deployment gives to its pods; undefined where an earlier release made it. */
export function revisionOf(spec: Readonly<Json>): string | undefined {
  const template = spec['template'] as { metadata?: { annotations?: Record<string, string> } } | undefined;
  return template?.metadata?.annotations?.[annotations.revision];
}

/** A change counts as stuck when no further instance has come up for this long: what a start may take by the spec. */
function progressDeadlineSeconds(spec: ModelDeploymentSpec): number {
  return Math.max(1, Math.ceil(startupTimeoutMs(spec) / 1_000));
}

interface AgentTemplate {
  readonly spec?: { readonly initContainers?: readonly { readonly name: string; readonly env?: readonly EnvVar[] }[] };
}
interface EnvVar {
  readonly name: string;
  readonly value?: string;
}

/** What a Deployment's agents are told of holds; undefined where they know of none. */
export function holdToldIn(spec: Readonly<Json>): HoldInstruction | undefined {
  const template = spec['template'] as AgentTemplate | undefined;
  const agent = template?.spec?.initContainers?.find(({ name }) => name === containers.agent);
  const told = agent?.env?.find(({ name }) => name === agentInstructionsVariable)?.value;
  return told === undefined ? undefined : readJson(told, instructedHold).value?.hold;
}
