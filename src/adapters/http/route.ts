/** How a server is reached directly, over connections that are kept; through a proxy: proxied-route.ts. */
import http from 'node:http';
import type { RequestOptions } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { withoutBrackets } from '../../kernel/bare-address.ts';
import { LendingConnection } from './lent-body.ts';
import { tls } from './tls.ts';

export interface Route {
  readonly send: typeof http.request;
  /** Of node's http(s). */
  readonly options: RequestOptions;
  /** Stands before a request's path. */
  readonly prefix: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What to do about a connection that failed with this, where whoever chose the way knows. */
  readonly advice?: (error: unknown) => string | undefined;
}

/** Idle connections are closed before servers and load balancers do it, so that a write does not meet a dead one. */
const idleConnectionMs = 30_000;
export const pool = { keepAlive: true, timeout: idleConnectionMs, maxFreeSockets: 8 };

/** Connections to servers that are asked as their addresses say. */
export class DirectConnections {
  readonly #plain = new http.Agent(pool);
  #secure: http.Agent | undefined;

  agentFor({ protocol }: URL): http.Agent {
    if (protocol !== 'https:') return this.#plain;
    this.#secure ??= new (tls().Agent)(pool);
    return this.#secure;
  }

  to(url: URL): { readonly route: Route; readonly path: string } {
    return straightTo(url, this.agentFor(url));
  }

  /** Undefined over TLS, which decrypts into buffers of its own. */
  lendingTo(url: URL): (() => LendingConnection) | undefined {
    const { host, port } = endpointOf(url);
    return url.protocol === 'https:' ? undefined : () => new LendingConnection({ host, port });
  }
}

/** @param agent false: over a connection for this one request */
export function straightTo(url: URL, agent: http.Agent | false): { readonly route: Route; readonly path: string } {
  const { send, host, port } = endpointOf(url);
  const { auth } = urlToHttpOptions(url);
  const options = { host, port, agent, ...(auth === undefined || auth === null ? {} : { auth }) };
  return { route: { send, options, prefix: '', headers: {} }, path: `${url.pathname}${url.search}` };
}

export function endpointOf({ protocol, hostname, port }: URL) {
  const secure = protocol === 'https:';
  return {
    send: secure ? tls().request : http.request,
    host: withoutBrackets(hostname),
    port: Number(port) || (secure ? 443 : 80),
  };
}
