/**
 * HTTP to the API server: node's own http(s) with the library's credentials.
 *
 * The library's request layer makes a new connection pool for every call, has no deadline and cannot stream with
 * back-pressure; from it come the address, the certificates, the tokens and the proxy, the rest is here.
 */
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

/** No answer: refused, reset, cut off, not in time, or no credentials to ask with. */
export class ConnectionError extends Error {
  readonly kind: 'deadline' | 'aborted' | 'connection' | 'credentials';
  /** True when repeating an idempotent call at once has a chance. */
  readonly retriable: boolean;

  constructor(kind: ConnectionError['kind'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ConnectionError';
    this.kind = kind;
    this.retriable = kind === 'connection' && isReset(cause);
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
/** Credentials are computed anew this often: certificate files and tokens rotate. */
const credentialsMs = 10_000;
/** Idle connections are closed before servers and load balancers do it, so that a write does not meet a dead one. */
const idleConnectionMs = 30_000;

interface Access {
  readonly server: URL;
  readonly options: RequestOptions;
}

/**
 * @param load reads the kubeconfig; called again after a 401, so that renewed credentials are found
 * @param monotonic milliseconds of a clock that never goes back
 * @param userAgent sent with each request, shown in audit logs
 */
export function createTransport(load: () => KubeConfig, monotonic: () => number, userAgent: string): Transport {
  const pools = {
    http: new http.Agent({ keepAlive: true, timeout: idleConnectionMs, maxFreeSockets: 8 }),
    https: new https.Agent({ keepAlive: true, timeout: idleConnectionMs, maxFreeSockets: 8 }),
  };
  let config = load();
  let access: Promise<Access> | undefined;
  let accessUntil = 0;

  const findAccess = (): Promise<Access> => {
    if (access === undefined || monotonic() >= accessUntil) {
      const fresh = computeAccess(config);
      access = fresh;
      accessUntil = monotonic() + credentialsMs;
      // A failure is told to those who wait for it and not remembered.
      fresh.catch(() => {
        if (access === fresh) access = undefined;
      });
    }
    return access;
  };

  const send = async (call: ApiCall, watch: CallWatch): Promise<IncomingMessage> => {
    const { server, options } = await watch.race(findAccess());
    const secure = server.protocol === 'https:';
    const payload = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const request = (secure ? https : http).request({
      ...options,
      agent: options.agent ?? (secure ? pools.https : pools.http),
      host: server.hostname.replace(/^\[|\]$/g, ''),
      ...(server.port === '' ? {} : { port: server.port }),
      method: call.method,
      path: `${server.pathname.replace(/\/$/, '')}${call.path}${queryText(call.query)}`,
      headers: {
        ...options.headers,
        Accept: 'application/json',
        'User-Agent': userAgent,
        ...(payload === undefined
          ? {}
          : { 'Content-Type': call.contentType ?? 'application/json', 'Content-Length': payload.length }),
      },
    });
    return watch.run<IncomingMessage>(
      (resolve, reject) => {
        request.once('socket', (socket) => socket.setKeepAlive(true, 15_000));
        request.once('response', resolve);
        // Stays for the life of the request: an error after the response must not be an uncaught one.
        request.on('error', reject);
        request.end(payload);
      },
      () => request.destroy(),
    );
  };

  /** A refused credential is read anew, once; nothing was done with the call. */
  const sendAuthenticated = async (call: ApiCall, watch: CallWatch): Promise<IncomingMessage> => {
    const response = await send(call, watch);
    if (response.statusCode !== 401) return response;
    response.resume();
    config = load();
    access = undefined;
    return send(call, watch);
  };

  return {
    async request(call) {
      const watch = new CallWatch(call);
      try {
        const response = await sendAuthenticated(call, watch);
        const text = await watch.run<string>(
          (resolve, reject) => readText(response).then(resolve, reject),
          () => response.destroy(),
        );
        return { status: response.statusCode ?? 0, headers: response.headers, text };
      } finally {
        watch.end();
      }
    },
    async open(call) {
      const watch = new CallWatch(call);
      try {
        return await sendAuthenticated(call, watch);
      } finally {
        watch.end();
      }
    },
    address: () => config.getCurrentCluster()?.server ?? 'the API server',
    close() {
      pools.http.destroy();
      pools.https.destroy();
    },
  };
}

/** The deadline and the signal of one call, over all its steps. */
class CallWatch {
  #failure: ConnectionError | undefined;
  #stop: ((error: ConnectionError) => void) | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#fail(new ConnectionError('aborted', 'the call was given up'));

  constructor(call: ApiCall) {
    this.#signal = call.signal;
    const late = (): void => this.#fail(new ConnectionError('deadline', `no answer within ${call.deadlineMs} ms`));
    this.#timer = setTimeout(late, call.deadlineMs);
    if (call.signal?.aborted === true) this.#onAbort();
    else call.signal?.addEventListener('abort', this.#onAbort, { once: true });
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
      step(resolve, (error) => reject(error instanceof ConnectionError ? error : connectionError(error)));
    }).finally(() => {
      this.#stop = undefined;
    });
  }

  race<T>(promise: Promise<T>): Promise<T> {
    return this.run<T>(
      (resolve, reject) => promise.then(resolve, reject),
      () => {},
    );
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

async function computeAccess(config: KubeConfig): Promise<Access> {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new ConnectionError('credentials', 'the kubeconfig names no cluster');
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectionError('credentials', `the kubeconfig's credentials cannot be used: ${why}`, cause);
  }
  // The library's agent opens a connection for each request; only its proxies are needed.
  if (!cluster.proxyUrl) delete options.agent;
  return { server: new URL(cluster.server), options };
}

/** Reads a body whole. @throws Error when it is cut off or longer than the limit */
export async function readText(body: IncomingMessage, limit = maxAnswerBytes): Promise<string> {
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

function connectionError(cause: unknown): ConnectionError {
  // With several addresses node collects their errors in an AggregateError without a message.
  const first = cause instanceof AggregateError ? cause.errors[0] : cause;
  const text = first instanceof Error ? first.message : String(first);
  return new ConnectionError('connection', text, cause);
}

function isReset(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
