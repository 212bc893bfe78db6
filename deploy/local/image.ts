/**
 * Builds our images. The tag is a digest of everything that goes in, so the same content has the same name, is built
 * once, and a pod that names it can never run something else.
 */
import {
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { keyOf, projectRoot } from './cache.ts';
import { hasImage } from './engine.ts';
import { run, succeeds } from './run.ts';

export interface ImageSource {
  /** Repository, without the tag. */
  readonly name: string;
  /** Folder with the Dockerfile and what belongs to it, relative to the project. */
  readonly folder: string;
  /** More for the build: name in the context -> file or directory (of files) on this machine. */
  readonly added?: Readonly<Record<string, string>>;
}

/** `name:<digest of its content>` */
export function imageName(source: ImageSource): string {
  const parts: (string | Uint8Array)[] = [];
  for (const [name, file] of contextOf(source)) parts.push(name, readFileSync(file));
  return `${source.name}:${keyOf(...parts)}`;
}

/** Builds the image unless the engine has it. Returns its full name. */
export async function buildImage(source: ImageSource): Promise<string> {
  const name = imageName(source);
  if (!(await hasImage(name))) {
    await dockerBuild(source, name);
    await removeOtherTags(name);
  }
  return name;
}

/** Removes what an image of this repository was before, so that a cache in daily use does not grow for ever. */
export async function removeOtherTags(name: string): Promise<void> {
  const repository = name.slice(0, name.lastIndexOf(':'));
  const all = await run('docker', ['images', '--format', '{{.Repository}}:{{.Tag}}', repository]);
  for (const other of all.split('\n').filter((each) => each !== '' && each !== name)) {
    await succeeds('docker', ['rmi', other]); // not while a container runs it; then the next time
  }
}

/** `docker build` of a source under any name. */
export async function dockerBuild(source: ImageSource, name: string, options: readonly string[] = []): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'maas-image-'));
  try {
    cpSync(join(projectRoot, source.folder), context, { recursive: true });
    for (const [target, file] of contextOf(source)) {
      mkdirSync(join(context, target, '..'), { recursive: true });
      linkOrCopy(file, join(context, target));
    }
    // The host's network, because a private engine has no bridge; works with and without BuildKit.
    await run('docker', ['build', '--network', 'host', '--tag', name, ...options, context], {
      env: { BUILDKIT_PROGRESS: 'plain' },
    });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** Every file of the build, as [name in the context, path], in a fixed order. */
function contextOf(source: ImageSource): [string, string][] {
  const files: [string, string][] = [];
  const walk = (target: string, path: string) => {
    if (!statSync(path).isDirectory()) files.push([target, path]);
    else for (const entry of readdirSync(path).sort()) walk(join(target, entry), join(path, entry));
  };
  const folder = join(projectRoot, source.folder);
  for (const entry of readdirSync(folder).sort()) walk(entry, join(folder, entry));
  for (const [target, path] of Object.entries(source.added ?? {})) walk(target, path);
  return files.filter(([name]) => basename(name) !== 'pom.xml');
}

function linkOrCopy(from: string, to: string): void {
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to); // another file system
  }
}
