/**
 * What goes into a request to say who asks: headers, and a client certificate. Files are read when asked, so that
 * what rotates is found.
 */
import { readFileSync } from 'node:fs';
import { MaasError } from '../../contracts/errors.ts';
import { messageOf } from '../../kernel/message-of.ts';
import { basicAuthorization } from '../http/basic-authorization.ts';
import type { Environment } from './environment.ts';
import { ExecPlugins, type PluginCall } from './exec-plugin.ts';
import type { ClusterAccess, Identity, Impersonation, Pem } from './kubeconfig/choose.ts';
import type { ExecCredential } from './kubeconfig/exec-credential.ts';
import type { AuthProviderEntry } from './kubeconfig/read.ts';

export interface Credentials {
  /** Empty where nothing is said there. */
  readonly authorization: string;
  readonly certificate: { readonly certificate: string; readonly key: string } | undefined;
  /** The server did not accept them: a plugin is asked anew next time. */
  refused(): Promise<void>;
}

const nothing: Credentials = { authorization: '', certificate: undefined, refused: async () => {} };

export class CredentialSource {
  readonly #plugins: ExecPlugins;
  readonly #now: () => number;
  /** Of each token file what it last said. */
  readonly #lastTokens = new Map<string, string>();

  /** @param now milliseconds since 1970 */
  constructor(env: Environment, now: () => number) {
    this.#plugins = new ExecPlugins(env, now);
    this.#now = now;
  }

  /** @throws MaasError KUBECONFIG_INVALID, CREDENTIAL_PLUGIN_FAILED */
  async find(access: ClusterAccess): Promise<Credentials> {
    const { identity, userPlace, tls } = access;
    // Whatever is sent without TLS is told to everybody on the way.
    if (tls === undefined) return nothing;
    const certificate = identity.certificate && {
      certificate: readPem(identity.certificate.certificate, userPlace, 'client-certificate'),
      key: readPem(identity.certificate.key, userPlace, 'client-key'),
    };
    const plain = { ...nothing, certificate };
    const token = this.#token(identity, userPlace);
    const basic = identity.username !== '' || identity.password !== '';
    if (token !== '' && basic) {
      throw new MaasError('KUBECONFIG_INVALID', `${userPlace}: it has both a token and a user name with password`, {
        next: 'Leave one of them.',
      });
    }
    const provided = identity.authProvider && fromAuthProvider(identity.authProvider, access, this.#now());
    if (token !== '') return { ...plain, authorization: bearer(token, userPlace) };
    if (basic) return { ...plain, authorization: basicAuthorization(identity.username, identity.password) };
    if (provided !== undefined) return { ...plain, authorization: provided };
    if (certificate !== undefined) return plain;
    if (identity.exec !== undefined)
      return this.#fromPlugin({
        exec: identity.exec,
        ...toldTo(access),
        policy: access.pluginPolicy,
        place: userPlace,
      });
    throw new MaasError('KUBECONFIG_INVALID', `${userPlace}: nothing says who asks`, {
      next: 'Give the user a token, a client certificate or a credential plugin. (User name and password, which kubectl would ask for now, are not accepted by any supported API server.)',
    });
  }

  close(): void {
    this.#plugins.close();
  }

  async #fromPlugin(call: PluginCall): Promise<Credentials> {
    const credential: ExecCredential = await this.#plugins.credential(call);
    return {
      authorization: credential.token === '' ? '' : bearer(credential.token, call.place),
      certificate: credential.certificate,
      refused: () => this.#plugins.refused(call, credential),
    };
  }

  /** A file's token goes before the one beside it; where it can no longer be read, its last one holds. */
  #token({ token, tokenFile }: Identity, place: string): string {
    if (tokenFile === '') return token;
    let failure: unknown;
    try {
      const text = readFileSync(tokenFile, 'utf8').trim();
      if (text !== '') {
        this.#lastTokens.set(tokenFile, text);
        return text;
      }
    } catch (error) {
      failure = error;
    }
    const before = this.#lastTokens.get(tokenFile) ?? token;
    if (before !== '') return before;
    throw unusable(place, `tokenFile ${tokenFile}`, failure ?? 'it is empty');
  }
}

/** @throws MaasError KUBECONFIG_INVALID where it cannot stand in a header */
function bearer(token: string, place: string): string {
  if (!/\p{Cc}/u.test(token)) return `Bearer ${token}`;
  throw new MaasError('KUBECONFIG_INVALID', `${place}: its token has a line break or another control character`, {
    next: 'Write the token without it.',
  });
}

/** The headers of an impersonation; groups and extras may come several times. */
export function impersonationHeaders(impersonation: Impersonation | undefined): Record<string, string | string[]> {
  if (impersonation === undefined) return {};
  const { user, uid, groups, extra } = impersonation;
  return {
    'Impersonate-User': inUtf8(user),
    ...(uid === '' ? {} : { 'Impersonate-Uid': inUtf8(uid) }),
    ...(groups.length === 0 ? {} : { 'Impersonate-Group': groups.map(inUtf8) }),
    ...Object.fromEntries(
      Object.entries(extra)
        .filter(([, values]) => values.length > 0)
        .map(([key, values]) => [`Impersonate-Extra-${headerName(key)}`, values.map(inUtf8)]),
    ),
  };
}

/** Node writes a header byte by letter; the server reads UTF-8. */
function inUtf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Percent-encodes what cannot stand in the name of a header, and the percent itself. */
function headerName(key: string): string {
  return [...Buffer.from(key)]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      return /[A-Za-z0-9!#$&'*+.^_`|~-]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

/** @throws MaasError KUBECONFIG_INVALID */
export function readPem(pem: Pem, place: string, field: string): string {
  if ('data' in pem) return pem.data;
  try {
    return readFileSync(pem.file, 'utf8');
  } catch (error) {
    throw unusable(place, `${field} ${pem.file}`, error);
  }
}

function unusable(place: string, what: string, why: unknown): MaasError {
  return new MaasError('KUBECONFIG_INVALID', `${place}: ${what} cannot be used: ${messageOf(why)}`, {
    next: 'Correct the entry, or the file that it names.',
    cause: why,
  });
}

function toldTo({ server, tls, proxyUrl, disableCompression, identity, execExtension, clusterPlace }: ClusterAccess) {
  if (identity.exec?.provideClusterInfo !== true) return { cluster: undefined };
  return {
    cluster: {
      server: server.pathname === '/' ? server.href.replace(/\/$/, '') : server.href,
      tlsServerName: tls?.serverName ?? '',
      insecureSkipTlsVerify: tls?.insecure ?? false,
      certificateAuthorityData:
        tls?.authority === undefined ? '' : readPem(tls.authority, clusterPlace, 'certificate-authority'),
      proxyUrl,
      disableCompression,
      config: execExtension,
    },
  };
}

const removed: Readonly<Record<string, string>> = {
  gcp: 'gke-gcloud-auth-plugin',
  azure: 'kubelogin',
};

/** The Authorization header. Of the providers that kubectl once had, oidc is left. */
function fromAuthProvider(provider: AuthProviderEntry, access: ClusterAccess, now: number): string {
  const { name, config } = provider;
  const plugin = removed[name];
  if (plugin !== undefined) {
    throw new MaasError('KUBECONFIG_INVALID', `${access.userPlace}: auth-provider ${name} is no longer supported`, {
      next: `Use the credential plugin ${plugin} in its place.`,
    });
  }
  if (name !== 'oidc') {
    throw new MaasError('KUBECONFIG_INVALID', `${access.userPlace}: there is no auth-provider "${name}"`, {
      next: 'Use a credential plugin (exec).',
    });
  }
  const missing = ['idp-issuer-url', 'client-id'].find((field) => !config[field]);
  if (missing !== undefined) {
    throw new MaasError('KUBECONFIG_INVALID', `${access.userPlace}: auth-provider oidc has no ${missing}`, {
      next: 'Add it.',
    });
  }
  const token = config['id-token'] ?? '';
  const expires = expiryOf(token);
  if (expires !== undefined && expires > now + oidcLeewayMs) return `Bearer ${token}`;
  // A refresh token may hold for one use: what it gives belongs into the kubeconfig, which is kubectl's to write.
  throw new MaasError('KUBECONFIG_INVALID', `${access.userPlace}: the id-token of auth-provider oidc has expired`, {
    next: 'Let kubectl renew it, for example with `kubectl get --raw /version`, and run this again.',
  });
}

const oidcLeewayMs = 10_000;

/** When a JSON web token expires, in milliseconds since 1970; undefined where it does not say. */
function expiryOf(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const expires = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : undefined;
    return typeof expires === 'number' ? expires * 1_000 : undefined;
  } catch {
    return undefined;
  }
}
