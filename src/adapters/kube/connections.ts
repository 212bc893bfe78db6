/** How the API server is reached as the kubeconfig says: through which proxy, trusting whom, with which certificate. */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import tls, { type ConnectionOptions, type SecureContext } from 'node:tls';
import { MaasError } from '../../contracts/errors.ts';
import { messageOf } from '../../kernel/message-of.ts';
import { openRoute } from '../http/proxied-route.ts';
import type { Route } from '../http/route.ts';
import { adviceFor } from './connection-advice.ts';
import { type Credentials, readPem } from './credentials.ts';
import type { Environment } from './environment.ts';
import type { ClusterAccess, ServerTls } from './kubeconfig/choose.ts';
import { proxyFromEnvironment } from './kubeconfig/proxy.ts';
import { nameMismatch } from './server-name.ts';
import { anchorsIn, systemAnchors } from './trust.ts';

export class Connections {
  readonly #env: Environment;
  /** The last one: other credentials or another proxy get connections of their own. */
  #route: { readonly key: string; readonly route: Route; readonly close: () => void } | undefined;
  #system: readonly string[] | undefined;

  constructor(env: Environment) {
    this.#env = env;
  }

  /**
   * A route whose connections are no longer asked for closes them as they get idle.
   * @throws MaasError KUBECONFIG_INVALID
   */
  route(access: ClusterAccess, { certificate }: Credentials): Route {
    const { server } = access;
    const proxy = access.proxyUrl === '' ? proxyFromEnvironment(server, this.#env) : new URL(access.proxyUrl);
    // A proxy may have TLS where the server has none.
    const trust = access.tls ?? (proxy?.protocol === 'https:' ? systemTrust : undefined);
    const anchors = this.#anchors(trust, access.clusterPlace);
    const key = createHash('sha256')
      .update(JSON.stringify([server, proxy, trust, certificate, trust?.authority === undefined ? [] : anchors]))
      .digest('hex');
    if (this.#route?.key === key) return this.#route.route;
    const context = trust && secureContext(anchors, certificate, access.userPlace);
    const { route, close } = openRoute(server, proxy, (host) => (trust ? security(trust, host, context) : {}));
    this.#route = { key, route: { ...route, advice: (error) => adviceFor(error, access) }, close };
    return this.#route.route;
  }

  close(): void {
    this.#route?.close();
  }

  /** Undefined means those that the runtime brings along. */
  #anchors(trust: ServerTls | undefined, place: string): readonly string[] | undefined {
    if (trust === undefined || trust.insecure) return [];
    if (trust.authority === undefined) {
      this.#system ??= systemAnchors(this.#env, process.platform);
      return this.#system === undefined ? undefined : some(this.#system, place, 'SSL_CERT_FILE or SSL_CERT_DIR');
    }
    const what = 'file' in trust.authority ? trust.authority.file : 'certificate-authority-data';
    return some(anchorsIn(readPem(trust.authority, place, 'certificate-authority')), place, what);
  }
}

const systemTrust: ServerTls = { authority: undefined, insecure: false, serverName: '' };

function security(
  { serverName, insecure }: ServerTls,
  host: string,
  context: SecureContext | undefined,
): ConnectionOptions {
  const name = serverName === '' ? host : serverName;
  return {
    secureContext: context,
    rejectUnauthorized: !insecure,
    servername: isIP(name) === 0 ? name.replace(/\.$/, '') : '',
    checkServerIdentity: (_host, certificate) => nameMismatch(name, certificate),
  };
}

function secureContext(
  anchors: readonly string[] | undefined,
  certificate: Credentials['certificate'],
  userPlace: string,
): SecureContext {
  try {
    return tls.createSecureContext({
      ...(anchors === undefined || anchors.length === 0 ? {} : { ca: [...anchors] }),
      // Go takes each certificate it was given for an anchor, whoever signed that one.
      allowPartialTrustChain: true,
      minVersion: 'TLSv1.2',
      ...(certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.key }),
    });
  } catch (cause) {
    throw new MaasError(
      'KUBECONFIG_INVALID',
      `${userPlace}: its client certificate cannot be used: ${messageOf(cause)}`,
      { next: 'Give a certificate and its own key, both in PEM.', cause },
    );
  }
}

/** An empty list would mean everybody's authorities to the libraries below, and nobody's to the user. */
function some(anchors: readonly string[], place: string, what: string): readonly string[] {
  if (anchors.length > 0) return anchors;
  throw new MaasError('KUBECONFIG_INVALID', `${place}: ${what} has no certificate in it`, {
    next: 'Give certificates in PEM.',
  });
}
