/** Looks everywhere, and brings home what it saw. Never throws. */
import { hasCode } from '../../contracts/errors.ts';
import { asked } from '../cluster/asked.ts';
import { readModel } from '../cluster/model.ts';
import { readSettings } from '../cluster/operator-settings.ts';
import type { DoctorCommand } from '../command.ts';
import type { Cluster, ClusterInspector, HdfsReader, Ports } from '../ports.ts';
import { withZooKeeper, zookeeperOf } from '../zookeeper/zookeeper-access.ts';
import { readConfigNode, readZooKeeperSide } from '../zookeeper/zookeeper-side.ts';
import type { ModelFacts } from './check-models.ts';
import type { Facts, NameserviceFacts } from './facts.ts';
import { gatherCluster } from './gather-cluster.ts';
import { gatherEndpoints } from './gather-endpoints.ts';
import { gatherReferences } from './gather-references.ts';
import { referencesOf, specOf } from './references.ts';

/** Stellar has no setting for it. */
const stellarConfigPath = '/metron/maas/config';

export async function gatherFacts(command: DoctorCommand, ports: Ports, cluster: Cluster): Promise<Facts> {
  const { operatorNamespace } = command;
  const settings = await asked(() => readSettings(cluster, operatorNamespace));
  const published = settings.known ? settings.value : undefined;
  const named = command.zookeeper !== undefined || published?.zookeeper !== undefined;
  const inspector = ports.inspect(command.cluster);
  const [zookeeper, clusterFacts, hdfs, models] = await Promise.all([
    named
      ? asked(async () => {
          const where = zookeeperOf(published, command.zookeeper);
          return await withZooKeeper(ports, where, async (reader) => ({
            quorum: where.quorum,
            side: await readZooKeeperSide(reader, { ...where, forwardTo: published?.legacy.queue.forwardTo }),
            stellarConfig: await readConfigNode(reader, stellarConfigPath),
          }));
        })
      : undefined,
    gatherCluster(inspector, { operator: operatorNamespace, caller: command.namespace ?? cluster.namespace }, settings),
    published === undefined
      ? []
      : Promise.all(
          Object.keys(published.hdfs.nameservices).map((name) => gatherHdfs(ports.hdfs(published.hdfs), name)),
        ),
    asked(() => gatherModels(command, cluster, inspector)),
  ]);
  const endpoints =
    command.connect && zookeeper?.known === true
      ? await gatherEndpoints(zookeeper.value.side, ports, command.connectTimeoutMs)
      : undefined;
  return { now: ports.clock.now(), settings, zookeeper, endpoints, cluster: clusterFacts, hdfs, models };
}

/** Of all namespaces; of one's own for those who may look at no other. */
async function gatherModels(
  command: DoctorCommand,
  cluster: Cluster,
  inspector: ClusterInspector,
): Promise<readonly ModelFacts[]> {
  const list = async () => {
    if (command.namespace !== undefined) return cluster.list(command.namespace);
    try {
      return await cluster.list(undefined);
    } catch (error) {
      if (!hasCode(error, 'CLUSTER_FORBIDDEN')) throw error;
      return cluster.list(cluster.namespace);
    }
  };
  const models = (await list()).map(readModel);
  const references = await gatherReferences(
    inspector,
    models.map((model) => referencesOf(specOf(model.object), model.metadata.namespace)),
  );
  return models.map((model, at) => ({ model, references: references[at] ?? [] }));
}

async function gatherHdfs(hdfs: HdfsReader, name: string): Promise<NameserviceFacts> {
  const [reached, nameNodes] = await Promise.all([asked(() => hdfs.reach(name)), asked(() => hdfs.nameNodes(name))]);
  return { name, reached, nameNodes };
}
