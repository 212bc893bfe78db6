/**
 * When is a ModelDeployment looked at again, although nothing was heard of it? This is the one place that decides it; a
 * look at an agent or at the warnings about a pod is begun in a pass, where it is due by then. Payloads are followed in
 * the background, and are heard of.
 */

/** While something is awaited: agents say what they do when they are asked, and time alone may change what is said. */
const awaitingMs = 1_000;

/**
 * @param waits.awaits the plan waits for something that nobody tells of
 * @param waits.statusMs until the status may be written again, where it is to be
 * @returns milliseconds; undefined for not before something is heard
 */
export function lookAgainMs({
  awaits,
  statusMs,
}: {
  readonly awaits: boolean;
  readonly statusMs: number | undefined;
}): number | undefined {
  if (!awaits) return statusMs;
  return Math.min(awaitingMs, statusMs ?? awaitingMs);
}
