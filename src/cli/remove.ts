/** `kubectl maas remove`: N instances fewer of a model's version, or all of them. */
import { MaasError } from '../contracts/errors.ts';
import { askAttendance, unattended } from './cluster/attendance.ts';
import { findModel } from './cluster/find-model.ts';
import { isGoing, readModel, stateOf, title } from './cluster/model.ts';
import { untilUncontended, write } from './cluster/retry.ts';
import { shrank, waitUntil, waitUntilGone } from './cluster/wait.ts';
import type { RemoveCommand } from './command.ts';
import { counted } from './output/counted.ts';
import { type Change, printResult } from './output/print-result.ts';
import type { Cluster, Ports } from './ports.ts';

interface Removal extends Change {
  readonly gone: boolean;
}

/** @throws MaasError MODEL_NOT_FOUND when the model is not there; whatever else stopped it */
export async function remove(command: RemoveCommand, ports: Ports, cluster: Cluster): Promise<void> {
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
      unattended: async (where) => unattended(where, await askAttendance(command, ports, cluster), ports.clock.now()),
    });
  });
}

async function subtract(command: RemoveCommand, namespace: string, cluster: Cluster): Promise<Removal> {
  const models = (await cluster.list(namespace)).map(readModel);
  const [present] = findModel(models, command.model, command.version);
  if (present === undefined) {
    throw new MaasError('MODEL_NOT_FOUND', `${title(command)} is not deployed in namespace ${namespace}`);
  }
  if (isGoing(present)) return { model: present, did: 'is being deleted already', gone: true };
  const { instances } = present.spec;
  const left = command.instances === undefined ? 0 : instances - command.instances;
  if (left > 0) {
    const patched = await write(cluster.patch(stateOf(present), { instances: left }, command.dryRun));
    return { model: readModel(patched), did: `scaled from ${instances} to ${counted(left, 'instance')}`, gone: false };
  }
  await write(cluster.delete(stateOf(present), { foreground: command.wait, dryRun: command.dryRun }));
  return { model: present, did: `deleted with its ${counted(instances, 'instance')}`, gone: true };
}
