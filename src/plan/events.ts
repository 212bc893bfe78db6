/** Events say what changed, once: they are made from the difference between two statuses and from what a plan does. */
import type { Place } from '../contracts/reason-catalogue.ts';
import { eventOf, heardReason, type ReasonedEvent, reasonOf, traitsOf } from '../contracts/reasons.ts';
import { type Condition, pausedReason } from '../contracts/resource-status.ts';

export function eventsOf(before: readonly Condition[] | undefined, after: readonly Condition[]): ReasonedEvent[] {
  return (['Ready', 'PayloadResolved', 'Stalled', 'Reconciling', 'Outranked', 'CallsFailing'] as const).flatMap(
    (type) => {
      const old = before?.find((condition) => condition.type === type);
      const now = after.find((condition) => condition.type === type);
      if (now === undefined || (old?.reason === now.reason && old.status === now.status)) return [];
      if (traitsOf(now.reason).event === 'quiet' || !tells(type, now.reason)) return [];
      return [eventOf(heardReason(now.reason), now.message, type)];
    },
  );
}

/** Beside Ready a condition tells only what it alone says, and that a pinned payload changed while the model serves. */
function tells(type: Exclude<Place, 'instance' | 'event' | 'command'>, reason: string): boolean {
  if (type === 'Ready' || (type === 'PayloadResolved' && reason === reasonOf('PAYLOAD_CHANGED'))) return true;
  return traitsOf(reason).places.every((place) => place === type);
}

export function resumedEvents(before: readonly Condition[] | undefined, after: readonly Condition[]): ReasonedEvent[] {
  if (!isPaused(before) || isPaused(after)) return [];
  return [eventOf('Resumed', 'not paused any more: the operator acts again', 'Resume')];
}

function isPaused(conditions: readonly Condition[] | undefined): boolean {
  return conditions?.some(({ type, reason }) => type === 'Reconciling' && reason === pausedReason) === true;
}
