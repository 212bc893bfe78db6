/**
 * A second node for our cluster, for the tests that drain one: a container of the same node image that joins as kind's
 * own workers do. Its taint keeps everything away that does not ask for it, and it is removed after the test.
 */
import { nodeImageInUse } from './cluster.ts';
import { networkName } from './network.ts';
import { nodeImageName } from './node-image.ts';
import { podNetwork } from './pod-network.ts';
import { run, succeeds } from './run.ts';
import type { WorldCluster } from './world.ts';

export interface SecondNode {
  /** Of the node and of its container. */
  readonly name: string;
  /** What a pod tolerates that may run there. */
  readonly toleration: { readonly key: string; readonly operator: 'Exists' };
}

interface Cluster extends Pick<WorldCluster, 'name' | 'kubeconfig' | 'podsReachable'> {
  readonly nodeContainer: string;
  readonly kubectl: string;
}

const taint = 'maas.dev/second-node';

export function secondNodeOf({ name }: Pick<Cluster, 'name'>): SecondNode {
  return { name: `${name}-worker`, toleration: { key: taint, operator: 'Exists' } };
}

/** Makes it; one that an earlier run has left is removed first. */
export async function addSecondNode(cluster: Cluster): Promise<SecondNode> {
  const node = secondNodeOf(cluster);
  const { nodeContainer: first } = cluster;
  await removeSecondNode(cluster);
  const image = await nodeImageInUse(first);
  await run('docker', [
    ...['run', '--detach', '--tty', '--privileged', '--cgroupns', 'private', '--init=false'],
    ...['--name', node.name, '--hostname', node.name, '--network', networkName],
    // Our engine has no name server.
    ...['--add-host', `${first}:${await addressOf(first)}`],
    ...['--label', `io.x-k8s.kind.cluster=${cluster.name}`, '--label', 'io.x-k8s.kind.role=worker'],
    ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
    ...['--tmpfs', '/tmp', '--tmpfs', '/run', '--volume', '/var', '--volume', '/lib/modules:/lib/modules:ro'],
    image,
  ]);
  await until('containerd runs', () => inside(node.name, 'ctr', 'version'));
  const address = await addressOf(node.name);
  const token = (await exec(first, 'kubeadm', 'token', 'create', '--ttl', '10m')).trim();
  await write(node.name, '/kind/kubeadm.conf', joinConfiguration(`${first}:6443`, token, address));
  await exec(node.name, 'kubeadm', 'join', '--config', '/kind/kubeadm.conf');
  const pods = await podsGivenTo(cluster, node.name);
  // kind's own image brings a pod network along that knows of nodes.
  if (image.startsWith(`${nodeImageName}:`)) {
    await write(node.name, '/etc/cni/net.d/10-pods.conflist', JSON.stringify(podNetwork([pods])));
    await exec(first, 'ip', 'route', 'replace', pods, 'via', address);
    await exec(node.name, 'ip', 'route', 'replace', await podsOf(cluster, first), 'via', await addressOf(first));
  }
  if (cluster.podsReachable) await run('ip', ['route', 'replace', pods, 'via', address]);
  await kubectl(cluster, 'wait', '--for=condition=Ready', `node/${node.name}`, '--timeout=180s');
  return node;
}

/** Removes it, whatever of it there is. */
export async function removeSecondNode(cluster: Cluster): Promise<void> {
  const { name } = secondNodeOf(cluster);
  const pods = await podsOf(cluster, name);
  await kubectl(cluster, 'delete', 'node', name, '--ignore-not-found', '--timeout=60s');
  if ((await run('docker', ['ps', '--all', '--quiet', '--filter', `name=^${name}$`])).trim() !== '')
    await run('docker', ['rm', '--force', '--volumes', name]);
  if (pods === '') return;
  await inside(cluster.nodeContainer, 'ip', 'route', 'delete', pods);
  if (cluster.podsReachable) await succeeds('ip', ['route', 'delete', pods]);
}

function joinConfiguration(apiServer: string, token: string, address: string): string {
  return JSON.stringify({
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'JoinConfiguration',
    // As kind does it: both are containers in a network of ours.
    discovery: { bootstrapToken: { apiServerEndpoint: apiServer, token, unsafeSkipCAVerification: true } },
    nodeRegistration: {
      criSocket: 'unix:///run/containerd/containerd.sock',
      kubeletExtraArgs: [{ name: 'node-ip', value: address }],
      taints: [{ key: taint, effect: 'NoSchedule' }],
    },
    skipPhases: ['preflight'],
  });
}

function kubectl({ kubectl: program, kubeconfig }: Cluster, ...args: string[]): Promise<string> {
  return run(program, ['--kubeconfig', kubeconfig, ...args]);
}

/** Waits for the addresses that a node is given for its pods. `kubeadm join` ends before the kubelet has made the node. */
async function podsGivenTo(cluster: Cluster, node: string): Promise<string> {
  await kubectl(cluster, 'wait', '--for=create', `node/${node}`, '--timeout=180s');
  await kubectl(cluster, 'wait', '--for=jsonpath={.spec.podCIDR}', `node/${node}`, '--timeout=60s');
  return podsOf(cluster, node);
}

/** The addresses that a node has for its pods; empty for a node that is not there or has none yet. */
async function podsOf(cluster: Cluster, node: string): Promise<string> {
  const cidr = ['--ignore-not-found', '--output', 'jsonpath={.spec.podCIDR}'];
  return (await kubectl(cluster, 'get', 'node', node, ...cidr)).trim();
}

async function addressOf(container: string): Promise<string> {
  const format = `{{(index .NetworkSettings.Networks "${networkName}").IPAddress}}`;
  return (await run('docker', ['container', 'inspect', '--format', format, container])).trim();
}

function exec(container: string, ...command: string[]): Promise<string> {
  return run('docker', ['exec', container, ...command]);
}

function inside(container: string, ...command: string[]): Promise<boolean> {
  return succeeds('docker', ['exec', container, ...command]);
}

async function write(container: string, path: string, text: string): Promise<void> {
  await run('docker', ['exec', '--interactive', container, 'sh', '-c', 'cat > "$1"', 'sh', path], { input: text });
}

async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 120_000;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not within two minutes: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
