/** Events say what changed, once: they are made from the difference between two statuses and from what a plan does. */
import type { Condition } from '../api/resource.ts';
import { waitingForQueue } from './instance-state.ts';

export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** What was done, for `kubectl get events -o wide`. */
  readonly action: string;
}

/** Reasons of a start that goes well: they stand in the status, but are no news. */
const quiet = new Set([
  'Starting',
  'FetchingPayload',
  'WaitingForEndpoint',
  'WaitingForListener',
  'Registering',
  'Registered',
  'Unregistering',
  'ResolvingPayload',
  'CopyingPayload',
  'Terminating',
  'ScalingToZero',
]);

/** Reasons of not being up that somebody wanted so, or that pass by themselves. */
const expected = new Set<string>([waitingForQueue, 'Observed', 'Draining']);

export function eventsOf(before: readonly Condition[] | undefined, after: readonly Condition[]): PlannedEvent[] {
  const events: PlannedEvent[] = [];
  for (const type of ['Ready', 'PayloadResolved']) {
    const old = before?.find((condition) => condition.type === type);
    const now = after.find((condition) => condition.type === type);
    if (now === undefined || (old?.reason === now.reason && old.status === now.status)) continue;
    if (type === 'PayloadResolved' && now.reason !== 'PayloadChanged' && now.reason !== 'Resolved') continue;
    if (quiet.has(now.reason)) continue;
    const well = now.status === 'True' && now.reason !== 'PayloadChanged';
    events.push({
      type: well || expected.has(now.reason) ? 'Normal' : 'Warning',
      reason: now.reason,
      message: now.message,
      action: type,
    });
  }
  return events;
}
