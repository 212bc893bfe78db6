/**
 * When is a ModelDeployment looked at again, although nothing was heard of it? This is the one place that decides it; a
 * look at an agent or at the warnings about a pod is begun in a pass, where it is due by then. Payloads are followed in
 * the background, and are heard of.
 */
import type { Awaits } from '../plan/awaits.ts';

const everyMs: Readonly<Record<Awaits, number>> = {
  much: 1_000,
  some: 15_000,
  little: 60_000,
  nothing: Number.POSITIVE_INFINITY,
};

/**
 * @param waits.awaits what the plan waits for that nobody tells of
 * @param waits.statusMs until the status may be written again, where it is to be
 * @returns milliseconds; infinite for not before something is heard
 */
export function lookAgainMs(waits: { readonly awaits: Awaits; readonly statusMs: number | undefined }): number {
  return Math.min(everyMs[waits.awaits], waits.statusMs ?? Number.POSITIVE_INFINITY);
}
