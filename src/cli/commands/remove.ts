/** `kubectl maas remove`: N instances fewer of a model's version, or all of them. */
import { MaasError } from '../../contracts/errors.ts';
import { shownAutoscaler } from '../../deploy-rules/autoscaler.ts';
import { decideRemove } from '../../deploy-rules/remove.ts';
import { deployedIn } from '../cluster/deployed.ts';
import { readModel, title, titleOf } from '../cluster/model.ts';
import { untilUncontended, write } from '../cluster/retry.ts';
import { shrank, waitUntil, waitUntilGone } from '../cluster/wait.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { option, type Values } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { everywhere, oneModel, waiting } from '../options/shared-options.ts';
import { counted } from '../output/counted.ts';
import { type Change, printResult } from '../output/print-result.ts';
import type { Cluster, Ports } from '../ports.ts';

const fields = {
  ...oneModel,
  /** How many fewer; undefined means all. */
  instances: option('--instances <n>', 'How many instances to remove. (default: all)', value.countFromOne),
  ...waiting('until the instances are gone'),
  ...everywhere,
};
type RemoveOptions = Values<typeof fields>;

export const remove = defineCommand({
  name: 'remove',
  summary: 'Removes instances of a model, or the whole model.',
  description:
    'Removes instances of a model: all of them without --instances. With the last instance the model is deleted. ' +
    'Its payload in HDFS stays.',
  fields,
  examples: [
    ['One instance fewer', 'remove --name dga --version 1.0 --instances 1'],
    ['All of them, and wait until they are gone', 'remove --name dga --version 1.0 --wait'],
    ['What would be done', 'remove --name dga --version 1.0 --dry-run'],
  ],
  async run(options, ports) {
    await removeInstances(options, ports, ports.connect(options.cluster));
    return exitCodes.ok;
  },
});

interface Removal extends Change {
  readonly gone: boolean;
}

/** @throws MaasError MODEL_NOT_FOUND when the model is not there; whatever else stopped it */
export async function removeInstances(command: RemoveOptions, ports: Ports, cluster: Cluster): Promise<void> {
  const namespace = command.namespace ?? cluster.namespace;
  const change = await untilUncontended(ports, () => subtract(command, namespace, cluster));
  await printResult(ports, command, change, async () => {
    if (change.gone) {
      await waitUntilGone(ports, cluster, change.model, command.timeoutMs);
      return change.model;
    }
    return waitUntil(ports, cluster, change.model, {
      judge: shrank(change.model.metadata.generation),
      timeoutMs: command.timeoutMs,
      wanted: 'down to the wanted instances',
      operator: command,
    });
  });
}

async function subtract(command: RemoveOptions, namespace: string, cluster: Cluster): Promise<Removal> {
  const decided = decideRemove(command, await deployedIn(cluster, namespace));
  if (decided.kind === 'not there') {
    throw new MaasError('MODEL_NOT_FOUND', `${title(command)} is not deployed in namespace ${namespace}`);
  }
  const { resource, state } = decided.of;
  if (decided.kind === 'going') return { model: resource, did: 'is being deleted already', gone: true };
  const { instances: before } = decided.of;
  const { instances } = decided;
  if (decided.kind === 'autoscaled') {
    const left = counted(instances, 'instance');
    throw new MaasError(
      'AUTOSCALED',
      `${titleOf(resource)} would have ${left}, against ${shownAutoscaler(decided.by)}`,
    );
  }
  if (decided.leftTo !== undefined) {
    const did = `left at ${counted(before, 'instance')} by ${shownAutoscaler(decided.leftTo)}`;
    return { model: resource, did, gone: false };
  }
  if (instances > 0) {
    const patched = await write(cluster.patch(state, { spec: { instances } }, command.dryRun));
    return {
      model: readModel(patched),
      did: `scaled from ${before} to ${counted(instances, 'instance')}`,
      gone: false,
    };
  }
  await write(cluster.delete(state, { foreground: command.wait, dryRun: command.dryRun }));
  return { model: resource, did: `deleted with its ${counted(before, 'instance')}`, gone: true };
}
