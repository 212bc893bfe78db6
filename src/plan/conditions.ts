/** Conditions of the kstatus convention; a transition time moves only when the status does. */
import type { Reason } from '../contracts/reasons.ts';
import type { Condition } from '../contracts/resource-status.ts';
import { oneLine } from '../kernel/shown-text.ts';

export interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  readonly message: string;
}

export const yes = (reason: Reason, message: string): Verdict => ({ status: 'True', reason, message });
export const no = (reason: Reason, message: string): Verdict => ({ status: 'False', reason, message });
export const unknown = (reason: Reason, message: string): Verdict => ({ status: 'Unknown', reason, message });

/** Messages are cut here; etcd and terminals have better uses for their space. */
const longestMessage = 1_500;

export function conditionFrom(
  type: string,
  verdict: Verdict,
  before: readonly Condition[] | undefined,
  generation: number,
  now: number,
): Condition {
  const previous = before?.find((condition) => condition.type === type);
  return {
    type,
    status: verdict.status,
    observedGeneration: generation,
    lastTransitionTime:
      previous?.status === verdict.status
        ? previous.lastTransitionTime
        : new Date(now).toISOString().replace(/\.\d+/, ''),
    reason: verdict.reason,
    message: oneLine(verdict.message, longestMessage),
  };
}
