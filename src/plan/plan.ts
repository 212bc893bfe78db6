/**
 * The planner: one observation in, everything that is to be written out. It does no IO and reads no clock.
 *
 * 1. A spec that cannot be used, or a model name that is somebody else's, changes nothing but the status. Nor does
 *    anything while the mode is to observe, or the spec is paused: the status then says what was held back.
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

import { eventOf, type ReasonedEvent, rankOf } from '../contracts/reasons.ts';
import type { ModelDeploymentStatus } from '../contracts/resource-status.ts';
import type { OperatorSettings } from '../contracts/settings.ts';
import { compareTexts } from '../kernel/text-order.ts';
import { type Actions, noActions, wantedActions, wantedPin, whyOf } from './actions.ts';
import { type Awaits, awaitsOf } from './awaits.ts';
import { claimOf } from './claims.ts';
import { eventsOf, resumedEvents } from './events.ts';
import { handoverOf, isHeld, neededNow } from './handover.ts';
import { stateOf } from './instance-state.ts';
import type { Observation, PodView } from './observation.ts';
import type { Facts } from './readiness.ts';
import { rolloutOf } from './rollout.ts';
import { endpointsOf, statusOf } from './status.ts';
import { namesOf } from './version-names.ts';
import { type Versions, versionsOf } from './versions.ts';

export interface Plan extends Actions {
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
  const needed = neededNow(observation);
  const versions = versionsOf(
    key,
    { wanted: resource.spec.instances, needed },
    observation.deployments,
    observation.pods,
    observation.registrations,
    observation.mode.agents,
  );
  const usable = observation.invalid === undefined && claim.owned;
  const idle = observation.mode.mode === 'observe' || resource.spec.paused === true;
  const pin = wantedPin(observation);
  const handover = handoverOf(observation, versions, needed, pin?.inputs);
  const wanted = usable ? wantedActions(observation, settings, versions, handover, pin) : noActions;
  const { copyPayload, publish, apply, remove, protect } = idle ? noActions : wanted;
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
  const withheld = idle ? whyOf(wanted) : [];
  const facts: Facts = { observation, claim, versions, handover, rollout, instances, withheld };
  const endpoints = endpointsOf(observation, living);
  const status = statusOf(
    facts,
    endpoints,
    pin?.payload,
    apply.length > 0 || remove.length > 0 || publish !== undefined,
  );
  const events = [
    ...switchEvents(observation, versions, status),
    ...resumedEvents(resource.status.conditions, status.conditions ?? []),
    ...eventsOf(resource.status.conditions, status.conditions ?? []),
  ];
  return {
    copyPayload,
    publish,
    apply,
    remove,
    protect,
    status,
    events,
    awaits: usable ? awaitsOf(observation, status) : 'nothing',
  };
}

function instanceState(observation: Observation, pod: PodView) {
  const { registrations } = observation;
  return stateOf(
    pod,
    registrations.known ? registrations.byPod.get(pod.uid) : undefined,
    observation.agents.get(pod.uid),
    observation.mode.agents,
    isHeld(observation, pod),
  );
}

function switchEvents(
  { resource, key }: Observation,
  { before: other, serving, wanted }: Versions,
  after: ModelDeploymentStatus,
): ReasonedEvent[] {
  const before = resource.status;
  if (before.serving === undefined || after.serving === undefined) return [];
  const switched = (from: string, to: string) => [
    eventOf('Switched', `version ${to} serves instead of ${from}`, 'Switch'),
  ];
  if (before.serving !== after.serving) return switched(before.serving, after.serving);
  // The same text, and another payload.
  const tookOver = before.rollout?.key === key && after.rollout === undefined && serving === wanted;
  if (!tookOver || other?.version !== after.serving) return [];
  const { from, to } = namesOf(other, resource.spec);
  return switched(from, to);
}
