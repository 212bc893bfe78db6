/** Looks everywhere, and brings home what it saw. Never throws. */
import { specOf } from '../cluster/api-object.ts';
import { asked } from '../cluster/asked.ts';
import { modelsInSight } from '../cluster/models-in-sight.ts';
import { readSettings } from '../cluster/operator-settings.ts';
import type { AboutZooKeeper } from '../options/shared-options.ts';
import type { Cluster, ClusterInspector, HdfsInspector, Ports } from '../ports.ts';
import { withZooKeeper, zookeeperOf } from '../zookeeper/zookeeper-access.ts';
import { readConfigNode, readZooKeeperSide } from '../zookeeper/zookeeper-side.ts';
import type { ModelFacts } from './check-models.ts';
import type { Facts, Leftover, NameserviceFacts } from './facts.ts';
import { gatherCluster } from './gather-cluster.ts';
import { gatherEndpoints } from './gather-endpoints.ts';
import { gatherReferences } from './gather-references.ts';
import { referencesOf } from './references.ts';

/** Stellar has no setting for it. */
const stellarConfigPath = '/metron/maas/config';

export interface Extent extends AboutZooKeeper {
  /** Connect to what is registered? */
  readonly connect: boolean;
  readonly connectTimeoutMs: number;
}

export async function gatherFacts(extent: Extent, ports: Ports, cluster: Cluster): Promise<Facts> {
  const { operatorNamespace } = extent;
  const settings = await asked(() => readSettings(cluster, operatorNamespace));
  const published = settings.known ? settings.value : undefined;
  const named = extent.zookeeper !== undefined || published?.zookeeper !== undefined;
  const inspector = ports.inspect(extent.cluster);
  const [zookeeper, clusterFacts, hdfs, models, leftovers] = await Promise.all([
    named
      ? asked(async () => {
          const where = zookeeperOf(published, extent.zookeeper);
          return await withZooKeeper(ports, where, async (reader) => ({
            quorum: where.quorum,
            side: await readZooKeeperSide(reader, { ...where, forwardTo: published?.legacy.queue.forwardTo }),
            stellarConfig: await readConfigNode(reader, stellarConfigPath),
          }));
        })
      : undefined,
    gatherCluster(inspector, { operator: operatorNamespace, caller: extent.namespace ?? cluster.namespace }, settings),
    published === undefined
      ? []
      : Promise.all(
          Object.keys(published.hdfs.nameservices).map((name) => gatherHdfs(ports.hdfs(published.hdfs), name)),
        ),
    asked(() => gatherModels(extent.namespace, cluster, inspector)),
    asked(() => gatherLeftovers(extent.namespace, cluster, inspector)),
  ]);
  const endpoints =
    extent.connect && zookeeper?.known === true
      ? await gatherEndpoints(zookeeper.value.side, ports, extent.connectTimeoutMs)
      : undefined;
  return { now: ports.clock.now(), settings, zookeeper, endpoints, cluster: clusterFacts, hdfs, models, leftovers };
}

async function gatherModels(
  namespace: string | undefined,
  cluster: Cluster,
  inspector: ClusterInspector,
): Promise<readonly ModelFacts[]> {
  const models = await modelsInSight(cluster, namespace);
  const references = await gatherReferences(
    inspector,
    models.map((model) => referencesOf(specOf(model.object), model.metadata.namespace)),
  );
  return models.map((model, at) => ({ model, references: references[at] ?? [] }));
}

async function gatherLeftovers(
  namespace: string | undefined,
  cluster: Cluster,
  inspector: ClusterInspector,
): Promise<readonly Leftover[]> {
  let where = namespace;
  const uids = async () => {
    const models = await modelsInSight(cluster, namespace, () => {
      where = cluster.namespace;
    });
    return new Set(models.map(({ metadata }) => metadata.uid));
  };
  const before = await uids();
  const lost = (await inspector.pins(where)).filter(({ owner }) => !before.has(owner));
  if (lost.length === 0) return [];
  // What was made meanwhile has an owner.
  const after = await uids();
  return lost.filter(({ owner }) => !after.has(owner));
}

async function gatherHdfs(hdfs: HdfsInspector, name: string): Promise<NameserviceFacts> {
  const [reached, nameNodes] = await Promise.all([asked(() => hdfs.reach(name)), asked(() => hdfs.nameNodes(name))]);
  return { name, reached, nameNodes };
}
