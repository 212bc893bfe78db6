/** `kubectl maas status`: for each model and version, what runs here and what clients find in ZooKeeper. */
import { hasCode } from '../contracts/errors.ts';
import { visible } from '../kernel/shown-text.ts';
import { type Model, readModel } from './cluster/model.ts';
import type { StatusCommand } from './command.ts';
import { counted } from './output/counted.ts';
import { type Cluster, type Ports, roomOf } from './ports.ts';
import { printStatus } from './zookeeper/print-status.ts';
import { statusView } from './zookeeper/status-view.ts';
import { clusterIdOf, findZooKeeper, withZooKeeper } from './zookeeper/zookeeper-access.ts';
import { readZooKeeperSide } from './zookeeper/zookeeper-side.ts';

/** @throws MaasError CLUSTER_*, SETTINGS_*, ZOOKEEPER_* */
export async function status(command: StatusCommand, ports: Ports, cluster: Cluster): Promise<void> {
  const { zookeeper, published } = await findZooKeeper(cluster, command.operatorNamespace, command.zookeeper);
  const [side, models, clusterId] = await Promise.all([
    withZooKeeper(ports, zookeeper, (reader) => readZooKeeperSide(reader, zookeeper)),
    visibleModels(command, ports, cluster),
    clusterIdOf(published, () => ports.inspect(command.cluster).clusterUid()),
  ]);
  const view = statusView({ models, side, clusterId }, { model: command.model, version: command.version });
  const people = command.output === undefined || command.output === 'table' || command.output === 'wide';
  if (people && side.config.problem !== undefined) note(ports, side.config.problem);
  if (people && side.directories.state === 'hidden') note(ports, side.directories.problem);
  if (people && view.unreadable.length > 0) {
    const what = `clients cannot read ${counted(view.unreadable.length, 'registration')}`;
    note(ports, `${what}, which hides all models from them: see \`kubectl maas doctor\``);
  }
  if (people && view.queued !== null && view.queued > 0) {
    note(ports, `the queue of the old deploy client holds ${counted(view.queued, 'request')}`);
  }
  if (people && view.items.length === 0) ports.err.write('No models found.\n');
  else ports.out.write(printStatus(view, command.output, { colour: ports.out.colour, width: roomOf(ports.out) }));
}

/** Of all namespaces, since clients see them all; of one's own for who may look at no other. */
async function visibleModels(command: StatusCommand, ports: Ports, cluster: Cluster): Promise<readonly Model[]> {
  if (command.namespace !== undefined) return (await cluster.list(command.namespace)).map(readModel);
  try {
    return (await cluster.list(undefined)).map(readModel);
  } catch (error) {
    if (!hasCode(error, 'CLUSTER_FORBIDDEN')) throw error;
    note(ports, `only resources of namespace ${cluster.namespace} are shown: you may not list those of all`);
    return (await cluster.list(cluster.namespace)).map(readModel);
  }
}

function note(ports: Ports, text: string): void {
  ports.err.write(`${visible(`note: ${text}`)}\n`);
}
