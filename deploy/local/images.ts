/** The images that run in the cluster: built when their content changed, and given to the node when it lacks them. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from './cache.ts';
import { imagesOnNode } from './cluster.ts';
import { buildImage, type ImageSource, imageName } from './image.ts';
import { run } from './run.ts';

export const runtimeImage: ImageSource = { name: 'maas-runtime', folder: 'deploy/images/runtime' };

const bundle = (name: string) => join(projectRoot, 'dist', name);

export const operatorImage: ImageSource = {
  name: 'maas-operator',
  folder: 'deploy/images/operator',
  added: Object.fromEntries(['operator.cjs', 'agent.cjs', 'payload-cache.cjs'].map((name) => [name, bundle(name)])),
};

/** Bundles the programs of the operator's image from the sources as they are now. */
export async function bundlePrograms(...programs: string[]): Promise<void> {
  const missing = programs.filter((program) => !existsSync(join(projectRoot, 'src/bin', `${program}.ts`)));
  if (missing.length > 0)
    throw new Error(`no source yet for: ${missing.map((program) => `src/bin/${program}.ts`).join(', ')}`);
  await run(process.execPath, [join(projectRoot, 'build.ts'), ...programs]);
}

/** A kind cluster to load images into: by its nodes' names, and by the program that does it. */
export interface ImageTarget {
  readonly kind: string;
  readonly cluster: string;
  readonly node: string;
}

/** Builds an image and loads it into a kind cluster; either only when needed. Returns the full name. */
export async function buildAndLoad(target: ImageTarget, source: ImageSource): Promise<string> {
  const name = imageName(source);
  if (!(await imagesOnNode(target.node)).has(`docker.io/library/${name}`)) {
    await buildImage(source);
    await load(target, name);
  }
  return name;
}

/** Gives images of the engine to a kind cluster: to the node that is named, or to all of its nodes. */
export async function load(
  { kind, cluster, node }: Omit<ImageTarget, 'node'> & { readonly node?: string },
  ...names: readonly string[]
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'maas-load-'));
  try {
    const archive = join(directory, 'image.tar');
    await run('docker', ['save', '--output', archive, ...names]);
    const nodes = node === undefined ? [] : ['--nodes', node];
    await run(kind, ['load', 'image-archive', archive, '--name', cluster, ...nodes]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
