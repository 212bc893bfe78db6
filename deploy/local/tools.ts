/** The command-line tools that the local world uses: kind, Helm and kubectl. */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { built, cacheRoot, keyOf, keyOfFiles, projectRoot } from './cache.ts';
import { goBuild, goInstall } from './go.ts';
import { versions } from './versions.ts';

export const toolsDirectory = join(cacheRoot, 'bin');
const nodeModule = join(projectRoot, 'deploy/local/node');

/** Puts a tool into the directory of tools under its name, and returns that path. */
function publish(name: string, program: string): string {
  mkdirSync(toolsDirectory, { recursive: true });
  const link = join(toolsDirectory, name);
  rmSync(link, { force: true });
  symlinkSync(program, link);
  return link;
}

export async function buildKind(): Promise<string> {
  return publish('kind', await goInstall('kind', 'sigs.k8s.io/kind', versions.kind));
}

export async function buildHelm(): Promise<string> {
  return publish('helm', await goInstall('helm', 'helm.sh/helm/v4/cmd/helm', versions.helm));
}

/** Every program of Kubernetes in one, kubectl among them; returns its path. */
export async function buildKubernetes(): Promise<string> {
  const inputs = ['main.go', 'go.mod', 'go.sum'].map((name) => join(nodeModule, name));
  const key = keyOf(versions.kubernetes, keyOfFiles(inputs));
  const directory = await built('kubernetes', key, async (into) => {
    await goBuild(nodeModule, ['.'], join(into, 'kube'), kubernetesVersionFlags());
  });
  return join(directory, 'kube');
}

/** kubectl: what we built is it, under that name. */
export async function buildKubectl(): Promise<string> {
  return publish('kubectl', await buildKubernetes());
}

function kubernetesVersionFlags(): string {
  const [major, minor] = versions.kubernetes.slice(1).split('.');
  const variable = (name: string, value: string | undefined) => `-X k8s.io/component-base/version.${name}=${value}`;
  return [variable('gitVersion', versions.kubernetes), variable('gitMajor', major), variable('gitMinor', minor)].join(
    ' ',
  );
}
