/**
 * One HTTP exchange over node:http or node:https, up to the head of its answer. Redirects are not followed and no
 * status is an error here: the callers decide. fetch and undici are not used, because a data node of HDFS answers an
 * upload with a `100 Continue` that nobody asked for, which they cannot take.
 */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { messageOf } from '../../kernel/message-of.ts';
import { HttpFailure, isReset } from './failure.ts';
import type { AnswerBody, LendingConnection } from './lent-body.ts';
import type { Route } from './route.ts';
import { pump, type Upload } from './upload.ts';

/** Milliseconds; there is no limit to what has none. That of a whole call is a signal, see call-time.ts. */
export interface Deadlines {
  /** From the start of a connection to its being usable, TLS included. */
  readonly connectMs?: number;
  /** From the request's last byte to the answer's head. */
  readonly firstByteMs?: number;
  /** Without a byte received while one is awaited, or without room to send while there is something to send. */
  readonly stallMs?: number;
  /** From the last byte of an upload to its answer. */
  readonly finishMs?: number;
}

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly route: Route;
  /** Behind the route's prefix, percent-encoded, with the query. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  /** A small body. */
  readonly content?: Buffer | undefined;
  /** A body that is sent as it comes. */
  readonly upload?: Upload | undefined;
  /** Makes the connection for this one request, which then lends the answer's body; see lent-body.ts. */
  readonly lending?: (() => LendingConnection) | undefined;
  readonly deadlines?: Deadlines;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Has to be read to its end or destroyed. */
  readonly body: AnswerBody;
  /** IP address of the other side. */
  readonly peer: string | undefined;
  /** For the body; see Deadlines. */
  readonly stallMs: number | undefined;
}

/**
 * Sends a request and waits for the head of its answer.
 *
 * @throws HttpFailure; the signal's reason when aborted; what the upload's source throws
 */
export async function exchange(request: HttpRequest): Promise<HttpAnswer> {
  try {
    return await exchangeOnce(request);
  } catch (error) {
    // A kept connection that the server closed just now. Nothing was answered on it; a body could not be sent twice.
    if (!(error instanceof StaleConnection) || hasBody(request)) throw error;
    return await exchangeOnce(request);
  }
}

class StaleConnection extends HttpFailure {}

function hasBody({ content, upload }: HttpRequest): boolean {
  return content !== undefined || upload !== undefined;
}

async function exchangeOnce(request: HttpRequest): Promise<HttpAnswer> {
  request.signal?.throwIfAborted();
  return await new Exchange(request).answered;
}

/** How long a connection may carry nothing before the system asks whether the other side is still there. */
const keepAliveMs = 15_000;

class Exchange {
  readonly answered: Promise<HttpAnswer>;
  readonly #request: HttpRequest;
  readonly #deadlines: Deadlines;
  readonly #lending: LendingConnection | undefined;
  readonly #outgoing: ClientRequest;
  readonly #resolve: (answer: HttpAnswer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #progress = { written: 0 };
  #pumped: Promise<void> = Promise.resolve();
  #reached = false;
  #over = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(request: HttpRequest) {
    const { route, method, path, upload, content, signal, deadlines = {} } = request;
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    this.answered = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#request = request;
    this.#deadlines = deadlines;
    const lending = request.lending?.();
    this.#lending = lending;
    this.#outgoing = route.send({
      ...route.options,
      ...(lending === undefined ? {} : { agent: undefined, createConnection: () => lending.socket }),
      // An upload gets a connection of its own: it could not be repeated on another one if a kept one proved closed.
      ...(upload === undefined ? {} : { agent: false }),
      method,
      path: `${route.prefix}${path}`,
      headers: headersOf(request),
    });
    signal?.addEventListener('abort', this.#abort, { once: true });
    this.#outgoing.once('socket', (socket) => this.#onSocket(socket));
    this.#outgoing.once('proxyConnect', (answer: ProxyAnswer) => this.#onProxy(answer));
    this.#outgoing.once('response', (incoming) => this.#onResponse(incoming));
    // Stays for the life of the request: an error after the response must not be an uncaught one.
    this.#outgoing.on('error', (error) => this.#fail(this.#failureOf(error)));
    this.#outgoing.once('close', () => {
      if (!this.#over) this.#fail(new HttpFailure('closed without an answer', this.#reached));
    });
    if (upload === undefined) this.#outgoing.end(content);
    else this.#send(upload);
  }

  readonly #abort = (): void => {
    this.#outgoing.destroy(this.#request.signal?.reason);
  };

  #send(upload: Upload): void {
    const { stallMs, finishMs } = this.#deadlines;
    this.#pumped = pump(upload, this.#outgoing, this.#progress, stallMs, () => this.#over);
    this.#pumped.then(
      () => {
        if (this.#outgoing.destroyed || this.#progress.written !== upload.length) return;
        if (!this.#over) this.#within(finishMs, 'no answer to the upload');
        this.#outgoing.end();
      },
      (error) => this.#fail(error),
    );
  }

  #onSocket(socket: Socket): void {
    socket.setKeepAlive(true, keepAliveMs);
    const usable = () => {
      this.#reached = true;
      clearTimeout(this.#timer);
      if (this.#request.upload === undefined) this.#within(this.#deadlines.firstByteMs, 'no answer');
    };
    if (!socket.connecting) {
      usable();
      return;
    }
    this.#within(this.#deadlines.connectMs, 'no connection');
    socket.once(isSecure(socket) ? 'secureConnect' : 'connect', usable);
  }

  #onProxy({ statusCode, statusText = '' }: ProxyAnswer): void {
    if (statusCode === undefined || statusCode === 200) return;
    this.#fail(this.#failureOf(new Error(`the proxy answered ${statusCode} ${statusText}`.trim())));
  }

  #onResponse(incoming: IncomingMessage): void {
    this.#settle();
    const { upload } = this.#request;
    const status = incoming.statusCode ?? 0;
    const { stallMs } = this.#deadlines;
    const peer = this.#outgoing.socket?.remoteAddress?.replace(/^::ffff:/, '');
    const answer = { status, headers: incoming.headers, body: this.#bodyOf(incoming), peer, stallMs };
    if (upload === undefined || status >= 400) {
      this.#resolve(answer);
    } else if (this.#progress.written === upload.length) {
      // It has all the bytes that were announced; whether they are right the source says at its end.
      this.#pumped.then(
        () => this.#resolve(answer),
        (error) => this.#fail(error),
      );
    } else {
      incoming.destroy();
      this.#reject(new HttpFailure('answered before it had received everything', true));
    }
  }

  #bodyOf(incoming: IncomingMessage): AnswerBody {
    const { statusCode, headers } = incoming;
    const length = headers['content-length'];
    if (this.#lending === undefined) return incoming;
    if (statusCode === 200 && length !== undefined && headers['transfer-encoding'] === undefined) {
      this.#lending.lend(Number(length), incoming);
      return this.#lending;
    }
    this.#lending.leave();
    return incoming;
  }

  #within(ms: number | undefined, what: string): void {
    clearTimeout(this.#timer);
    if (ms === undefined) return;
    this.#timer = setTimeout(() => {
      this.#outgoing.destroy(new HttpFailure(`${what} within ${ms / 1000} s`, this.#reached));
    }, ms);
  }

  #failureOf(error: Error): unknown {
    const { signal, route } = this.#request;
    if (signal?.aborted) return signal.reason;
    if (error instanceof HttpFailure) return error;
    const Failure = this.#outgoing.reusedSocket && isReset(error) ? StaleConnection : HttpFailure;
    return new Failure(messageOf(error), this.#reached, { cause: error, next: route.advice?.(error) });
  }

  #fail(error: unknown): void {
    this.#settle();
    this.#outgoing.destroy();
    this.#reject(error);
  }

  #settle(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#request.signal?.removeEventListener('abort', this.#abort);
  }
}

/** Asked so, TLS need not be loaded for it. */
function isSecure(socket: Socket): boolean {
  return 'encrypted' in socket;
}

interface ProxyAnswer {
  readonly statusCode?: number;
  readonly statusText?: string;
}

function headersOf({ route, method, headers, content, upload }: HttpRequest): OutgoingHttpHeaders {
  const length = content?.length ?? upload?.length ?? (method === 'PUT' || method === 'POST' ? 0 : undefined);
  return { ...route.headers, ...headers, ...(length === undefined ? {} : { 'Content-Length': length }) };
}
