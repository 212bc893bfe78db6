/** `kubectl maas add`: N more instances of a model's version. */
import { MaasError } from '../contracts/errors.ts';
import { formatBytes } from '../contracts/quantity.ts';
import { type Addition, type AddRefusal, decideAdd } from '../deploy-rules/add.ts';
import { modelsMeant } from '../deploy-rules/deployed-model.ts';
import { defaultPayloadPath } from '../deploy-rules/payload-place.ts';
import { visible } from '../kernel/shown-text.ts';
import { askAttendance, away, errorOf, unattended, unserved } from './cluster/attendance.ts';
import { type Deployed, deployedIn } from './cluster/deployed.ts';
import { type Model, qualifiedName, readModel, stateOf, title, titleOf } from './cluster/model.ts';
import { readSettings } from './cluster/operator-settings.ts';
import { untilUncontended, write } from './cluster/retry.ts';
import { addPatch, newManifest } from './cluster/spec-change.ts';
import { serves, waitUntil, waitUntilGone } from './cluster/wait.ts';
import type { AddCommand } from './command.ts';
import { counted } from './output/counted.ts';
import { type Change, printResult } from './output/print-result.ts';
import { progressLine } from './output/upload-progress.ts';
import type { Cluster, ModelManifest, ModelPatch, Ports } from './ports.ts';

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
  const [present] = modelsMeant(await deployedIn(cluster, namespace), command.model, command.version);
  const target =
    command.hdfsPath ?? present?.path ?? defaultPayloadPath(settings.payloadRoot, command.model, command.version);
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
  path: string | undefined,
  dryRun: boolean,
  ports: Ports,
  cluster: Cluster,
): Promise<Change> {
  const { model, version, instances, options, readFrom, oldDefaults } = command;
  const memoryIs = oldDefaults === undefined ? 'exact' : 'least';
  const asked: Addition = { model, version, instances, memory: options.memory, memoryIs, path, readFrom };
  return untilUncontended(ports, async () => {
    for (;;) {
      const decided = decideAdd(asked, await deployedIn(cluster, namespace));
      switch (decided.kind) {
        case 'wait':
          await waitUntilGone(ports, cluster, decided.of.resource, command.timeoutMs);
          break;
        case 'refuse':
          throw refusal(decided.refusal, command, namespace);
        case 'create':
          return await create(newManifest(command, namespace, decided), dryRun, cluster);
        case 'change':
          if (decided.twin !== undefined && !dryRun) {
            const names = `${qualifiedName(decided.of.resource)} and ${qualifiedName(decided.twin.resource)}`;
            ports.err.write(`${visible(`note: ${names} are both ${title(command)}; the first one is changed`)}\n`);
          }
          return await change(decided.of.resource, addPatch(command, decided), dryRun, cluster);
      }
    }
  });
}

function refusal(refused: AddRefusal<Deployed>, command: AddCommand, namespace: string): MaasError {
  if (refused.why === 'incomplete') {
    const options = { memory: '--memory', path: '--local-model-path or --hdfs-model-path' };
    const missing = refused.missing.map((part) => options[part]).join(' and ');
    return new MaasError(
      'USAGE',
      `${title(command)} is not deployed in namespace ${namespace} yet; a new model needs ${missing}`,
      { next: 'Add what is missing, or correct --name, --version or --namespace.' },
    );
  }
  const { resource } = refused.of;
  const deployed = `${titleOf(resource)} is deployed already as ${qualifiedName(resource)}`;
  const { path, readFrom } = resource.spec.payload;
  switch (refused.why) {
    case 'name taken':
      // A manifest may have given the name that would be used here to another model.
      return new MaasError('NAME_OWNED', `${qualifiedName(resource)} exists already and is ${titleOf(resource)}`, {
        next: `Deploy ${title(command)} with a manifest under another metadata.name; from then on add and remove find it.`,
      });
    case 'other path':
      return new MaasError('PAYLOAD_PATH_DIFFERS', `${deployed} with the payload ${path}, not ${refused.asked}`, {
        next: 'Give the other payload a version of its own with --version, or leave --hdfs-model-path out.',
      });
    case 'other readFrom':
      return new MaasError('PAYLOAD_PATH_DIFFERS', `${deployed} and reads from ${readFrom}, not ${refused.asked}`, {
        next: 'Leave --read-from out, or change spec.payload.readFrom, which starts its instances anew.',
      });
  }
}

async function create(manifest: ModelManifest, dryRun: boolean, cluster: Cluster): Promise<Change> {
  const model = readModel(await write(cluster.create(manifest, dryRun)));
  return { model, did: `created with ${counted(model.spec.instances, 'instance')}` };
}

async function change(
  present: Model,
  patch: ModelPatch | undefined,
  dryRun: boolean,
  cluster: Cluster,
): Promise<Change> {
  if (patch === undefined) return { model: present, did: 'unchanged' };
  const model = readModel(await write(cluster.patch(stateOf(present), patch, dryRun)));
  const others = Object.keys(patch.spec).filter((field) => field !== 'instances');
  const did = [
    ...('instances' in patch.spec
      ? [`scaled from ${present.spec.instances} to ${counted(model.spec.instances, 'instance')}`]
      : []),
    ...(others.length > 0 ? [`${others.join(', ')} changed`] : []),
  ];
  return { model, did: did.join('; ') };
}
