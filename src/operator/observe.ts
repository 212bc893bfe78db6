/** Gathers one observation for one ModelDeployment from what the watches hold. Waits for nothing. */

import { registers } from '../contracts/modes.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import type { AgentStatus, ShieldStatus } from '../contracts/pod-contract.ts';
import type { ResourceEntry } from '../contracts/resource-entry.ts';
import type { ModelDeploymentStatus } from '../contracts/resource-status.ts';
import { compareTexts } from '../kernel/text-order.ts';
import { shieldedPods } from '../plan/calls-failing.ts';
import { keyOf } from '../plan/children.ts';
import type {
  HoldsView,
  ModeView,
  Observation,
  PayloadView,
  PodView,
  PodWarning,
  RegistrationsView,
} from '../plan/observation.ts';
import { pinOf } from '../plan/pins.ts';
import type { Stores } from './ports.ts';

export interface Senses {
  readonly stores: Stores;
  readonly registrations: (model: string) => RegistrationsView;
  readonly mode: (model: string) => ModeView;
  readonly holds: (uid: string) => HoldsView;
  readonly payload: (entry: ResourceEntry, pinned: PinnedPayload | undefined) => PayloadView;
  readonly agents: (uid: string, pods: readonly PodView[]) => ReadonlyMap<string, AgentStatus>;
  readonly shields: (uid: string, pods: readonly PodView[]) => ReadonlyMap<string, ShieldStatus>;
  readonly warnings: (uid: string, pods: readonly PodView[]) => ReadonlyMap<string, readonly PodWarning[]>;
}

/**
 * @param status the latest status that was written, where the watch has not brought it yet
 * @param refusals why the last plan could not be carried out
 */
export function observe(
  entry: ResourceEntry,
  senses: Senses,
  now: number,
  status: ModelDeploymentStatus | undefined,
  refusals: Pick<Observation, 'refusal' | 'unprotected'>,
): Observation {
  const { stores } = senses;
  const { metadata, spec } = entry.resource;
  const children = <V>(store: { indexed(uid: string): { namespace: string; view: V }[] }): V[] =>
    store
      .indexed(metadata.uid)
      .filter((child) => child.namespace === metadata.namespace)
      .map((child) => child.view);

  const key = keyOf(spec);
  const pods = children(stores.pods).sort((a, b) => a.createdAt - b.createdAt || compareTexts(a.name, b.name));
  const pins = children(stores.pins);
  const deployments = children(stores.deployments);
  const registrations = senses.registrations(spec.name);
  const pin = pinOf({ pins, deployments }, key);
  const mode = senses.mode(spec.name);
  const up = (pod: PodView) =>
    pod.ready && registrations.known && registrations.byPod.has(pod.uid) === registers(mode.agents);
  const warnings = senses.warnings(metadata.uid, pods);
  return {
    now,
    resource: status === undefined ? entry.resource : { ...entry.resource, status },
    ...(entry.invalid === undefined ? {} : { invalid: entry.invalid }),
    peers: stores.resources
      .indexed(spec.name)
      .map((peer) => peer.resource)
      .filter((peer) => peer.metadata.uid !== metadata.uid && peer.metadata.deletionTimestamp === undefined)
      .map((peer) => ({
        namespace: peer.metadata.namespace,
        name: peer.metadata.name,
        uid: peer.metadata.uid,
        version: peer.spec.version,
        creationTimestamp: peer.metadata.creationTimestamp,
      })),
    key,
    pin,
    deployments,
    pins,
    budgets: children(stores.budgets),
    pods: pods.map((pod) => {
      const heard = warnings.get(pod.uid);
      return heard === undefined ? pod : { ...pod, warnings: heard };
    }),
    payload: senses.payload(entry, pin?.payload),
    registrations,
    holds: senses.holds(metadata.uid),
    mode,
    // What an instance verified says its marker, which only those have that are registered.
    agents: senses.agents(
      metadata.uid,
      pods.filter((pod) => !up(pod) || !registers(mode.agents)),
    ),
    shields: senses.shields(metadata.uid, shieldedPods({ resource: entry.resource, pods })),
    ...refusals,
  };
}
