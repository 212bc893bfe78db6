/** The configuration of our kind clusters. */

export const clusterName = 'maas';
export const nodeContainer = nodeOf(clusterName);
export const podSubnet = '10.244.0.0/16';

/** The container that is a cluster's node. */
export function nodeOf(cluster: string): string {
  return `${cluster}-control-plane`;
}

export interface KindOptions {
  readonly name: string;
  /** Directory with changes to the control plane's pods, in kubeadm's form. */
  readonly patches: string;
  /** Below `networking`. */
  readonly networking: Readonly<Record<string, string>>;
  /** Files of this machine on the node, by their path there. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * One node, with room for as many pods as its /24 has addresses. kubelet accepts a host with the older cgroups, where
 * it would refuse it by default.
 */
export function kindConfig({ name, patches, networking, files = {} }: KindOptions): string {
  const mounts = Object.entries({ '/kind/patches': patches, ...files }).map(
    ([onNode, here]) => `  - hostPath: ${JSON.stringify(here)}
    containerPath: ${onNode}
    readOnly: true
`,
  );
  return `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: ${name}
networking:
${Object.entries(networking)
  .map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`)
  .join('')}nodes:
- role: control-plane
  extraMounts:
${mounts.join('')}kubeadmConfigPatches:
- |
  kind: InitConfiguration
  patches:
    directory: /kind/patches
- |
  kind: KubeletConfiguration
  failCgroupV1: false
  maxPods: 240
`;
}
