/**
 * One HTTP exchange over node:http or node:https, with a deadline for each phase. Redirects are not followed and no
 * status is an error here: the callers decide. fetch and undici are not used, because a data node answers an upload
 * with a `100 Continue` that nobody asked for, which they cannot take.
 */
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { reasonOf } from '../../kernel/reason-of.ts';

/** Milliseconds. */
export interface Deadlines {
  /** From the start of a connection to its being usable, TLS included. */
  readonly connectMs: number;
  /** From the request's last byte to the answer's head. */
  readonly firstByteMs: number;
  /** Without a byte received while one is awaited, or without room to send while there is something to send. */
  readonly stallMs: number;
  /** From the last byte of an upload to its answer: the data nodes finish the file meanwhile. */
  readonly finishMs: number;
}

export const defaultDeadlines: Deadlines = {
  connectMs: 5_000,
  firstByteMs: 20_000,
  stallMs: 30_000,
  finishMs: 120_000,
};

/** Keep connections for the next request; small calls come by the thousand. */
export interface Connections {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

export function openConnections(): Connections {
  const options = { keepAlive: true, maxFreeSockets: 8 };
  return { http: new http.Agent(options), https: new https.Agent(options) };
}

/** The exchange did not come to an answer, or the answer did not come to its end. */
export class HttpFailure extends Error {
  /** False when the server cannot have seen the request: repeating it is then safe whatever it asks for. */
  readonly reached: boolean;

  constructor(message: string, reached: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HttpFailure';
    this.reached = reached;
  }
}

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly url: URL;
  readonly body?: { readonly bytes: AsyncIterable<Uint8Array>; readonly length: number };
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Has to be read to its end or destroyed. */
  readonly body: http.IncomingMessage;
  /** IP address of the other side. */
  readonly peer: string | undefined;
}

/**
 * Sends a request and waits for the head of its answer.
 *
 * @throws HttpFailure; the signal's reason when aborted; what the request's body throws
 */
export async function exchange(
  request: HttpRequest,
  connections: Connections,
  deadlines: Deadlines,
): Promise<HttpAnswer> {
  try {
    return await exchangeOnce(request, connections, deadlines);
  } catch (error) {
    // A kept connection that the server closed just now. Nothing was answered on it; a body could not be sent twice.
    if (!(error instanceof StaleConnection) || request.body !== undefined) throw error;
    return await exchangeOnce(request, connections, deadlines);
  }
}

class StaleConnection extends HttpFailure {}

function exchangeOnce(request: HttpRequest, connections: Connections, deadlines: Deadlines): Promise<HttpAnswer> {
  const { method, url, body, signal } = request;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const secure = url.protocol === 'https:';
    const headers: http.OutgoingHttpHeaders = { accept: '*/*' };
    if (body !== undefined) headers['content-type'] = 'application/octet-stream';
    if (body !== undefined) headers['content-length'] = body.length;
    else if (method === 'PUT' || method === 'POST') headers['content-length'] = 0;
    // An upload gets a connection of its own: it could not be repeated on another one if a kept one proved closed.
    const kept = secure ? connections.https : connections.http;
    const options = { method, headers, agent: body === undefined ? kept : false };
    const outgoing = secure ? https.request(url, options) : http.request(url, options);

    let reached = false;
    let answered = false;
    /** Of the body: what was written, and when its source has come to its end, which may be later than the last byte. */
    const progress = { written: 0 };
    let pumped: Promise<void> = Promise.resolve();
    let timer: NodeJS.Timeout | undefined;
    const within = (milliseconds: number, what: string) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        outgoing.destroy(new HttpFailure(`${what} within ${milliseconds / 1000} s`, reached));
      }, milliseconds);
    };
    const abort = () => outgoing.destroy(signal?.reason);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const fail = (error: unknown) => {
      settle();
      outgoing.destroy();
      reject(error);
    };
    signal?.addEventListener('abort', abort, { once: true });

    outgoing.once('socket', (socket: Socket) => {
      const usable = () => {
        reached = true;
        if (body === undefined) within(deadlines.firstByteMs, 'no answer');
        else clearTimeout(timer);
      };
      if (socket.connecting) {
        within(deadlines.connectMs, 'no connection');
        socket.once(secure ? 'secureConnect' : 'connect', usable);
      } else {
        usable();
      }
    });
    outgoing.once('response', (incoming) => {
      answered = true;
      settle();
      const status = incoming.statusCode ?? 0;
      const answer = { status, headers: incoming.headers, body: incoming, peer: peerOf(outgoing.socket) };
      if (body === undefined || status >= 400) {
        resolve(answer);
      } else if (progress.written === body.length) {
        // It has all the bytes that were announced; whether they are right the source says at its end.
        pumped.then(() => resolve(answer), fail);
      } else {
        incoming.destroy();
        reject(new HttpFailure('answered before it had received everything', true));
      }
    });
    outgoing.on('error', (error) => {
      settle();
      if (signal?.aborted) reject(signal.reason);
      else if (error instanceof HttpFailure) reject(error);
      else if (outgoing.reusedSocket && isReset(error)) reject(new StaleConnection(reasonOf(error), true, error));
      else reject(new HttpFailure(reasonOf(error), reached, error));
    });
    outgoing.once('close', () => {
      if (answered) return;
      settle();
      reject(new HttpFailure('closed without an answer', reached));
    });

    if (body === undefined) {
      outgoing.end();
    } else {
      pumped = pump(body, outgoing, deadlines, progress, () => answered);
      pumped.then(() => {
        if (outgoing.destroyed || progress.written !== body.length) return;
        if (!answered) within(deadlines.finishMs, 'no answer to the upload');
        outgoing.end();
      }, fail);
    }
  });
}

/** Writes the whole body, or less of it when the other side answered or went away before the end. */
async function pump(
  body: { readonly bytes: AsyncIterable<Uint8Array>; readonly length: number },
  outgoing: http.ClientRequest,
  deadlines: Deadlines,
  progress: { written: number },
  answered: () => boolean,
): Promise<void> {
  for await (const chunk of body.bytes) {
    if (chunk.length === 0) continue;
    const written = progress.written + chunk.length;
    if (written > body.length) throw new BodyLengthMismatch(`The source gave more than ${body.length} bytes`);
    if (answered() || outgoing.destroyed) return;
    progress.written = written;
    if (!outgoing.write(chunk)) await drained(outgoing, deadlines.stallMs);
  }
  if (answered() || outgoing.destroyed || progress.written === body.length) return;
  throw new BodyLengthMismatch(`The source gave ${progress.written} of ${body.length} bytes`);
}

/** The source of an upload did not give as many bytes as were announced. */
export class BodyLengthMismatch extends Error {}

function drained(outgoing: http.ClientRequest, stallMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      outgoing.destroy(new HttpFailure(`took no more bytes for ${stallMs / 1000} s`, true));
    }, stallMs);
    const done = () => {
      clearTimeout(timer);
      outgoing.off('drain', done).off('response', done).off('close', done);
      resolve();
    };
    outgoing.once('drain', done).once('response', done).once('close', done);
  });
}

/**
 * The bytes of an answer as they come. Time that the reader takes does not count as a stall.
 *
 * @throws HttpFailure when the body ends too early or stalls; the signal's reason when aborted
 */
export async function* bodyBytes(
  answer: HttpAnswer,
  deadlines: Deadlines,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const { body } = answer;
  let waiting = true;
  const timer = setTimeout(() => {
    if (waiting) body.destroy(new HttpFailure(`sent nothing for ${deadlines.stallMs / 1000} s`, true));
  }, deadlines.stallMs);
  const abort = () => body.destroy(toError(signal?.reason));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if (signal?.aborted) throw signal.reason;
    for await (const chunk of body) {
      waiting = false;
      yield chunk;
      waiting = true;
      timer.refresh();
    }
    if (!body.complete) throw new HttpFailure('the answer ended too early', true);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (error instanceof HttpFailure) throw error;
    throw new HttpFailure(`the answer ended too early (${reasonOf(error)})`, true, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    if (!body.complete) body.destroy();
  }
}

/** A small body as text, at most `limit` bytes of it; a longer one is cut and its connection closed. */
export async function bodyText(
  answer: HttpAnswer,
  limit: number,
  deadlines: Deadlines,
  signal?: AbortSignal,
): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of bodyBytes(answer, deadlines, signal)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= limit) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, limit);
}

/** Reads a body that nobody needs, so that its connection can serve the next request. */
export async function discardBody(answer: HttpAnswer, deadlines: Deadlines): Promise<void> {
  try {
    await bodyText(answer, 64 * 1024, deadlines);
  } catch {
    // The head said what there was to know.
    answer.body.destroy();
  }
}

function peerOf(socket: Socket | null): string | undefined {
  return socket?.remoteAddress?.replace(/^::ffff:/, '');
}

function isReset(error: unknown): boolean {
  return codeOf(error) === 'ECONNRESET' || codeOf(error) === 'EPIPE';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
