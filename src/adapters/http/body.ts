/** The body of an answer: as it comes, or as text of a bounded length. */
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { messageOf } from '../../kernel/message-of.ts';
import type { HttpAnswer } from './exchange.ts';
import { HttpFailure } from './failure.ts';

const gunzip = promisify(zlib.gunzip);

/**
 * The bytes of an answer as they come. Time that the reader takes does not count as a stall.
 *
 * @throws HttpFailure when the body ends too early or stalls; the signal's reason when aborted
 */
export async function* bodyBytes({ body, stallMs }: HttpAnswer, signal?: AbortSignal): AsyncGenerator<Buffer, void> {
  let waiting = true;
  const late = () => {
    if (waiting) body.destroy(new HttpFailure(`sent nothing for ${(stallMs ?? 0) / 1000} s`, true));
  };
  const timer = stallMs === undefined ? undefined : setTimeout(late, stallMs);
  const abort = () => body.destroy(toError(signal?.reason));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if (signal?.aborted) throw signal.reason;
    for await (const chunk of body) {
      waiting = false;
      yield chunk;
      waiting = true;
      timer?.refresh();
    }
    if (!body.complete) throw new HttpFailure('the answer ended too early', true);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (error instanceof HttpFailure) throw error;
    throw new HttpFailure(`the answer ended too early (${messageOf(error)})`, true, { cause: error });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    if (!body.complete) body.destroy();
  }
}

/** The whole body, unpacked. @throws HttpFailure also where it is longer than `limit` bytes */
export async function bodyText(answer: HttpAnswer, limit: number, signal?: AbortSignal): Promise<string> {
  const tooLong = () => new HttpFailure(`the answer is longer than ${limit} bytes`, true);
  const bytes = await bytesUpTo(answer, limit + 1, signal);
  if (bytes.length > limit) throw tooLong();
  if (answer.headers['content-encoding'] !== 'gzip') return bytes.toString('utf8');
  try {
    return (await gunzip(bytes, { maxOutputLength: limit })).toString('utf8');
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLong();
    throw new HttpFailure(`the answer cannot be unpacked (${messageOf(cause)})`, true, { cause });
  }
}

/** The beginning of a body as text, `limit` bytes of it at the most; the connection of a longer one is closed. */
export async function bodyStart(answer: HttpAnswer, limit: number, signal?: AbortSignal): Promise<string> {
  return (await bytesUpTo(answer, limit, signal)).toString('utf8', 0, limit);
}

/** Reads a body that nobody needs, so that its connection can serve the next request. */
export async function discardBody(answer: HttpAnswer): Promise<void> {
  // The head said what there was to know.
  await bodyStart(answer, 64 * 1024).catch(() => answer.body.destroy());
}

/** The beginning of a body, and not much more than `limit` bytes; the connection of a longer one is closed. */
export async function bytesUpTo(answer: HttpAnswer, limit: number, signal: AbortSignal | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of bodyBytes(answer, signal)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= limit) break;
  }
  return Buffer.concat(chunks);
}

function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
