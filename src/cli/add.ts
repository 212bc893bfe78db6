/** `kubectl maas add`: N more instances of a model's version. */
import { MaasError } from '../contracts/errors.ts';
import { resourceNameFor } from '../contracts/names.ts';
import { formatBytes } from '../contracts/quantity.ts';
import { visible } from '../kernel/shown-text.ts';
import { askAttendance, away, errorOf, unattended, unserved } from './cluster/attendance.ts';
import { findModel } from './cluster/find-model.ts';
import { isGoing, type Model, qualifiedName, readModel, stateOf, title, titleOf } from './cluster/model.ts';
import { readSettings } from './cluster/operator-settings.ts';
import { untilUncontended, write } from './cluster/retry.ts';
import { addPatch, defaultPayloadPath, newManifest } from './cluster/spec-change.ts';
import { serves, waitUntil, waitUntilGone } from './cluster/wait.ts';
import type { AddCommand } from './command.ts';
import { counted } from './output/counted.ts';
import { type Change, printResult } from './output/print-result.ts';
import { progressLine } from './output/upload-progress.ts';
import type { Cluster, Ports } from './ports.ts';

/** @throws MaasError whatever stopped it; see the exit codes */
export async function add(command: AddCommand, ports: Ports, cluster: Cluster): Promise<void> {
  const namespace = command.namespace ?? cluster.namespace;
  await checkServed(command, namespace, ports, cluster);
  const payloadPath =
    command.localPath === undefined
      ? command.hdfsPath
      : await sendPayload(command, command.localPath, namespace, ports, cluster);
  const change = await apply(command, namespace, payloadPath, command.dryRun, ports, cluster);
  await printResult(ports, command, change, async () =>
    waitUntil(ports, cluster, change.model, {
      judge: serves(change.model.metadata.generation),
      timeoutMs: command.timeoutMs,
      wanted: 'up',
      unattended: async (where) => unattended(where, await askAttendance(command, ports, cluster), ports.clock.now()),
    }),
  );
}

/** Nothing is written where it is certain that nobody would do anything about it. */
async function checkServed(command: AddCommand, namespace: string, ports: Ports, cluster: Cluster): Promise<void> {
  const attendance = await askAttendance(command, ports, cluster);
  const why = unserved(namespace, attendance);
  if (why !== undefined) throw errorOf(why);
  const absent = away(attendance, ports.clock.now());
  if (absent !== undefined) ports.err.write(`${visible(`note: ${absent.message}; it is done when one is`)}\n`);
}

/** Uploads what the command names, after the cluster has said that it would take the rest. Returns the payload's path. */
async function sendPayload(
  command: AddCommand,
  localPath: string,
  namespace: string,
  ports: Ports,
  cluster: Cluster,
): Promise<string> {
  const settings = await readSettings(cluster, command.operatorNamespace);
  const [present] = findModel((await cluster.list(namespace)).map(readModel), command.model, command.version);
  const target =
    command.hdfsPath ??
    present?.spec.payload.path ??
    defaultPayloadPath(settings.payloadRoot, command.model, command.version);
  if (command.dryRun) return target;
  // Gigabytes should not travel before somebody says that the memory has a typing mistake.
  await apply(command, namespace, target, true, ports, cluster);
  const line = progressLine(ports.err, ports.clock);
  try {
    const uploader = ports.payloads(settings.hdfs);
    const outcome = await uploader.upload(localPath, target, {
      exclude: command.exclude,
      onProgress: line.show,
      onWarning: (message) => {
        line.clear();
        ports.err.write(`${visible(`note: ${message}`)}\n`);
      },
      signal: ports.signal,
    });
    line.clear();
    const size = `${counted(outcome.files, 'file')}, ${formatBytes(outcome.bytes)}`;
    const text = outcome.uploaded ? `uploaded ${size} to ${outcome.path}` : `${outcome.path} has this payload already`;
    ports.err.write(`${visible(text)}\n`);
  } catch (error) {
    line.clear();
    throw error;
  }
  return target;
}

function apply(
  command: AddCommand,
  namespace: string,
  payloadPath: string | undefined,
  dryRun: boolean,
  ports: Ports,
  cluster: Cluster,
): Promise<Change> {
  return untilUncontended(ports, async () => {
    const models = (await cluster.list(namespace)).map(readModel);
    const [present, second] = findModel(models, command.model, command.version);
    if (present === undefined) {
      checkName(models, command);
      return await create(command, namespace, payloadPath, dryRun, cluster);
    }
    if (isGoing(present)) {
      await waitUntilGone(ports, cluster, present, command.timeoutMs);
      return await create(command, namespace, payloadPath, dryRun, cluster);
    }
    if (second !== undefined && !isGoing(second) && !dryRun) {
      const names = `${qualifiedName(present)} and ${qualifiedName(second)}`;
      ports.err.write(`${visible(`note: ${names} are both ${title(command)}; the first one is changed`)}\n`);
    }
    return await change(present, command, payloadPath, dryRun, cluster);
  });
}

/** A manifest may have given the name that would be used here to another model. */
function checkName(models: readonly Model[], command: AddCommand): void {
  const name = resourceNameFor(command.model, command.version);
  const taken = models.find((model) => model.metadata.name === name);
  if (taken === undefined || isGoing(taken)) return;
  throw new MaasError('NAME_OWNED', `${qualifiedName(taken)} exists already and is ${titleOf(taken)}`, {
    next: `Deploy ${title(command)} with a manifest under another metadata.name; from then on add and remove find it.`,
  });
}

async function create(
  command: AddCommand,
  namespace: string,
  payloadPath: string | undefined,
  dryRun: boolean,
  cluster: Cluster,
): Promise<Change> {
  const manifest = newManifest(command, namespace, payloadPath);
  const model = readModel(await write(cluster.create(manifest, dryRun)));
  return { model, did: `created with ${counted(model.spec.instances, 'instance')}` };
}

async function change(
  present: Model,
  command: AddCommand,
  payloadPath: string | undefined,
  dryRun: boolean,
  cluster: Cluster,
): Promise<Change> {
  const patch = addPatch(present, command, payloadPath);
  const fields = Object.keys(patch);
  if (fields.length === 0) return { model: present, did: 'unchanged' };
  const model = readModel(await write(cluster.patch(stateOf(present), patch, dryRun)));
  const others = fields.filter((field) => field !== 'instances');
  const did = [
    ...('instances' in patch
      ? [`scaled from ${present.spec.instances} to ${counted(model.spec.instances, 'instance')}`]
      : []),
    ...(others.length > 0 ? [`${others.join(', ')} changed`] : []),
  ];
  return { model, did: did.join('; ') };
}
