/** The cluster of the current kubeconfig, where the user asked for it. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { localState } from './cache.ts';
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
  mkdirSync(localState, { recursive: true });
  const kubeconfig = join(localState, 'existing-kubeconfig');
  writeCurrentContext(kubectl, process.env, kubeconfig);
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

/**
 * The current context alone as a file of its own: a kubeconfig may be several files, and say things relative to them.
 * It has credentials in it, so it goes to the file without passing by a log.
 */
export function writeCurrentContext(kubectl: string, env: NodeJS.ProcessEnv, into: string): void {
  const file = openSync(into, 'w', 0o600);
  try {
    execFileSync(kubectl, ['config', 'view', '--raw', '--flatten', '--minify'], {
      env,
      stdio: ['ignore', file, 'pipe'],
    });
  } finally {
    closeSync(file);
  }
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
