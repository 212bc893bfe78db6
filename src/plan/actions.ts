/** What is to be done, if the mode lets the operator act. */
import type { Holds } from '../contracts/holds.ts';
import { annotations } from '../contracts/names.ts';
import type { OperatorSettings } from '../contracts/settings.ts';
import { budgetsToApply, budgetsToRemove } from './budgets.ts';
import { appliedOf, deploymentManifest, inputsOf, type Manifest, pinManifest, scaledManifest } from './children.ts';
import { driftOf } from './drift.ts';
import type { Handover } from './handover.ts';
import type { DeploymentView, Observation, Pin } from './observation.ts';
import { pinIn, uselessPins } from './pins.ts';
import { retryOf } from './retry-refused.ts';
import type { Versions } from './versions.ts';

/** In what is to be applied or deleted, `why` goes to the log. */
export interface Actions {
  /** To be begun before all else: the copy of the payload in the payload store, or what has to be mended in it. */
  readonly copyPayload: boolean;
  /** To be applied in this order. */
  readonly apply: readonly ChildToApply[];
  /** To be deleted, each only with this UID. */
  readonly remove: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
    readonly why: string;
  }[];
  /** What the agents of this resource are to be told of holds; undefined where that was published. */
  readonly publish: Holds | undefined;
  /** Budgets, to be applied last: a model runs also where these are refused. */
  readonly protect: readonly { readonly manifest: Manifest; readonly why: string }[];
}

export const noActions: Actions = {
  copyPayload: false,
  publish: undefined,
  apply: [],
  remove: [],
  protect: [],
};

export function wantedActions(
  observation: Observation,
  settings: OperatorSettings & { clusterId: string },
  versions: Versions,
  handover: Handover,
  pin: WantedPin | undefined,
): Actions {
  return {
    copyPayload: needsCopy(observation),
    publish: handover.publish,
    apply: [
      ...(pin === undefined ? [] : childrenToApply(observation, settings, versions, handover, pin)),
      ...resized(observation, handover),
    ],
    remove: [...childrenToRemove(observation, handover), ...budgetsToRemove(observation, settings)],
    protect: budgetsToApply(observation, versions.superfluous, handover.replicas, settings),
  };
}

export function whyOf({ copyPayload, publish, apply, remove, protect }: Actions): readonly string[] {
  return [
    ...(copyPayload ? ['copy the payload'] : []),
    ...(publish === undefined ? [] : ['tell the agents which versions are held']),
    ...[...apply, ...remove, ...protect].map(({ why }) => why),
  ];
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

/** With the manifest of one that is to be made, and what the user decides about pods that run it; see inputsOf. */
export type WantedPin = Pin & { readonly inputs: string; readonly manifest?: Manifest };

/** The pin that is there, or the one that is to be made. */
export function wantedPin({ pin, payload, resource }: Observation): WantedPin | undefined {
  if (pin !== undefined) return { ...pin, inputs: inputsOf(resource, pin.payload) };
  if (payload.state !== 'resolved') return undefined;
  const manifest = pinManifest(resource, payload.payload);
  const inputs = inputsOf(resource, payload.payload);
  return { name: manifest.metadata.name, payload: payload.payload, inputs, manifest };
}

export interface ChildToApply {
  readonly manifest: Manifest;
  readonly why: string;
  /** What it means for pods that are there. */
  readonly changes: 'nothing' | 'count' | 'pods';
}

function childrenToApply(
  observation: Observation,
  settings: OperatorSettings & { clusterId: string },
  { wanted }: Versions,
  handover: Handover,
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
    const manifest = deploymentManifest(resource, pin, settings, handover);
    return [...apply, { manifest, why: 'a new version', changes: 'pods' }];
  }
  const { inputs } = pin;
  if (isAsWanted(wanted, inputs, pin.name, handover.replicas)) return apply;
  const applied = appliedSpec(wanted, inputs, pin.name);
  const retried =
    wanted.replicaFailure === undefined ? undefined : retryOf(wanted.annotations[annotations.retried], observation.now);
  const manifest = deploymentManifest(resource, pin, settings, handover, { name: wanted.name, applied, retried });
  const change = changeOf(wanted, manifest, applied === undefined);
  if (change !== undefined) return [...apply, { manifest, ...change }];
  if (retried === undefined) return apply;
  return [...apply, { manifest, why: 'ask again for pods that were refused', changes: 'nothing' }];
}

/** Versions before, while they serve. */
function resized({ resource }: Observation, { resize }: Handover): readonly ChildToApply[] {
  return resize.flatMap(({ deployment, replicas, why }) => {
    const manifest = scaledManifest(resource, deployment, replicas);
    return manifest === undefined ? [] : [{ manifest, why, changes: 'nothing' }];
  });
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

function childrenToRemove(observation: Observation, { removable }: Handover): Actions['remove'] {
  const deployments = removable.map((deployment) => ({
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
