/** How a server is reached: directly or through a proxy, with which certificates; and the pools of open connections. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import tls, { type ConnectionOptions, type SecureContext } from 'node:tls';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { MaasError } from '../../contracts/errors.ts';
import { basicAuthorization, type Credentials, readPem } from './credentials.ts';
import type { Environment } from './environment.ts';
import type { ClusterAccess, ServerTls } from './kubeconfig/choose.ts';
import { proxyFromEnvironment, withoutBrackets } from './kubeconfig/proxy.ts';
import { nameMismatch } from './server-name.ts';
import { anchorsIn, systemAnchors } from './trust.ts';

/** Idle connections are closed before servers and load balancers do it, so that a write does not meet a dead one. */
const idleConnectionMs = 30_000;

const poolOptions = { keepAlive: true, timeout: idleConnectionMs, maxFreeSockets: 8 };

/** Where a request goes: options of node's http(s), and what stands before the path. */
export interface Route {
  readonly send: typeof http.request;
  readonly options: RequestOptions;
  readonly prefix: string;
  readonly headers: Readonly<Record<string, string>>;
}

export class Connections {
  readonly #env: Environment;
  /** The one of the last route: other credentials or another proxy get connections of their own. */
  #pool: { readonly key: string; readonly agent: http.Agent } | undefined;
  #system: readonly string[] | undefined;
  #context: { readonly key: string; readonly context: SecureContext } | undefined;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** @throws MaasError KUBECONFIG_INVALID */
  route(access: ClusterAccess, { certificate }: Credentials): Route {
    const { server } = access;
    const host = withoutBrackets(server.hostname);
    const port = Number(server.port) || (server.protocol === 'https:' ? 443 : 80);
    const proxy = access.proxyUrl === '' ? proxyFromEnvironment(server, this.#env) : new URL(access.proxyUrl);
    const path = server.pathname.replace(/\/+$/, '');
    // A proxy may have TLS where the server has none.
    const trust = access.tls ?? (proxy?.protocol === 'https:' ? systemTrust : undefined);
    const material = this.#material(trust, certificate, access);
    const key = `${material.key} ${server.host} ${proxy?.href ?? ''}`;

    if (proxy !== undefined && server.protocol === 'http:' && !isSocks(proxy)) {
      // An HTTP proxy is asked for the whole address, and needs no tunnel.
      const secure = proxy.protocol === 'https:';
      const proxyHost = withoutBrackets(proxy.hostname);
      return {
        send: secure ? https.request : http.request,
        options: {
          host: proxyHost,
          port: Number(proxy.port) || (secure ? 443 : 80),
          agent: this.#agent(key, () =>
            secure
              ? new https.Agent({ ...poolOptions, ...this.#security(systemTrust, proxyHost, material) })
              : new http.Agent(poolOptions),
          ),
        },
        prefix: `http://${server.host}${path}`,
        headers: { Host: server.host, ...proxyAuthorization(proxy) },
      };
    }
    return {
      send: server.protocol === 'https:' ? https.request : http.request,
      options: {
        host,
        port,
        agent: this.#agent(key, () =>
          agentFor(server, proxy, (name) =>
            access.tls === undefined ? {} : this.#security(access.tls, name, material),
          ),
        ),
        // Said outright: the pool of a tunnel guesses it otherwise, not always alike, and finds no free connection.
        ...{ secureEndpoint: server.protocol === 'https:' },
      },
      prefix: path,
      headers: {},
    };
  }

  close(): void {
    this.#pool?.agent.destroy();
  }

  /** A pool whose key is no longer asked for closes its connections as they get idle. */
  #agent(key: string, make: () => http.Agent): http.Agent {
    if (this.#pool?.key !== key) this.#pool = { key, agent: make() };
    return this.#pool.agent;
  }

  #material(security: ServerTls | undefined, certificate: Credentials['certificate'], access: ClusterAccess) {
    const anchors = this.#anchors(security, access.clusterPlace);
    const key = createHash('sha256')
      .update(JSON.stringify([security, certificate, security?.authority === undefined ? [] : anchors]))
      .digest('hex');
    return { anchors, certificate, key, access };
  }

  /** Undefined means those that the runtime brings along. */
  #anchors(security: ServerTls | undefined, place: string): readonly string[] | undefined {
    if (security === undefined || security.insecure) return [];
    if (security.authority === undefined) {
      this.#system ??= systemAnchors(this.#env, process.platform);
      return this.#system === undefined ? undefined : some(this.#system, place, 'SSL_CERT_FILE or SSL_CERT_DIR');
    }
    const what = 'file' in security.authority ? security.authority.file : 'certificate-authority-data';
    return some(anchorsIn(readPem(security.authority, place, 'certificate-authority')), place, what);
  }

  #security(security: ServerTls, host: string, material: Material): ConnectionOptions {
    const name = security.serverName === '' ? host : security.serverName;
    return {
      secureContext: this.#secureContext(material),
      rejectUnauthorized: !security.insecure,
      servername: isIP(name) === 0 ? name.replace(/\.$/, '') : '',
      checkServerIdentity: (_host, certificate) => nameMismatch(name, certificate),
    };
  }

  #secureContext({ anchors, certificate, key, access }: Material): SecureContext {
    if (this.#context?.key === key) return this.#context.context;
    try {
      const context = tls.createSecureContext({
        ...(anchors === undefined || anchors.length === 0 ? {} : { ca: [...anchors] }),
        // Go takes each certificate it was given for an anchor, whoever signed that one.
        allowPartialTrustChain: true,
        minVersion: 'TLSv1.2',
        ...(certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.key }),
      });
      this.#context = { key, context };
      return context;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new MaasError('KUBECONFIG_INVALID', `${access.userPlace}: its client certificate cannot be used: ${why}`, {
        next: 'Give a certificate and its own key, both in PEM.',
        cause,
      });
    }
  }
}

/** An empty list would mean everybody's authorities to the libraries below, and nobody's to the user. */
function some(anchors: readonly string[], place: string, what: string): readonly string[] {
  if (anchors.length > 0) return anchors;
  throw new MaasError('KUBECONFIG_INVALID', `${place}: ${what} has no certificate in it`, {
    next: 'Give certificates in PEM.',
  });
}

interface Material {
  readonly anchors: readonly string[] | undefined;
  readonly certificate: Credentials['certificate'];
  readonly key: string;
  readonly access: ClusterAccess;
}

const systemTrust: ServerTls = { authority: undefined, insecure: false, serverName: '' };

/**
 * What is to be checked is said to the pool: a connection whose check is said with the request is never used again.
 * @param securityOf what TLS to a host needs
 */
function agentFor(server: URL, proxy: URL | undefined, securityOf: (host: string) => ConnectionOptions): http.Agent {
  const security = securityOf(withoutBrackets(server.hostname));
  if (proxy === undefined) {
    return server.protocol === 'https:'
      ? new https.Agent({ ...poolOptions, ...security })
      : new http.Agent(poolOptions);
  }
  const agent = isSocks(proxy)
    ? socksAgent(proxy)
    : new HttpsProxyAgent(proxy, {
        ...poolOptions,
        ...(proxy.protocol === 'https:' ? securityOf(withoutBrackets(proxy.hostname)) : {}),
      });
  Object.assign(agent.options, security);
  return agent;
}

function socksAgent(proxy: URL): SocksProxyAgent {
  // The proxy looks names up, as with Go: it may know names that this machine does not.
  const agent = new SocksProxyAgent(new URL(proxy.href.replace(/^socks5:/, 'socks5h:')), poolOptions);
  agent.proxy.host = withoutBrackets(proxy.hostname);
  return agent;
}

function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '' && proxy.password === '') return {};
  const [user, password] = [proxy.username, proxy.password].map(decodeURIComponent);
  return { 'Proxy-Authorization': basicAuthorization(user ?? '', password ?? '') };
}

function isSocks(proxy: URL): boolean {
  return proxy.protocol.startsWith('socks5');
}
