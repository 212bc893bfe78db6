/** The body of a request as its source gives it, at the pace of the other side. */
import type { ClientRequest } from 'node:http';
import { HttpFailure } from './failure.ts';

export interface Upload {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly length: number;
}

/** The source of an upload did not give as many bytes as were announced. */
export class BodyLengthMismatch extends Error {}

/** What was written so far. The source may come to its end later than its last byte. */
export interface Progress {
  written: number;
}

/**
 * Writes the whole body, or less of it when the other side answered or went away before the end.
 *
 * @param over was it answered?
 * @throws BodyLengthMismatch; what the source throws
 */
export async function pump(
  { bytes, length }: Upload,
  outgoing: ClientRequest,
  progress: Progress,
  stallMs: number | undefined,
  over: () => boolean,
): Promise<void> {
  for await (const chunk of bytes) {
    if (chunk.length === 0) continue;
    const written = progress.written + chunk.length;
    if (written > length) throw new BodyLengthMismatch(`The source gave more than ${length} bytes`);
    if (over() || outgoing.destroyed) return;
    progress.written = written;
    if (!outgoing.write(chunk)) await drained(outgoing, stallMs);
  }
  if (over() || outgoing.destroyed || progress.written === length) return;
  throw new BodyLengthMismatch(`The source gave ${progress.written} of ${length} bytes`);
}

function drained(outgoing: ClientRequest, stallMs: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    const late = () => outgoing.destroy(new HttpFailure(`took no more bytes for ${(stallMs ?? 0) / 1000} s`, true));
    const timer = stallMs === undefined ? undefined : setTimeout(late, stallMs);
    const done = () => {
      clearTimeout(timer);
      outgoing.off('drain', done).off('response', done).off('close', done);
      resolve();
    };
    outgoing.once('drain', done).once('response', done).once('close', done);
  });
}
