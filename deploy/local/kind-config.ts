/** The configuration of our kind cluster. */

export const clusterName = 'maas';
export const nodeContainer = `${clusterName}-control-plane`;
export const podSubnet = '10.244.0.0/16';

/**
 * One node, with room for as many pods as its /24 has addresses. kubelet accepts a host with the older cgroups, where
 * it would refuse it by default.
 * @param patches directory with changes to the control plane's pods, in kubeadm's form
 */
export function kindConfig(patches: string): string {
  return `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: ${clusterName}
networking:
  podSubnet: ${podSubnet}
nodes:
- role: control-plane
  extraMounts:
  - hostPath: ${JSON.stringify(patches)}
    containerPath: /kind/patches
    readOnly: true
kubeadmConfigPatches:
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
