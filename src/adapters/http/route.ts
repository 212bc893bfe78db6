/** How a server is reached: directly or through a proxy, over connections that are kept. */
import http from 'node:http';
import https, { type RequestOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { urlToHttpOptions } from 'node:url';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { withoutBrackets } from '../../kernel/bare-address.ts';

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
const pool = { keepAlive: true, timeout: idleConnectionMs, maxFreeSockets: 8 };

/** Connections to servers that are asked as their addresses say. */
export class DirectConnections {
  readonly #plain = new http.Agent(pool);
  readonly #secure = new https.Agent(pool);

  agentFor({ protocol }: URL): http.Agent {
    return protocol === 'https:' ? this.#secure : this.#plain;
  }

  to(url: URL): { readonly route: Route; readonly path: string } {
    return straightTo(url, this.agentFor(url));
  }
}

/** @param agent false: over a connection for this one request */
export function straightTo(url: URL, agent: http.Agent | false): { readonly route: Route; readonly path: string } {
  const { send, host, port } = endpointOf(url);
  const { auth } = urlToHttpOptions(url);
  const options = { host, port, agent, ...(auth === undefined || auth === null ? {} : { auth }) };
  return { route: { send, options, prefix: '', headers: {} }, path: `${url.pathname}${url.search}` };
}

/**
 * A route with connections of its own.
 * @param server its path stands before that of every request
 * @param securityOf what TLS to a host needs
 */
export function openRoute(
  server: URL,
  proxy: URL | undefined,
  securityOf: (host: string) => ConnectionOptions,
): { readonly route: Route; close(): void } {
  const { send, host, port } = endpointOf(server);
  const path = server.pathname.replace(/\/+$/, '');
  if (proxy !== undefined && server.protocol === 'http:' && !isSocks(proxy)) {
    // An HTTP proxy is asked for the whole address, and needs no tunnel.
    const way = endpointOf(proxy);
    const agent = directAgent(proxy, securityOf);
    return {
      route: {
        send: way.send,
        options: { host: way.host, port: way.port, agent },
        prefix: `http://${server.host}${path}`,
        headers: { Host: server.host, ...proxyAuthorization(proxy) },
      },
      close: () => agent.destroy(),
    };
  }
  const agent = proxy === undefined ? directAgent(server, securityOf) : tunnelAgent(server, proxy, securityOf);
  // Said outright: the pool of a tunnel guesses it otherwise, not always alike, and finds no free connection.
  const tunnel = { secureEndpoint: server.protocol === 'https:' };
  return {
    route: { send, options: { host, port, agent, ...tunnel }, prefix: path, headers: {} },
    close: () => agent.destroy(),
  };
}

function endpointOf({ protocol, hostname, port }: URL) {
  const secure = protocol === 'https:';
  return {
    send: secure ? https.request : http.request,
    host: withoutBrackets(hostname),
    port: Number(port) || (secure ? 443 : 80),
  };
}

/** What is to be checked is said to the pool: a connection whose check is said with the request is never used again. */
function directAgent(to: URL, securityOf: (host: string) => ConnectionOptions): http.Agent {
  if (to.protocol !== 'https:') return new http.Agent(pool);
  return new https.Agent({ ...pool, ...securityOf(withoutBrackets(to.hostname)) });
}

function tunnelAgent(server: URL, proxy: URL, securityOf: (host: string) => ConnectionOptions): http.Agent {
  const agent = isSocks(proxy)
    ? socksAgent(proxy)
    : new HttpsProxyAgent(proxy, {
        ...pool,
        ...(proxy.protocol === 'https:' ? securityOf(withoutBrackets(proxy.hostname)) : {}),
      });
  Object.assign(agent.options, server.protocol === 'https:' ? securityOf(withoutBrackets(server.hostname)) : {});
  return agent;
}

function socksAgent(proxy: URL): SocksProxyAgent {
  // The proxy looks names up, as with Go: it may know names that this machine does not.
  const agent = new SocksProxyAgent(new URL(proxy.href.replace(/^socks5:/, 'socks5h:')), pool);
  agent.proxy.host = withoutBrackets(proxy.hostname);
  return agent;
}

function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '' && proxy.password === '') return {};
  const [user = '', password = ''] = [proxy.username, proxy.password].map(decodeURIComponent);
  return { 'Proxy-Authorization': basicAuthorization(user, password) };
}

export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function isSocks(proxy: URL): boolean {
  return proxy.protocol.startsWith('socks5');
}
