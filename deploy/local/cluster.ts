/** The Kubernetes cluster: kind on our engine, in a network of our own, with a kubeconfig of its own. */
import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localState } from './cache.ts';
import { clusterName, type KindOptions, kindConfig, nodeContainer, podSubnet } from './kind-config.ts';
import { networkName } from './network.ts';
import { run, succeeds } from './run.ts';

export const kubeconfig = join(localState, 'kubeconfig');

/** Does our cluster run and answer? */
export async function clusterAnswers(kubectl: string): Promise<boolean> {
  if (!existsSync(kubeconfig)) return false;
  const status = await run('docker', ['container', 'inspect', '--format', '{{.State.Status}}', nodeContainer]).catch(
    () => '',
  );
  if (status.trim() !== 'running') return false;
  return await succeeds(kubectl, ['--kubeconfig', kubeconfig, 'get', '--raw', '/readyz'], { timeoutMs: 10_000 });
}

/**
 * Makes the cluster unless it runs with the wanted node image. A node that stopped is made anew: that takes seconds
 * and always works, which cannot be said of starting it again.
 * @param image the node image; kind's own when undefined
 * @returns whether a cluster was made
 */
export async function ensureCluster(kind: string, kubectl: string, image: string | undefined): Promise<boolean> {
  if (await clusterAnswers(kubectl)) {
    if (image === undefined || (await nodeImageInUse()) === image) return false;
  }
  await deleteCluster();
  await createCluster({
    ...{ kind, kubectl, image, kubeconfig, network: networkName, name: clusterName },
    networking: { podSubnet },
  });
  return true;
}

export interface NewCluster extends Pick<KindOptions, 'name' | 'networking' | 'files'> {
  readonly kind: string;
  readonly kubectl: string;
  /** The node image; kind's own when undefined. */
  readonly image: string | undefined;
  readonly kubeconfig: string;
  readonly network: string;
}

/** Makes a cluster of one node, ready for pods. */
export async function createCluster(cluster: NewCluster): Promise<void> {
  const { kind, kubectl, image, kubeconfig, network, name } = cluster;
  const config = join(localState, `kind-${name}.yaml`);
  // A copy, because the cluster may outlive this checkout.
  const patches = join(localState, `control-plane-${name}`);
  rmSync(patches, { recursive: true, force: true });
  cpSync(join(import.meta.dirname, 'control-plane'), patches, { recursive: true });
  writeFileSync(config, kindConfig({ ...cluster, patches }));
  const args = ['create', 'cluster', '--config', config, '--kubeconfig', kubeconfig, '--wait', '180s'];
  await run(kind, [...args, ...(image === undefined ? [] : ['--image', image])], {
    env: { KIND_EXPERIMENTAL_DOCKER_NETWORK: network, KUBECONFIG: kubeconfig },
  });
  // One is enough for one node, and it need not ask for a tenth of a processor.
  const coredns = ['--kubeconfig', kubeconfig, '--namespace', 'kube-system', 'deployment/coredns'];
  await run(kubectl, ['scale', '--replicas', '1', ...coredns]);
  await run(kubectl, ['set', 'resources', '--requests', 'cpu=10m', ...coredns]);
}

/** Removes a cluster, running or not. Needs no kind, so that it works whatever else is missing. */
export async function deleteCluster(name = clusterName, network = networkName, config = kubeconfig): Promise<void> {
  // In our network: a cluster of the same name that somebody made without us is left alone.
  const filters = ['--filter', `label=io.x-k8s.kind.cluster=${name}`, '--filter', `network=${network}`];
  const nodes = (await run('docker', ['ps', '--all', '--quiet', ...filters])).split('\n').filter(Boolean);
  if (nodes.length > 0) await run('docker', ['rm', '--force', '--volumes', ...nodes]);
  rmSync(config, { force: true });
}

/** Names of the images that a node has. */
export async function imagesOnNode(node: string): Promise<Set<string>> {
  const list = await run('docker', ['exec', node, 'ctr', '--namespace', 'k8s.io', 'images', 'list', '--quiet']);
  return new Set(list.split('\n').filter(Boolean));
}

/** The image that a cluster's node was made from. */
export async function nodeImageInUse(node = nodeContainer): Promise<string> {
  return (await run('docker', ['container', 'inspect', '--format', '{{.Config.Image}}', node])).trim();
}
