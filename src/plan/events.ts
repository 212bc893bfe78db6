/** Events say what changed, once: they are made from the difference between two statuses and from what a plan does. */

import { eventTypeOf } from '../contracts/reason-catalogue.ts';
import type { Condition } from '../contracts/resource.ts';
import { deadlineExceeded } from './readiness.ts';

export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** What was done, for `kubectl get events -o wide`. */
  readonly action: string;
}

/** Of PayloadResolved; its other reasons are those of Ready as well. */
const payloadNews = new Set(['PayloadChanged', 'OriginalChanged', 'Resolved']);

export function eventsOf(before: readonly Condition[] | undefined, after: readonly Condition[]): PlannedEvent[] {
  const events: PlannedEvent[] = [];
  for (const type of ['Ready', 'PayloadResolved', 'Stalled']) {
    const old = before?.find((condition) => condition.type === type);
    const now = after.find((condition) => condition.type === type);
    if (now === undefined || (old?.reason === now.reason && old.status === now.status)) continue;
    if (type === 'PayloadResolved' && !payloadNews.has(now.reason)) continue;
    if (type === 'Stalled' && now.reason !== deadlineExceeded) continue;
    const eventType = eventTypeOf(now.reason);
    if (eventType === undefined) continue;
    events.push({
      type: eventType,
      reason: now.reason,
      message: now.message,
      action: type,
    });
  }
  return events;
}
