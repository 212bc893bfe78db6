/** A world in which all is well, for the commands that look around: cluster, ZooKeeper, HDFS, addresses. */
import type { ClusterInspector, HdfsInspector } from '../../src/cli/ports.ts';
import { customResourceDefinition } from '../../src/contracts/crd.ts';
import { MaasError } from '../../src/contracts/errors.ts';
import { cliPorts, type Looking } from './cli-ports.ts';
import { keyOf, ModelStore } from './model-store.ts';
import { publishedSettings, wellNow, wellTree } from './well-facts.ts';
import type { ZnodeTree } from './znode-tree.ts';

export const wellInspector: ClusterInspector = {
  crd: async () => ({
    ...customResourceDefinition(),
    status: { conditions: [{ type: 'Established', status: 'True' }] },
  }),
  clusterUid: async () => 'here',
  operators: async () => [
    {
      metadata: { name: 'maas-operator' },
      spec: { replicas: 1, template: { spec: { serviceAccountName: 'maas' } } },
      status: { readyReplicas: 1 },
    },
  ],
  lease: async () => ({
    spec: { holderIdentity: 'one', renewTime: new Date(wellNow).toISOString(), leaseDurationSeconds: 15 },
  }),
  can: async () => true,
  keysOf: async () => [],
  pins: async () => [],
  namespaceExists: async () => true,
  nodes: async () => [],
};
/** There is a payload at each path below /m. */
export const wellHdfs: HdfsInspector = {
  reach: async () => {},
  nameNodes: async () => [{ address: 'http://nn1:9870', role: 'active', safeMode: false, problem: undefined }],
  payload: async (path) => {
    if (!path.startsWith('/m/')) throw new MaasError('HDFS_PATH_MISSING', `There is nothing at ${path}`);
    return { path, script: 'run.sh', files: 1, bytes: 10 };
  },
};

/** @param settings that are published; null publishes none */
export function wellWorld(
  tree: ZnodeTree,
  looking: Partial<Looking> = {},
  settings: object | null = publishedSettings,
) {
  const store = new ModelStore();
  if (settings !== null) {
    const key = keyOf('maas-system', 'maas-operator-settings');
    store.configMaps.set(key, { 'settings.json': JSON.stringify(settings) });
  }
  const quorums: string[] = [];
  const ports = cliPorts({
    cluster: store.cluster(),
    looking: {
      zookeeper: ({ quorum }) => {
        quorums.push(quorum);
        return tree;
      },
      inspect: () => wellInspector,
      hdfs: () => wellHdfs,
      touch: async () => ({ outcome: 'connected' }),
      ...looking,
    },
  });
  return { store, ports, quorums };
}

/** Clients see no model: one registration cannot be read. */
export const garbage = () => wellTree().put('/maas/service/spam/1', 'garbage');
