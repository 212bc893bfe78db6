/** The exchange did not come to an answer, or the answer did not come to its end: refused, reset, cut off or not in time. */
export class HttpFailure extends Error {
  /** False when the server cannot have seen the request: repeating it is then safe whatever it asks for. */
  readonly reached: boolean;
  /** The connection went away under it, so that repeating what changes nothing has a chance at once. */
  readonly reset: boolean;
  /** What to do, where more is known than that there was no answer. */
  readonly next: string | undefined;

  constructor(message: string, reached: boolean, { cause, next }: { cause?: unknown; next?: string | undefined } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HttpFailure';
    this.reached = reached;
    this.reset = isReset(cause);
    this.next = next;
  }
}

export function isReset(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
