/**
 * Clusters whose pods have IPv6 addresses, alone or beside IPv4 ones: made for a test, in a network of their own, from
 * the node image of our cluster, and removed after it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localState } from './cache.ts';
import { createCluster, deleteCluster, nodeImageInUse } from './cluster.ts';
import { ensureNetwork, removeNetwork } from './network.ts';
import { nodeImageName } from './node-image.ts';
import { podNetwork } from './pod-network.ts';
import type { WorldTools } from './world.ts';

/** `dual`: IPv4 first, so that it is the address that pods are known by. */
export const families = ['ipv6', 'dual'] as const;
export type Family = (typeof families)[number];

export const familyNetwork = 'maas-ipv6';
/** Locally assigned, and nobody's default. */
const subnet6 = 'fd4d:6161:7300::/64';
/** An address in it. */
export const address6 = (host: number) => `fd4d:6161:7300::${host.toString(16)}`;

const podSubnets = {
  ipv6: ['fd00:10:244::/56'],
  dual: ['10.244.0.0/16', 'fd00:10:244::/56'],
} as const;

export interface FamilyCluster {
  readonly name: string;
  readonly kubeconfig: string;
}

export function familyCluster(family: Family): FamilyCluster {
  const name = `maas-${family}`;
  return { name, kubeconfig: join(localState, `kubeconfig-${name}`) };
}

/**
 * Makes the cluster; one that an earlier run has left is removed first.
 * @param node of the cluster whose node image is taken
 */
export async function createFamilyCluster(
  family: Family,
  { kind, kubectl }: Pick<WorldTools, 'kind' | 'kubectl'>,
  node: string,
): Promise<FamilyCluster> {
  const cluster = familyCluster(family);
  await deleteFamilyCluster(family);
  await ensureNetwork(familyNetwork, ['--ipv6', '--subnet', subnet6, '--gateway', address6(1)]);
  const used = await nodeImageInUse(node);
  // kind's own image brings its pod network along.
  const ours = used.startsWith(`${nodeImageName}:`);
  const pods = podSubnets[family];
  await createCluster({
    ...{ kind, kubectl, network: familyNetwork, ...cluster },
    image: used,
    // The engine need not know how to publish a port on ::1.
    networking: { ipFamily: family, podSubnet: pods.join(','), apiServerAddress: '127.0.0.1' },
    files: ours ? { '/etc/cni/net.d/10-pods.conflist': writePodNetwork(family) } : {},
  });
  return cluster;
}

export async function deleteFamilyCluster(family: Family): Promise<void> {
  const { name, kubeconfig } = familyCluster(family);
  await deleteCluster(name, familyNetwork, kubeconfig);
}

/** Removes everything that these clusters need or have left. */
export async function removeFamilies(): Promise<void> {
  for (const family of families) await deleteFamilyCluster(family);
  await removeNetwork(familyNetwork);
}

/** As the node image has it, for other addresses. */
function writePodNetwork(family: Family): string {
  const directory = join(localState, `pod-network-${family}`);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, '10-pods.conflist');
  writeFileSync(file, JSON.stringify(podNetwork(firstPods(family)), undefined, 2));
  return file;
}

/** The first part of each subnet is the first node's. */
export function firstPods(family: Family): string[] {
  return podSubnets[family].map((subnet) => subnet.replace(/\/\d+$/, subnet.includes(':') ? '/64' : '/24'));
}
