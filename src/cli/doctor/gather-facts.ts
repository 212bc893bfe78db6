/** Looks everywhere, and brings home what it saw. Never throws. */
import { asked } from '../asked.ts';
import type { DoctorCommand } from '../command.ts';
import { readSettings } from '../operator-settings.ts';
import type { Cluster, HdfsReader, Ports } from '../ports.ts';
import { withZooKeeper, zookeeperOf } from '../zookeeper-access.ts';
import { readConfigNode, readZooKeeperSide } from '../zookeeper-side.ts';
import type { Facts, NameserviceFacts } from './facts.ts';
import { gatherCluster } from './gather-cluster.ts';
import { gatherEndpoints } from './gather-endpoints.ts';

/** Stellar has no setting for it. */
const stellarConfigPath = '/metron/maas/config';

export async function gatherFacts(command: DoctorCommand, ports: Ports, cluster: Cluster): Promise<Facts> {
  const { operatorNamespace } = command;
  const settings = await asked(() => readSettings(cluster, operatorNamespace));
  const published = settings.known ? settings.value : undefined;
  const named = command.zookeeper !== undefined || published?.zookeeper !== undefined;
  const [zookeeper, clusterFacts, hdfs] = await Promise.all([
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
    gatherCluster(
      ports.inspect(command.cluster),
      { operator: operatorNamespace, caller: command.namespace ?? cluster.namespace },
      settings,
    ),
    published === undefined
      ? []
      : Promise.all(
          Object.keys(published.hdfs.nameservices).map((name) => gatherHdfs(ports.hdfs(published.hdfs), name)),
        ),
  ]);
  const endpoints =
    command.connect && zookeeper?.known === true
      ? await gatherEndpoints(zookeeper.value.side, ports, command.connectTimeoutMs)
      : undefined;
  return { now: ports.clock.now(), settings, zookeeper, endpoints, cluster: clusterFacts, hdfs };
}

async function gatherHdfs(hdfs: HdfsReader, name: string): Promise<NameserviceFacts> {
  const [reached, nameNodes] = await Promise.all([asked(() => hdfs.reach(name)), asked(() => hdfs.nameNodes(name))]);
  return { name, reached, nameNodes };
}
