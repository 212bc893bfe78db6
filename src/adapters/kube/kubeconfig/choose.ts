/**
 * Which server to ask and as whom: one context of a merged kubeconfig, and what the command line says over it.
 *
 * The rules are client-go's, the odd ones too: only what the context in use names is looked at; a context that names
 * no cluster, or one that no file has, means the default server; credentials are left out for a server without TLS,
 * impersonation is not.
 */
import { quoted } from '../../../kernel/shown-text.ts';
import { clusterComplaints, type Unreadable, userComplaints } from './complaints.ts';
import type { MergedKubeconfig } from './merge.ts';
import type { PluginPolicy } from './plugin-policy.ts';
import type { AuthProviderEntry, ClusterEntry, ExecEntry, UserEntry } from './read.ts';

/** What kubectl's global flags say; an empty text says nothing. */
export interface KubeconfigOverrides {
  readonly context?: string | undefined;
  readonly cluster?: string | undefined;
  readonly user?: string | undefined;
  readonly server?: string | undefined;
  readonly certificateAuthority?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
  readonly tlsServerName?: string | undefined;
  readonly proxyUrl?: string | undefined;
  readonly disableCompression?: boolean | undefined;
  readonly clientCertificate?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly token?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly as?: string | undefined;
  readonly asUid?: string | undefined;
  readonly asGroup?: readonly string[] | undefined;
  /** `key=value`; others are passed over. */
  readonly asUserExtra?: readonly string[] | undefined;
  /** For each request; 0 is no limit. */
  readonly requestTimeoutMs?: number | undefined;
}

/** PEM from a file, to be read when it is needed since it may rotate, or as it stood in the kubeconfig. */
export type Pem = { readonly file: string } | { readonly data: string };

export interface ClientCertificate {
  readonly certificate: Pem;
  readonly key: Pem;
}

/** Who the caller is; of several the first of token, password, certificate and plugin goes into a request. */
export interface Identity {
  readonly token: string;
  /** Its content goes before the token. */
  readonly tokenFile: string;
  readonly username: string;
  readonly password: string;
  readonly certificate: ClientCertificate | undefined;
  readonly exec: ExecEntry | undefined;
  readonly authProvider: AuthProviderEntry | undefined;
}

export interface Impersonation {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export interface ServerTls {
  /** The only authorities that are trusted; undefined means those of the system. */
  readonly authority: Pem | undefined;
  readonly insecure: boolean;
  /** Another name than the address's, for SNI and the check of the certificate; empty for none. */
  readonly serverName: string;
}

/** Everything that a request to the API server needs to know. */
export interface ClusterAccess {
  /** Protocol, host, port and the path that all paths are below. */
  readonly server: URL;
  /** Undefined where the server has no TLS: then no credential is sent. */
  readonly tls: ServerTls | undefined;
  readonly identity: Identity;
  readonly impersonation: Impersonation | undefined;
  /** Empty where the environment decides. */
  readonly proxyUrl: string;
  readonly disableCompression: boolean;
  /** What credential plugins may be told about the cluster. */
  readonly execExtension: unknown;
  /** Which of them may run. */
  readonly pluginPolicy: PluginPolicy;
  readonly namespace: string;
  readonly requestTimeoutMs: number | undefined;
  /** For messages: `/home/joe/.kube/config: cluster "dev"`. */
  readonly clusterPlace: string;
  readonly userPlace: string;
  /** Why the default server is asked, where nobody named one. */
  readonly defaulted: string | undefined;
}

export interface Surroundings {
  /** KUBERNETES_MASTER, or client-go's own default. */
  readonly defaultServer: string;
  readonly unreadable: Unreadable;
  readonly pluginPolicy: PluginPolicy;
  /** The paths of kubeconfigs that are not there, for messages. */
  readonly searched: string;
}

/** The context in use cannot be used; the message names file and entry. */
export class UnusableKubeconfig extends Error {
  /** What to do, where it is known. */
  readonly next: string | undefined;

  constructor(complaints: readonly string[], next?: string) {
    super(complaints.join('; '));
    this.next = next;
  }
}

export const fallbackServer = 'http://localhost:8080';

/** @throws UnusableKubeconfig */
export function chooseAccess(
  merged: MergedKubeconfig,
  flags: KubeconfigOverrides,
  surroundings: Surroundings,
): ClusterAccess {
  const where = merged.files.length === 0 ? `no kubeconfig (${surroundings.searched})` : merged.files.join(':');
  const named = namedEntries(merged, flags, where);
  const cluster = withFlags(named.cluster ?? noCluster, flags, surroundings.defaultServer);
  const user = asUser(named.user ?? noUser, flags);

  const clusterPlace = placeOf('cluster', named.clusterName, named.cluster?.file, where);
  const userPlace = placeOf('user', named.userName, named.user?.file, where);
  const complaints = [
    ...named.complaints,
    ...userComplaints(user, surroundings.unreadable).map((complaint) => `${userPlace}: ${complaint}`),
    ...clusterComplaints(cluster, surroundings.unreadable).map((complaint) => `${clusterPlace}: ${complaint}`),
  ];
  const server = serverUrl(cluster.server);
  if (server === undefined) complaints.push(`${clusterPlace}: server ${quoted(cluster.server)} is no address`);
  const secure = server?.protocol === 'https:';
  if (secure && cluster.insecureSkipTlsVerify && hasAuthority(cluster)) {
    complaints.push(`${clusterPlace}: insecure-skip-tls-verify goes with no certificate-authority`);
  }
  if (server === undefined || complaints.length > 0) throw new UnusableKubeconfig(complaints, named.next);

  return {
    server,
    tls: secure
      ? {
          authority: pem(cluster.certificateAuthority, cluster.certificateAuthorityData),
          insecure: cluster.insecureSkipTlsVerify,
          serverName: cluster.tlsServerName,
        }
      : undefined,
    identity: identityOf(user),
    impersonation:
      user.as === '' ? undefined : { user: user.as, uid: user.asUid, groups: user.asGroups, extra: user.asUserExtra },
    proxyUrl: cluster.proxyUrl,
    disableCompression: cluster.disableCompression,
    execExtension: cluster.execExtension,
    pluginPolicy: surroundings.pluginPolicy,
    namespace: named.namespace === '' ? 'default' : named.namespace,
    requestTimeoutMs: flags.requestTimeoutMs,
    clusterPlace,
    userPlace,
    defaulted:
      cluster.server === fallbackServer && !flags.server && !named.cluster?.server ? named.defaulted : undefined,
  };
}

function namedEntries(merged: MergedKubeconfig, flags: KubeconfigOverrides, where: string) {
  const contextName = flags.context || merged.currentContext;
  const context = merged.contexts.get(contextName);
  if (context === undefined && flags.context) {
    throw new UnusableKubeconfig(
      [`${where} has no context ${quoted(flags.context)}`],
      choice('context', merged.contexts),
    );
  }
  const clusterName = flags.cluster || context?.cluster || '';
  const userName = flags.user || context?.user || '';
  const cluster = merged.clusters.get(clusterName);
  const user = merged.users.get(userName);
  if (user === undefined && flags.user) {
    throw new UnusableKubeconfig([`${where} has no user ${quoted(flags.user)}`], choice('user', merged.users));
  }
  if (cluster === undefined && flags.cluster) {
    throw new UnusableKubeconfig(
      [`${where} has no cluster ${quoted(flags.cluster)}`],
      choice('cluster', merged.clusters),
    );
  }
  const missing = context === undefined && contextName !== '';
  return {
    clusterName,
    userName,
    cluster,
    user,
    namespace: context?.namespace ?? '',
    complaints: missing ? [`${where} has no context ${quoted(contextName)}, which is its current one`] : [],
    next: missing ? choice('context', merged.contexts) : undefined,
    defaulted:
      merged.files.length === 0 ? `there is ${where}` : whyDefault(where, contextName, context?.cluster, cluster),
  };
}

function whyDefault(
  where: string,
  context: string,
  clusterName: string | undefined,
  cluster: ClusterEntry | undefined,
): string {
  if (cluster !== undefined) return `${where}: cluster ${quoted(clusterName ?? '')} has no server`;
  if (clusterName) return `${where} has no cluster ${quoted(clusterName)}, which context ${quoted(context)} names`;
  return context === '' ? `${where} has no current context` : `${where}: context ${quoted(context)} names no cluster`;
}

function choice(kind: string, known: ReadonlyMap<string, unknown>): string {
  return known.size === 0
    ? `Add a ${kind} to it, or name another file.`
    : `Choose one of: ${[...known.keys()].join(', ')}.`;
}

function placeOf(kind: string, name: string, file: string | undefined, where: string): string {
  return name === '' || file === undefined ? `${where}, options: ${kind}` : `${file}: ${kind} ${quoted(name)}`;
}

const noCluster: ClusterEntry = {
  server: '',
  tlsServerName: '',
  insecureSkipTlsVerify: false,
  certificateAuthority: '',
  certificateAuthorityData: '',
  proxyUrl: '',
  disableCompression: false,
  execExtension: undefined,
};

const noUser: UserEntry = {
  clientCertificate: '',
  clientCertificateData: '',
  clientKey: '',
  clientKeyData: '',
  token: '',
  tokenFile: '',
  as: '',
  asUid: '',
  asGroups: [],
  asUserExtra: {},
  username: '',
  password: '',
  authProvider: undefined,
  exec: undefined,
};

function withFlags(entry: ClusterEntry, flags: KubeconfigOverrides, defaultServer: string): ClusterEntry {
  // Trust is taken from the flags whole: skipping the check and naming an authority each take the other's place.
  const trust =
    flags.insecureSkipTlsVerify === true || flags.certificateAuthority
      ? {
          insecureSkipTlsVerify: flags.insecureSkipTlsVerify === true,
          certificateAuthority: flags.certificateAuthority ?? '',
          certificateAuthorityData: '',
        }
      : {};
  return {
    ...entry,
    server: flags.server || entry.server || defaultServer,
    // The name that fits the file's server does not fit another one.
    tlsServerName: flags.tlsServerName || flags.server ? (flags.tlsServerName ?? '') : entry.tlsServerName,
    proxyUrl: flags.proxyUrl || entry.proxyUrl,
    disableCompression: flags.disableCompression === true || entry.disableCompression,
    ...trust,
  };
}

function asUser(entry: UserEntry, flags: KubeconfigOverrides): UserEntry {
  return {
    ...entry,
    ...(flags.clientCertificate ? { clientCertificate: flags.clientCertificate, clientCertificateData: '' } : {}),
    ...(flags.clientKey ? { clientKey: flags.clientKey, clientKeyData: '' } : {}),
    token: flags.token || entry.token,
    username: flags.username || entry.username,
    password: flags.password || entry.password,
    as: flags.as || entry.as,
    asUid: flags.asUid || entry.asUid,
    asGroups: flags.asGroup !== undefined && flags.asGroup.length > 0 ? flags.asGroup : entry.asGroups,
    asUserExtra: { ...entry.asUserExtra, ...extraOf(flags.asUserExtra ?? []) },
  };
}

function extraOf(given: readonly string[]): Record<string, readonly string[]> {
  const extra = new Map<string, string[]>();
  for (const pair of given) {
    const equals = pair.indexOf('=');
    if (equals < 0) continue;
    const key = pair.slice(0, equals);
    extra.set(key, [...(extra.get(key) ?? []), pair.slice(equals + 1)]);
  }
  return Object.fromEntries(extra);
}

function hasAuthority(cluster: ClusterEntry): boolean {
  return cluster.certificateAuthority !== '' || cluster.certificateAuthorityData !== '';
}

function identityOf(user: UserEntry): Identity {
  const certificate = pem(user.clientCertificate, user.clientCertificateData);
  const key = pem(user.clientKey, user.clientKeyData);
  return {
    token: user.token,
    tokenFile: user.tokenFile,
    username: user.username,
    password: user.password,
    certificate: certificate === undefined || key === undefined ? undefined : { certificate, key },
    exec: user.exec,
    authProvider: user.authProvider,
  };
}

function pem(file: string, data: string): Pem | undefined {
  if (data !== '') return { data };
  return file === '' ? undefined : { file };
}

/** An address without a protocol means HTTP, and then has no path. */
export function serverUrl(server: string): URL | undefined {
  const url = /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(server) ? parsed(server) : bareHost(server);
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return undefined;
  url.search = '';
  url.hash = '';
  return url;
}

function bareHost(server: string): URL | undefined {
  const url = parsed(`http://${server}`);
  return url?.pathname === '/' ? url : undefined;
}

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
