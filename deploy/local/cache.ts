/**
 * Where the local world keeps what it builds and what it runs, outside the source tree. What is built is kept under
 * a key of everything it was made from, so a changed version is built beside the old one and nothing is ever stale.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.ts';

/** The source tree. */
export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** The cache directory that these variables ask for: MAAS_CACHE, or maas-operator in the user's cache directory. */
export function cacheDirectoryFor(env: NodeJS.ProcessEnv, home: string): string {
  if (env['MAAS_CACHE']) return resolve(env['MAAS_CACHE']);
  return join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'maas-operator');
}

export const cacheRoot = cacheDirectoryFor(process.env, homedir());

/** State of the running world: env.json, kubeconfig, logs, the private engine's data. */
export const localState = join(cacheRoot, 'local');

/** A short digest of everything that decides what a build makes: texts, versions, file contents. */
export function keyOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    // The length keeps ['ab', 'c'] apart from ['a', 'bc'].
    hash.update(`${part.length}:`).update(part);
  }
  return hash.digest('hex').slice(0, 12);
}

/** The key of files, by name and content. */
export function keyOfFiles(files: readonly string[]): string {
  return keyOf(...files.flatMap((file) => [file.slice(file.lastIndexOf('/') + 1), readFileSync(file)]));
}

/**
 * The directory `<cache>/built/<name>-<key>`, made by `build` when it is not there yet. It appears only when the
 * build has succeeded; two programs that want the same one wait for each other.
 */
export async function built(name: string, key: string, build: (into: string) => Promise<void>): Promise<string> {
  return await builtIn(cacheRoot, name, key, build);
}

/** The same in another cache directory. */
export async function builtIn(
  cache: string,
  name: string,
  key: string,
  build: (into: string) => Promise<void>,
): Promise<string> {
  const wanted = join(cache, 'built', `${name}-${key}`);
  if (existsSync(wanted)) return wanted;
  return await withLock(join(cache, 'locks', `${name}-${key}`), async () => {
    if (existsSync(wanted)) return wanted;
    const half = `${wanted}.half`;
    rmSync(half, { recursive: true, force: true });
    mkdirSync(half, { recursive: true });
    await build(half);
    renameSync(half, wanted);
    return wanted;
  });
}
