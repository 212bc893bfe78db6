/**
 * Calls to the API server over our HTTP: where the kubeconfig says, as whom it says, with a deadline for each call. The
 * caller's credentials are looked for anew as they rotate.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Clock } from '../../kernel/clock.ts';
import { basicAuthorization } from '../http/basic-authorization.ts';
import { bodyText, discardBody } from '../http/body.ts';
import { CallTime } from '../http/call-time.ts';
import { exchange, type HttpAnswer, type HttpRequest } from '../http/exchange.ts';
import type { Route } from '../http/route.ts';
import { Connections } from './connections.ts';
import { CredentialSource, type Credentials, impersonationHeaders } from './credentials.ts';
import type { Environment } from './environment.ts';
import type { ClusterAccess } from './kubeconfig/choose.ts';

export interface ApiCall extends Pick<HttpRequest, 'method' | 'signal'> {
  /** Below the server's address, starting with a slash, already percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** For the whole answer; for a stream only until its headers are here. */
  readonly deadlineMs: number;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Transport {
  /** @throws HttpFailure; every HTTP status is an answer. */
  request(call: ApiCall): Promise<ApiResponse>;
  /** Answers when the headers are here; who calls reads or destroys the body. @throws HttpFailure */
  open(call: ApiCall): Promise<HttpAnswer>;
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

  const send = async (call: ApiCall, time: CallTime, packed: boolean): Promise<HttpAnswer & { way: Way }> => {
    // A login takes as long as it takes; the deadline is the server's.
    const found = await time.untimed(findWay());
    const content = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const answer = await exchange({
      method: call.method,
      route: found.route,
      path: `${call.path}${queryText(call.query)}`,
      headers: {
        ...identityHeaders(found),
        Accept: 'application/json',
        ...encodingHeader(packed, found.access),
        'User-Agent': userAgent,
        ...(content === undefined ? {} : { 'Content-Type': call.contentType ?? 'application/json' }),
      },
      content,
      signal: time.signal,
    });
    return { ...answer, way: found };
  };

  /** A refused credential is looked for anew, once; nothing was done with the call. */
  const sendAuthenticated = async (call: ApiCall, time: CallTime, packed: boolean): Promise<HttpAnswer> => {
    const first = await send(call, time, packed);
    if (first.status !== 401) return first;
    await discardBody(first);
    await first.way.credentials.refused();
    access = load();
    way = undefined;
    return await send(call, time, packed);
  };

  /** The limit of each request that the user set goes before ours. */
  const timeOf = ({ deadlineMs, signal }: ApiCall) => new CallTime(access.requestTimeoutMs ?? deadlineMs, signal);

  return {
    async request(call) {
      const time = timeOf(call);
      try {
        const answer = await sendAuthenticated(call, time, true);
        const text = await bodyText(answer, maxAnswerBytes, time.signal);
        return { status: answer.status, headers: answer.headers, text };
      } finally {
        time.end();
      }
    },
    async open(call) {
      const time = timeOf(call);
      try {
        return await sendAuthenticated(call, time, false);
      } finally {
        time.end();
      }
    },
    address: () => access.server.href.replace(/\/$/, ''),
    close() {
      source.close();
      connections.close();
    },
  };
}

/** With compression switched off it says nothing, as kubectl does. */
function encodingHeader(packed: boolean, { disableCompression }: ClusterAccess): OutgoingHttpHeaders {
  // What a pod is asked through the API server would else be asked for packed, and unpacked on the way.
  if (!packed) return { 'Accept-Encoding': 'identity' };
  return disableCompression ? {} : { 'Accept-Encoding': 'gzip' };
}

function identityHeaders({ access, credentials }: Way): OutgoingHttpHeaders {
  const { username, password } = access.server;
  const inAddress =
    username === '' ? '' : basicAuthorization(decodeURIComponent(username), decodeURIComponent(password));
  const authorization = credentials.authorization || inAddress;
  return {
    ...(authorization === '' ? {} : { Authorization: authorization }),
    ...impersonationHeaders(access.impersonation),
  };
}

function queryText(query: ApiCall['query']): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(key, value);
  return search.size === 0 ? '' : `?${search}`;
}
