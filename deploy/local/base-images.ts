/**
 * The images that our Dockerfiles start FROM. Where an engine cannot pull, images of the same names are made from
 * Debian's packages and the npm package of Node, so that the Dockerfiles themselves are what runs everywhere.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { built, cacheRoot, keyOf, projectRoot } from './cache.ts';
import { needPrograms } from './debian-packages.ts';
import { hasImage } from './engine.ts';
import { dockerBuild } from './image.ts';
import { withLock } from './lock.ts';
import { run, runPiped } from './run.ts';
import { versions } from './versions.ts';

export const debianImage = 'debian:bookworm-slim';
export const nodeImage = 'node:26-bookworm-slim';

/** A Debian root file system with these packages besides the essential ones, made once. */
export async function debianRoot(name: string, packages: readonly string[]): Promise<string> {
  await needPrograms({ debootstrap: 'debootstrap' });
  const mirror = debianMirror();
  const root = await built(name, keyOf(versions.debian, mirror, ...packages), async (into) => {
    await run('debootstrap', [
      '--variant=minbase',
      ...(packages.length > 0 ? [`--include=${packages.join(',')}`] : []),
      versions.debian,
      join(into, 'root'),
      mirror,
    ]);
    for (const useless of [
      'var/cache/apt',
      'var/lib/apt/lists',
      'usr/share/doc',
      'usr/share/man',
      'usr/share/locale',
      'var/log',
    ]) {
      emptyDirectory(join(into, 'root', useless));
    }
  });
  return join(root, 'root');
}

/** The mirror that this machine takes its own packages from. */
export function debianMirror(): string {
  const files = ['/etc/apt/sources.list', ...listDirectory('/etc/apt/sources.list.d')];
  for (const file of files) {
    if (!existsSync(file)) continue;
    const mirror = /https?:\/\/\S+\/debian\/?(?=\s|$)/m.exec(
      readFileSync(file, 'utf8').replaceAll(/^\s*#.*$/gm, ''),
    )?.[0];
    if (mirror) return mirror;
  }
  return 'http://deb.debian.org/debian';
}

/** Makes debian:bookworm-slim unless the engine has it. */
export async function makeDebianImage(): Promise<void> {
  await makeUnlessPresent(debianImage, versions.debian, async (label) => {
    const root = await debianRoot('debian-slim', ['ca-certificates']);
    await importRoot(root, debianImage, [`LABEL ${label}`, 'CMD ["bash"]']);
  });
}

/** Makes node:26-bookworm-slim, on debian:bookworm-slim, unless the engine has it. */
export async function makeNodeImage(): Promise<void> {
  const node = join(projectRoot, 'node_modules/node');
  const { version } = JSON.parse(readFileSync(join(node, 'package.json'), 'utf8')) as { version: string };
  await makeUnlessPresent(nodeImage, version, async (label) => {
    const source = { name: nodeImage, folder: 'deploy/images/node-base', added: { node: join(node, 'bin/node') } };
    await dockerBuild(source, nodeImage, ['--label', label]);
  });
}

/** The label says what the image was made from, because its name stays the same when that changes. */
async function makeUnlessPresent(name: string, content: string, make: (label: string) => Promise<void>): Promise<void> {
  await withLock(join(cacheRoot, 'locks', keyOf(name)), async () => {
    if (await hasImage(name)) {
      const format = '{{index .Config.Labels "maas.dev/content"}}';
      if ((await run('docker', ['image', 'inspect', '--format', format, name])).trim() === content) return;
    }
    await make(`maas.dev/content=${content}`);
  });
}

export async function importRoot(root: string, name: string, changes: readonly string[]): Promise<void> {
  const path = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const options = [path, ...changes].flatMap((change) => ['--change', change]);
  await runPiped(['tar', '-C', root, '--numeric-owner', '-c', '.'], ['docker', 'import', ...options, '-', name]);
}

function listDirectory(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [];
}

function emptyDirectory(directory: string): void {
  for (const entry of listDirectory(directory)) rmSync(entry, { recursive: true, force: true });
}
