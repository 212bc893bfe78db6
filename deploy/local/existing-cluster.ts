/** The cluster of the current kubeconfig, where the user asked for it. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { kindClusterOf } from './cluster-choice.ts';
import { networkName } from './network.ts';
import { run } from './run.ts';
import type { WorldCluster } from './world.ts';

export interface ExistingCluster {
  readonly cluster: WorldCluster;
  /** The nodes, when it is kind on our engine. */
  readonly nodes: readonly string[];
}

/** What the current context of the user's kubeconfig is. */
export async function findExistingCluster(kubectl: string): Promise<ExistingCluster> {
  const kubeconfig = process.env['KUBECONFIG'] || join(homedir(), '.kube/config');
  const context = (await run(kubectl, ['--kubeconfig', kubeconfig, 'config', 'current-context'])).trim();
  await run(kubectl, ['--kubeconfig', kubeconfig, 'get', '--raw', '/readyz'], { timeoutMs: 15_000 });
  const name = kindClusterOf(context);
  const nodes = name === undefined ? [] : await kindNodes(name);
  return {
    cluster: {
      kind: 'existing',
      name: name ?? context,
      kubeconfig,
      context,
      nodeContainer: nodes[0] ?? null,
      podsReachable: false,
    },
    nodes,
  };
}

/** Gives kind's nodes an address in our network too, so that their pods reach ZooKeeper and HDFS. */
export async function connectNodes(nodes: readonly string[]): Promise<void> {
  for (const node of nodes) {
    const format = '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}';
    const networks = (await run('docker', ['container', 'inspect', '--format', format, node])).trim().split(' ');
    if (!networks.includes(networkName)) await run('docker', ['network', 'connect', networkName, node]);
  }
}

async function kindNodes(cluster: string): Promise<string[]> {
  const label = `label=io.x-k8s.kind.cluster=${cluster}`;
  return (await run('docker', ['ps', '--filter', label, '--format', '{{.Names}}'])).split('\n').filter(Boolean);
}
