/**
 * When is a ModelDeployment looked at again, although nothing was heard of it? This is the one place that decides it; a
 * look at an agent, at the warnings about a pod or at HDFS is begun in a pass, where it is due by then.
 */

/** While something is awaited: agents say what they do when they are asked, and time alone may change what is said. */
const awaitingMs = 1_000;
/** So that what is due then is due for certain. */
const afterDueMs = 10;

/**
 * @param waits.awaits the plan waits for something that nobody tells of
 * @param waits.statusMs until the status may be written again, where it is to be
 * @param waits.payloadMs until the payload is to be looked at
 * @returns milliseconds
 */
export function lookAgainMs(waits: { awaits: boolean; statusMs: number | undefined; payloadMs: number }): number {
  return Math.min(
    waits.awaits ? awaitingMs : Number.POSITIVE_INFINITY,
    waits.statusMs ?? Number.POSITIVE_INFINITY,
    waits.payloadMs + afterDueMs,
  );
}
