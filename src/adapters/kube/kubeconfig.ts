/**
 * Finds the cluster and the credentials, as kubectl does: a named file, else KUBECONFIG (a list, the first file that
 * defines a name wins, missing files are skipped), else ~/.kube/config, else the service account of the pod.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { z } from 'zod';
import { MaasError } from '../../api/errors.ts';

export interface KubeconfigChoice {
  /** The process environment: KUBECONFIG and the variables of a pod's service account are read from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A kubeconfig file; without it the chain above. */
  readonly path?: string;
  /** A context in it; without it the current one. */
  readonly context?: string;
  /** Only for tests: where the home directory is. */
  readonly home?: string;
}

/**
 * Reads the kubeconfig anew at each call, so that rotated certificates and tokens are picked up.
 * @throws MaasError KUBECONFIG_INVALID
 */
export function loadKubeconfig(choice: KubeconfigChoice): KubeConfig {
  const { config, origin } = readFirst(choice);
  if (choice.context !== undefined) {
    if (config.getContextObject(choice.context) === null) {
      const known = config.getContexts().map((context) => context.name);
      throw new MaasError('KUBECONFIG_INVALID', `${origin} has no context "${choice.context}"`, {
        next: known.length === 0 ? 'Add a context to it.' : `Choose one of: ${known.join(', ')}.`,
      });
    }
    config.setCurrentContext(choice.context);
  }
  if (config.getCurrentCluster() === null) {
    throw new MaasError('KUBECONFIG_INVALID', `${origin} does not say which cluster to talk to`, {
      next: 'Set a current context (`kubectl config use-context`) or name one.',
    });
  }
  return config;
}

/** The namespace of the current context: where a command without --namespace acts. */
export function contextNamespace(config: KubeConfig): string {
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  return namespace === undefined || namespace === '' ? 'default' : namespace;
}

function readFirst(choice: KubeconfigChoice): { config: KubeConfig; origin: string } {
  if (choice.path !== undefined) return { config: readFile(choice.path), origin: choice.path };

  const listed = (choice.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const [first, ...others] = listed.filter((path) => existsSync(path));
  if (first !== undefined) {
    const config = readFile(first);
    for (const path of others) addMissing(config, readFile(path));
    return { config, origin: [first, ...others].join(delimiter) };
  }
  if (listed.length > 0) {
    throw new MaasError('KUBECONFIG_INVALID', `KUBECONFIG names no file that exists: ${listed.join(delimiter)}`);
  }

  const home = join(choice.home ?? homedir(), '.kube', 'config');
  if (existsSync(home)) return { config: readFile(home), origin: home };

  if (choice.env['KUBERNETES_SERVICE_HOST'] !== undefined) {
    const config = new KubeConfig();
    try {
      config.loadFromCluster();
    } catch (cause) {
      throw new MaasError('KUBECONFIG_INVALID', "the pod's service account cannot be used", { cause });
    }
    return { config, origin: "the pod's service account" };
  }
  throw new MaasError('KUBECONFIG_INVALID', `there is no kubeconfig: KUBECONFIG is not set and ${home} does not exist`);
}

function readFile(path: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
    addTokenFiles(config, path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MaasError('KUBECONFIG_INVALID', `${path} cannot be read as a kubeconfig: ${why}`, { cause });
  }
  return config;
}

/** Users with a `tokenFile`, which the library overlooks: the token is read from there, and again as it rotates. */
function addTokenFiles(config: KubeConfig, path: string): void {
  const parsed = withTokenFiles.safeParse(parse(readFileSync(path, 'utf8')));
  const files = new Map((parsed.data?.users ?? []).map(({ name, user }) => [name, user?.tokenFile]));
  config.users = config.getUsers().map((user) => {
    const tokenFile = files.get(user.name);
    if (tokenFile === undefined || user.token !== undefined) return user;
    return { ...user, authProvider: { name: 'tokenFile', config: { tokenFile: resolve(dirname(path), tokenFile) } } };
  });
}

const withTokenFiles = z.object({
  users: z
    .array(z.object({ name: z.string(), user: z.object({ tokenFile: z.string().optional() }).nullish() }))
    .nullish(),
});

/** Adds what `other` defines under names that are not taken. (The library's own merge refuses duplicates.) */
function addMissing(config: KubeConfig, other: KubeConfig): void {
  const missing = <T extends { name: string }>(have: T[], more: T[]): T[] =>
    more.filter((candidate) => !have.some((known) => known.name === candidate.name));
  for (const cluster of missing(config.getClusters(), other.getClusters())) config.addCluster(cluster);
  for (const user of missing(config.getUsers(), other.getUsers())) config.addUser(user);
  for (const context of missing(config.getContexts(), other.getContexts())) config.addContext(context);
  if (!config.getCurrentContext() && other.getCurrentContext()) config.setCurrentContext(other.getCurrentContext());
}
