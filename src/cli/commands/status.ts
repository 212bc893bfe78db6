/** `kubectl maas status`: for each model and version, what runs here and what clients find in ZooKeeper. */
import { modelsInSight } from '../cluster/models-in-sight.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { output, someModels, whereabouts, zookeeper } from '../options/shared-options.ts';
import { counted } from '../output/counted.ts';
import { note, say } from '../output/say.ts';
import { lookOf } from '../ports.ts';
import { printStatus } from '../zookeeper/print-status.ts';
import { statusFields, statusView } from '../zookeeper/status-view.ts';
import { clusterIdOf, findZooKeeper, withZooKeeper } from '../zookeeper/zookeeper-access.ts';
import { readZooKeeperSide } from '../zookeeper/zookeeper-side.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'Shows what runs here beside what clients find in ZooKeeper.',
  description:
    'Shows both sides of each model and version: what should run here, and what clients find in ZooKeeper, whether it ' +
    'was registered from here or by others. It changes nothing.',
  fields: {
    ...someModels,
    ...zookeeper,
    ...whereabouts('Only resources of this namespace. (default: all)'),
    ...output(),
  },
  examples: [
    ["Everything, ours and the original's", 'status'],
    ['One model, with the addresses that others registered', 'status --name dga -o wide'],
  ],
  notes: [
    'SERVED marks the version that clients get when they do not name one. REGISTERED counts what agents of this cluster ' +
      'registered, FOREIGN what anyone else did: the original on YARN, or somebody by hand. RESOURCE, READY and SERVED ' +
      'are left out on a terminal that is too narrow for them.',
  ],
  shape: {
    says: '`status -o json` prints `{"kind": "StatusReport", "apiVersion": "cli.maas.dev/v1", ...}`:',
    fields: statusFields,
  },
  /** @throws MaasError CLUSTER_*, SETTINGS_*, ZOOKEEPER_* */
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    const where = await findZooKeeper(cluster, options.operatorNamespace, options.zookeeper);
    const narrowed = () =>
      note(ports.err, `only resources of namespace ${cluster.namespace} are shown: you may not list those of all`);
    const [side, models, clusterId] = await Promise.all([
      withZooKeeper(ports, where.zookeeper, (reader) => readZooKeeperSide(reader, where.zookeeper)),
      modelsInSight(cluster, options.namespace, narrowed),
      clusterIdOf(where.published, () => ports.inspect(options.cluster).clusterUid()),
    ]);
    const view = statusView({ models, side, clusterId }, options);
    const people = options.output === undefined || options.output === 'table' || options.output === 'wide';
    if (people && side.config.problem !== undefined) note(ports.err, side.config.problem);
    if (people && side.directories.state === 'hidden') note(ports.err, side.directories.problem);
    if (people && view.unreadable.length > 0) {
      const what = `clients cannot read ${counted(view.unreadable.length, 'registration')}`;
      note(ports.err, `${what}, which hides all models from them: see \`kubectl maas doctor\``);
    }
    if (people && view.queued !== null && view.queued > 0) {
      note(ports.err, `the queue of the old deploy client holds ${counted(view.queued, 'request')}`);
    }
    if (people && view.items.length === 0) say(ports.err, 'No models found.');
    else ports.out.write(printStatus(view, options.output, lookOf(ports.out)));
    return exitCodes.ok;
  },
});
