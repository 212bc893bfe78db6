/** What doctor sees where everything is well; tests spoil one thing at a time. */

import type { PublishedSettings } from '../../src/cli/cluster/operator-settings.ts';
import { crdFacts } from '../../src/cli/doctor/crd-facts.ts';
import type { Facts } from '../../src/cli/doctor/facts.ts';
import { readConfigNode, readZooKeeperSide } from '../../src/cli/zookeeper/zookeeper-side.ts';
import { customResourceDefinition } from '../../src/contracts/crd.ts';
import { ZnodeTree } from './znode-tree.ts';

export const defaultConfig =
  '{"queue":"ZOOKEEPER","queueConfig":{"zk_path":"/maas/queue"},"serviceRoot":"/maas/service"}';

export const wellNow = Date.parse('2026-01-01T01:00:00Z');

export const publishedSettings: PublishedSettings = {
  hdfs: { nameservices: { lake: { webhdfs: ['http://nn1:9870', 'http://nn2:9870'], authorities: [] } }, user: 'maas' },
  zookeeper: {
    quorum: 'zk:2181',
    configPath: '/metron/maas/config',
    operatorRoot: '/maas/operator',
    sessionTimeoutMs: 10_000,
  },
  clusterId: 'here',
  namespaces: [],
  payloadRoot: 'maas/models',
  legacy: { readFrom: 'Store', queue: { enabled: false, namespaces: [], memory: { incrementMb: 1, maximumMb: null } } },
};

export function wellTree(): ZnodeTree {
  return new ZnodeTree().put('/metron/maas/config', defaultConfig).put('/maas/service').put('/maas/queue').register();
}

/** What is seen of ZooKeeper in this tree. */
export async function zookeeperFacts(tree: ZnodeTree, configPath = '/metron/maas/config'): Promise<Facts['zookeeper']> {
  return {
    known: true,
    value: {
      quorum: 'zk:2181',
      side: await readZooKeeperSide(tree, { configPath, operatorRoot: '/maas/operator' }),
      stellarConfig: await readConfigNode(tree, '/metron/maas/config'),
    },
  };
}

export async function wellFacts(tree = wellTree()): Promise<Facts> {
  const permission = { verb: 'get', resource: 'pods', namespace: undefined, allowed: true, why: 'to look.' };
  const crd = {
    ...customResourceDefinition(),
    status: { conditions: [{ type: 'Established', status: 'True' }] },
  };
  return {
    now: wellNow,
    settings: { known: true, value: publishedSettings },
    zookeeper: await zookeeperFacts(tree),
    endpoints: [{ host: 'node7', port: 22_201, paths: ['/maas/service/dga/dga-1'], touch: { outcome: 'connected' } }],
    cluster: {
      namespace: 'maas-system',
      crd: { known: true, value: crdFacts(crd) },
      operators: { known: true, value: [{ name: 'maas-operator', wanted: 2, ready: 2, serviceAccount: 'maas' }] },
      lease: { known: true, value: { holder: 'one', renewedAt: wellNow - 2_000, durationMs: 15_000 } },
      operatorMay: { known: true, value: [permission] },
      callerMay: { known: true, value: [permission] },
    },
    models: { known: true, value: [] },
    leftovers: { known: true, value: [] },
    hdfs: [
      {
        name: 'lake',
        reached: { known: true, value: undefined },
        nameNodes: {
          known: true,
          value: [
            { address: 'http://nn1:9870', role: 'active', safeMode: false, problem: undefined },
            { address: 'http://nn2:9870', role: 'standby', safeMode: false, problem: undefined },
          ],
        },
      },
    ],
  };
}
