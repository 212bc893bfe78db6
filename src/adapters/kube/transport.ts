/**
 * HTTP to the API server, over node's own http(s): a pool of connections, a deadline for each call, streams with
 * back-pressure, and the caller's credentials, which are looked for anew as they rotate.
 */

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { MaasError } from '../../contracts/errors.ts';
import type { Clock } from '../../kernel/clock.ts';
import { adviceFor } from './connection-advice.ts';
import { Connections, type Route } from './connections.ts';
import { basicAuthorization, CredentialSource, type Credentials, impersonationHeaders } from './credentials.ts';
import type { Environment } from './environment.ts';
import type { ClusterAccess } from './kubeconfig/choose.ts';

/** No answer: refused, reset, cut off, or not in time. */
export class ConnectionError extends Error {
  readonly kind: 'deadline' | 'aborted' | 'connection';
  /** True when repeating an idempotent call at once has a chance. */
  readonly retriable: boolean;
  /** What to do, where more is known than that the server did not answer. */
  readonly next: string | undefined;

  constructor(kind: ConnectionError['kind'], message: string, cause?: unknown, next?: string) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ConnectionError';
    this.kind = kind;
    this.retriable = kind === 'connection' && isReset(cause);
    this.next = next;
  }
}

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the server's address, starting with a slash, already percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** For the whole answer; for a stream only until its headers are here. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** May the answer come packed? Who reads it unpacks it. */
  readonly packed?: boolean;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Transport {
  /** @throws ConnectionError; every HTTP status is an answer. */
  request(call: ApiCall): Promise<ApiResponse>;
  /** Answers when the headers are here; who calls reads or destroys the body. @throws ConnectionError */
  open(call: ApiCall): Promise<IncomingMessage>;
  /** The server's address, for messages. */
  address(): string;
  /** Closes idle connections. */
  close(): void;
}

/** Longer answers are refused: a page of 500 large objects stays below it. */
const maxAnswerBytes = 128 * 1024 * 1024;
/** Credentials are looked for anew this often: certificate files and tokens rotate. */
const credentialsMs = 10_000;

interface Way {
  readonly access: ClusterAccess;
  readonly credentials: Credentials;
  readonly route: Route;
}

/**
 * @param load reads the kubeconfig; called again after a 401, so that renewed credentials are found
 * @param userAgent sent with each request, shown in audit logs
 * @param env of the process, for proxies, the system's authorities and credential plugins
 */
export function createTransport(
  load: () => ClusterAccess,
  clock: Pick<Clock, 'now' | 'monotonic'>,
  userAgent: string,
  env: Environment = {},
): Transport {
  const source = new CredentialSource(env, clock.now);
  const connections = new Connections(env);
  let access = load();
  let way: Promise<Way> | undefined;
  let wayUntil = 0;

  const findWay = (): Promise<Way> => {
    if (way === undefined || clock.monotonic() >= wayUntil) {
      const asked = access;
      const fresh = source.find(asked).then((credentials) => ({
        access: asked,
        credentials,
        route: connections.route(asked, credentials),
      }));
      way = fresh;
      wayUntil = Number.POSITIVE_INFINITY;
      fresh.then(
        () => {
          if (way === fresh) wayUntil = clock.monotonic() + credentialsMs;
        },
        // A failure is told to those who wait for it and not remembered.
        () => {
          if (way === fresh) way = undefined;
        },
      );
    }
    return way;
  };

  const send = async (call: ApiCall, watch: CallWatch): Promise<{ response: IncomingMessage; way: Way }> => {
    // A login takes as long as it takes; the deadline is the server's.
    const found = await watch.untimed(findWay());
    const { route } = found;
    const payload = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const request = route.send({
      ...route.options,
      method: call.method,
      path: `${route.prefix}${call.path}${queryText(call.query)}`,
      headers: {
        ...route.headers,
        ...identityHeaders(found),
        Accept: 'application/json',
        ...(call.packed === true && !found.access.disableCompression ? { 'Accept-Encoding': 'gzip' } : {}),
        'User-Agent': userAgent,
        ...(payload === undefined
          ? {}
          : { 'Content-Type': call.contentType ?? 'application/json', 'Content-Length': payload.length }),
      },
    });
    const response = await watch.run<IncomingMessage>(
      (resolve, reject) => {
        const fail = (error: unknown): void => reject(connectionError(error, found.access));
        request.once('socket', (socket) => socket.setKeepAlive(true, 15_000));
        request.once('proxyConnect', (answer: { statusCode?: number; statusText?: string }) => {
          if (answer.statusCode === undefined || answer.statusCode === 200) return;
          fail(new Error(`the proxy answered ${answer.statusCode} ${answer.statusText ?? ''}`.trim()));
          request.destroy();
        });
        request.once('response', resolve);
        // Stays for the life of the request: an error after the response must not be an uncaught one.
        request.on('error', fail);
        request.end(payload);
      },
      () => request.destroy(),
    );
    return { response, way: found };
  };

  /** A refused credential is looked for anew, once; nothing was done with the call. */
  const sendAuthenticated = async (call: ApiCall, watch: CallWatch): Promise<IncomingMessage> => {
    const first = await send(call, watch);
    if (first.response.statusCode !== 401) return first.response;
    first.response.resume();
    await first.way.credentials.refused();
    access = load();
    way = undefined;
    return (await send(call, watch)).response;
  };

  /** The limit of each request that the user set goes before ours. */
  const timed = (call: ApiCall): ApiCall =>
    access.requestTimeoutMs === undefined ? call : { ...call, deadlineMs: access.requestTimeoutMs };

  return {
    async request(call) {
      const watch = new CallWatch(timed(call));
      try {
        const response = await sendAuthenticated({ ...call, packed: true }, watch);
        const text = await watch.run<string>(
          (resolve, reject) => readText(unpacked(response)).then(resolve, reject),
          () => response.destroy(),
        );
        return { status: response.statusCode ?? 0, headers: response.headers, text };
      } finally {
        watch.end();
      }
    },
    async open(call) {
      const watch = new CallWatch(timed(call));
      try {
        return await sendAuthenticated(call, watch);
      } finally {
        watch.end();
      }
    },
    address: () => access.server.href.replace(/\/$/, ''),
    close() {
      source.close();
      connections.close();
    },
  };
}

function identityHeaders({ access, credentials }: Way): Record<string, string | string[]> {
  const { username, password } = access.server;
  const inAddress =
    username === '' ? '' : basicAuthorization(decodeURIComponent(username), decodeURIComponent(password));
  const authorization = credentials.authorization || inAddress;
  return {
    ...(authorization === '' ? {} : { Authorization: authorization }),
    ...impersonationHeaders(access.impersonation),
  };
}

/** The deadline and the signal of one call, over all its steps. */
class CallWatch {
  #failure: ConnectionError | undefined;
  #stop: ((error: ConnectionError) => void) | undefined;
  readonly #deadlineMs: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#fail(new ConnectionError('aborted', 'the call was given up'));

  constructor(call: ApiCall) {
    this.#signal = call.signal;
    this.#deadlineMs = call.deadlineMs;
    this.#start();
    if (call.signal?.aborted === true) this.#onAbort();
    else call.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** 0 is no deadline. */
  #start(): void {
    const late = (): void => this.#fail(new ConnectionError('deadline', `no answer within ${this.#deadlineMs} ms`));
    if (this.#deadlineMs > 0) this.#timer = setTimeout(late, this.#deadlineMs);
  }

  #fail(error: ConnectionError): void {
    this.#failure ??= error;
    this.#stop?.(error);
  }

  /** Runs a step; `cancel` frees what it holds when the deadline passes or the signal fires. */
  run<T>(
    step: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
    cancel: () => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#stop = (error) => {
        reject(error);
        cancel();
      };
      if (this.#failure !== undefined) {
        this.#stop(this.#failure);
        return;
      }
      step(resolve, (error) => reject(isKnown(error) ? error : connectionError(error)));
    }).finally(() => {
      this.#stop = undefined;
    });
  }

  /** Waits without the deadline, which begins anew behind it. */
  async untimed<T>(promise: Promise<T>): Promise<T> {
    clearTimeout(this.#timer);
    const value = await this.run<T>(
      (resolve, reject) => promise.then(resolve, reject),
      () => {},
    );
    this.#start();
    return value;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

/** Servers pack long answers only where they are asked to. */
function unpacked(response: IncomingMessage): Readable {
  if (response.headers['content-encoding'] !== 'gzip') return response;
  const unpacking = createGunzip();
  response.on('error', (error) => unpacking.destroy(error));
  return response.pipe(unpacking);
}

/** Reads a body whole. @throws Error when it is cut off or longer than the limit */
export async function readText(body: Readable, limit = maxAnswerBytes): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    const bytes: Buffer = chunk;
    length += bytes.length;
    if (length > limit) throw new Error(`the answer is longer than ${limit} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function queryText(query: ApiCall['query']): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(key, value);
  return search.size === 0 ? '' : `?${search}`;
}

function isKnown(error: unknown): boolean {
  return error instanceof ConnectionError || error instanceof MaasError;
}

function connectionError(cause: unknown, access?: ClusterAccess): ConnectionError {
  // With several addresses node collects their errors in an AggregateError without a message.
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  const text = first instanceof Error ? first.message : String(first);
  return new ConnectionError('connection', text, cause, access && adviceFor(first, access));
}

function isReset(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
