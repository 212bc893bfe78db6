/**
 * Several kubeconfigs as one: of each name the first file's entry counts, whole, and of the current contexts the first
 * that is named. Paths that an entry gives are relative to the file that has it.
 */
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { ClusterEntry, ContextEntry, Kubeconfig, UserEntry } from './read.ts';

export interface KubeconfigFile {
  readonly path: string;
  readonly config: Kubeconfig;
}

/** An entry and the file it is from. */
export type From<T> = T & { readonly file: string };

export interface MergedKubeconfig {
  readonly clusters: ReadonlyMap<string, From<ClusterEntry>>;
  readonly users: ReadonlyMap<string, From<UserEntry>>;
  readonly contexts: ReadonlyMap<string, From<ContextEntry>>;
  readonly currentContext: string;
  /** The files that were there, in their order. */
  readonly files: readonly string[];
}

export function mergeKubeconfigs(files: readonly KubeconfigFile[]): MergedKubeconfig {
  return {
    clusters: firstOf(files, ({ clusters }) => clusters, clusterFrom),
    users: firstOf(files, ({ users }) => users, userFrom),
    contexts: firstOf(
      files,
      ({ contexts }) => contexts,
      (entry, file) => ({ ...entry, file }),
    ),
    currentContext: files.map(({ config }) => config.currentContext).find((name) => name !== '') ?? '',
    files: files.map(({ path }) => path),
  };
}

function firstOf<T>(
  files: readonly KubeconfigFile[],
  entries: (config: Kubeconfig) => ReadonlyMap<string, T>,
  from: (entry: T, file: string) => From<T>,
): ReadonlyMap<string, From<T>> {
  const merged = new Map<string, From<T>>();
  for (const { path, config } of files) {
    for (const [name, entry] of entries(config)) if (!merged.has(name)) merged.set(name, from(entry, path));
  }
  return merged;
}

function clusterFrom(entry: ClusterEntry, file: string): From<ClusterEntry> {
  return { ...entry, certificateAuthority: beside(file, entry.certificateAuthority), file };
}

function userFrom(entry: UserEntry, file: string): From<UserEntry> {
  const { exec } = entry;
  return {
    ...entry,
    clientCertificate: beside(file, entry.clientCertificate),
    clientKey: beside(file, entry.clientKey),
    tokenFile: beside(file, entry.tokenFile),
    // A command without a slash is looked for on the PATH.
    exec: exec?.command.includes('/') === true ? { ...exec, command: beside(file, exec.command) } : exec,
    file,
  };
}

function beside(file: string, path: string): string {
  return path === '' || isAbsolute(path) ? path : join(resolve(dirname(file)), path);
}
