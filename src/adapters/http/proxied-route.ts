/** How a server is reached over connections of its own, directly or through a proxy. */
import http from 'node:http';
import https from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { withoutBrackets } from '../../kernel/bare-address.ts';
import { basicAuthorization } from './basic-authorization.ts';
import { endpointOf, pool, type Route } from './route.ts';

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

function isSocks(proxy: URL): boolean {
  return proxy.protocol.startsWith('socks5');
}
