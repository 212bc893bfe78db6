/** The stages that an instance has entered and when: its start, and what happened last, however often it came and went. */
import type { Stage } from './events.ts';

export interface Reached {
  readonly stage: Stage;
  /** Milliseconds of a clock that never goes back. */
  readonly at: number;
}

/** A start has fewer stages; as many of the latest are kept beside it. */
export const keptOfStart = 10;
export const keptOfLate = 10;

export function reach(reached: readonly Reached[], next: Reached): readonly Reached[] {
  const all = [...reached, next];
  return all.length <= keptOfStart + keptOfLate ? all : [...all.slice(0, keptOfStart), ...all.slice(-keptOfLate)];
}
