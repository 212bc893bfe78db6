/**
 * Finds the cluster and the identity exactly as kubectl does: the named file, else those of KUBECONFIG, else
 * ~/.kube/config; where none of them names a server, the service account of the pod; else localhost:8080.
 */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { delimiter, join } from 'node:path';
import { MaasError } from '../../contracts/errors.ts';
import { messageOf } from '../../kernel/message-of.ts';
import type { Environment } from './environment.ts';
import {
  type ClusterAccess,
  chooseAccess,
  fallbackServer,
  type KubeconfigOverrides,
  serverUrl,
  UnusableKubeconfig,
} from './kubeconfig/choose.ts';
import { type KubeconfigFile, mergeKubeconfigs } from './kubeconfig/merge.ts';
import { anyPlugin, ImpossiblePolicy, type PluginPolicy, readPluginPolicy } from './kubeconfig/plugin-policy.ts';
import { readKubeconfig, UnreadableKubeconfig } from './kubeconfig/read.ts';

export interface KubeconfigChoice extends KubeconfigOverrides {
  /** Of the process: KUBECONFIG, HOME and what tells a pod its API server are read from it. */
  readonly env: Environment;
  /** A kubeconfig file, which has to be there; without it the chain above. */
  readonly path?: string | undefined;
  /** Only for tests: where a pod's service account is. */
  readonly serviceAccount?: string;
}

/** Where the kubelet puts a pod's service account. */
const defaultServiceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Reads everything anew at each call, so that changed files are picked up.
 * @throws MaasError KUBECONFIG_INVALID
 */
export function loadKubeconfig(choice: KubeconfigChoice): ClusterAccess {
  const { env } = choice;
  const paths = choice.path ? [choice.path] : candidates(env);
  const files = paths.map((path) => readFile(path, path === choice.path)).filter((file) => file !== undefined);
  const defaultServer = env['KUBERNETES_MASTER'] || fallbackServer;
  try {
    const access = chooseAccess(mergeKubeconfigs(files), choice, {
      defaultServer,
      unreadable,
      pluginPolicy: pluginPolicy(env),
      searched: paths.join(', '),
    });
    return saysNothing(access, defaultServer) ? (inCluster(choice, access) ?? access) : access;
  } catch (error) {
    if (!(error instanceof UnusableKubeconfig)) throw error;
    throw new MaasError('KUBECONFIG_INVALID', error.message, error.next === undefined ? {} : { next: error.next });
  }
}

function candidates(env: Environment): string[] {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  if (env['KUBECONFIG']) return [...new Set(listed)];
  const directory = join(env['HOME'] ?? '', '.kube');
  const usual = join(directory, 'config');
  // Its name until 2015; kubectl renames it on sight.
  const old = join(directory, '.kubeconfig');
  return [!existsSync(usual) && existsSync(old) ? old : usual];
}

/** Undefined where there is no such file, unless it has to be there. */
function readFile(path: string, required: boolean): KubeconfigFile | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    if (!required && isAbsent(cause)) return undefined;
    throw unreadableFile(path, reason(cause), cause);
  }
  try {
    return { path, config: readKubeconfig(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch (cause) {
    if (cause instanceof UnreadableKubeconfig) throw unreadableFile(path, cause.message, cause);
    throw unreadableFile(path, 'it is not UTF-8', cause);
  }
}

/** Of kubectl's preferences. The usual file may be missing or broken; one that is named may not. */
function pluginPolicy(env: Environment): PluginPolicy {
  const named = env['KUBERC'] ?? '';
  if (named === 'off' || env['KUBECTL_KUBERC']?.toLowerCase() === 'false') return anyPlugin;
  const path = named === '' ? join(env['HOME'] ?? '', '.kube', 'kuberc') : named;
  if (named === '' && !existsSync(path)) return anyPlugin;
  const refused = (why: string, cause?: unknown): MaasError =>
    new MaasError('KUBECONFIG_INVALID', `${path} cannot be read as preferences of kubectl: ${why}`, {
      next: 'Correct the file, or set KUBERC=off.',
      cause,
    });
  try {
    const policy = readPluginPolicy(readFileSync(path, 'utf8'));
    if (policy !== undefined) return policy;
  } catch (cause) {
    if (cause instanceof ImpossiblePolicy) throw refused(cause.message, cause);
    if (named !== '') throw refused(reason(cause), cause);
    return anyPlugin;
  }
  if (named !== '') throw refused('it is no Preference of kubectl.config.k8s.io');
  return anyPlugin;
}

function unreadableFile(path: string, why: string, cause: unknown): MaasError {
  return new MaasError('KUBECONFIG_INVALID', `${path} cannot be read as a kubeconfig: ${why}`, {
    next: 'Correct the file, or name another one with --kubeconfig or KUBECONFIG.',
    cause,
  });
}

function unreadable(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return reason(error);
  }
}

function reason(error: unknown): string {
  if (isAbsent(error)) return 'there is no such file';
  return messageOf(error);
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Is it what is left where neither a file nor a flag says anything? Then a pod's own API server is meant. */
function saysNothing(access: ClusterAccess, defaultServer: string): boolean {
  return (
    access.server.href === serverUrl(defaultServer)?.href &&
    access.proxyUrl === '' &&
    access.impersonation === undefined &&
    !access.disableCompression
  );
}

function inCluster(choice: KubeconfigChoice, outside: ClusterAccess): ClusterAccess | undefined {
  const { env } = choice;
  const directory = choice.serviceAccount ?? defaultServiceAccount;
  const tokenFile = join(directory, 'token');
  const [host, port] = [env['KUBERNETES_SERVICE_HOST'], env['KUBERNETES_SERVICE_PORT']];
  if (!host || !port || !isFile(tokenFile)) return undefined;
  const server = serverUrl(choice.server || `https://${isIPv6(host) ? `[${host}]` : host}:${port}`);
  if (server === undefined) return undefined;
  const authority = choice.certificateAuthority || join(directory, 'ca.crt');
  return {
    ...outside,
    server,
    tls:
      server.protocol === 'https:'
        ? {
            authority: existsSync(authority) ? { file: authority } : undefined,
            insecure: false,
            serverName: '',
          }
        : undefined,
    identity: { ...outside.identity, token: choice.token ?? '', tokenFile: choice.token ? '' : tokenFile },
    namespace: outside.namespace === 'default' ? ownNamespace(env, directory) : outside.namespace,
    clusterPlace: "the pod's service account",
    userPlace: "the pod's service account",
    defaulted: undefined,
  };
}

function ownNamespace(env: Environment, directory: string): string {
  if (env['POD_NAMESPACE']) return env['POD_NAMESPACE'];
  const file = join(directory, 'namespace');
  return (isFile(file) ? readFileSync(file, 'utf8').trim() : '') || 'default';
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
