/** `kubectl maas import`: manifests of what others run, from their registrations and requests. Changes none of those. */

import { asMaasError, hasCode, MaasError } from '../contracts/errors.ts';
import { modelsMeant } from '../deploy-rules/deployed-model.ts';
import { oldDefaults } from '../deploy-rules/old-words.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { visible } from '../kernel/shown-text.ts';
import { askAttendance, errorOf, unserved } from './cluster/attendance.ts';
import { deployedOf } from './cluster/deployed.ts';
import { type Model, qualifiedName, readModel, title } from './cluster/model.ts';
import { write } from './cluster/retry.ts';
import type { ImportCommand } from './command.ts';
import { candidatePaths } from './import/candidate-paths.ts';
import { type Draft, draftsOf } from './import/draft.ts';
import { type Imported, importedOf, type PayloadSearch } from './import/imported.ts';
import { manifestsYaml } from './import/manifest-yaml.ts';
import { counted } from './output/counted.ts';
import { printJson } from './output/print-object.ts';
import type { Cluster, HdfsReader, Ports } from './ports.ts';
import { findZooKeeper, withZooKeeper } from './zookeeper/zookeeper-access.ts';
import { readZooKeeperSide } from './zookeeper/zookeeper-side.ts';

/** Directories of HDFS that are looked at at once. */
const parallelism = 4;

/**
 * @throws MaasError CLUSTER_*, SETTINGS_*, ZOOKEEPER_*; with --apply IMPORT_INCOMPLETE when something was left out, and
 *   NAMESPACE_NOT_SERVED when nobody would look after the models
 */
export async function importModels(command: ImportCommand, ports: Ports, cluster: Cluster): Promise<void> {
  const namespace = command.namespace ?? cluster.namespace;
  const { zookeeper, published } = await findZooKeeper(cluster, command.operatorNamespace, command.zookeeper);
  const note = (text: string) => ports.err.write(`${visible(`note: ${text}`)}\n`);
  const why = unserved(namespace, await askAttendance(command, ports, cluster));
  if (why !== undefined && command.apply) throw errorOf(why);
  if (why !== undefined) note(why.message);
  const [side, models] = await Promise.all([
    withZooKeeper(ports, zookeeper, (reader) => readZooKeeperSide(reader, zookeeper)),
    cluster.list(namespace),
  ]);
  const { drafts, notes } = draftsOf(side, { model: command.model, version: command.version });
  if (side.config.problem !== undefined) note(side.config.problem);
  for (const each of notes) note(each);

  const fresh = drafts.filter((draft) => {
    const present = presentOf(models.map(readModel), draft);
    if (present !== undefined) note(`${title(draft)} is here already, as ${qualifiedName(present)}`);
    return present === undefined;
  });
  const hdfs = published === undefined ? undefined : ports.hdfs(published.hdfs);
  const imported = await mapBounded(fresh, parallelism, async (draft) =>
    importedOf(draft, await findPayload(draft, command.payloadPath, published?.payloadRoot, hdfs), {
      namespace,
      memory: command.memory,
      ...oldDefaults(published ?? {}),
    }),
  );
  if (command.apply) await apply(imported, published?.legacy.queue.enabled ?? false, command, ports, cluster);
  else if (command.output === 'json') ports.out.write(printJson(importList(imported)));
  else if (imported.length === 0) note('there is nothing to import');
  else ports.out.write(manifestsYaml(imported));
}

function presentOf(models: readonly Model[], { model, version }: Draft): Model | undefined {
  return modelsMeant(models.map(deployedOf), model, version).find((each) => !each.deleting)?.resource;
}

/** What a request says counts although it cannot be seen from here; a guess counts only if a payload is there. */
async function findPayload(
  draft: Draft,
  template: string | undefined,
  payloadRoot: string | undefined,
  hdfs: HdfsReader | undefined,
): Promise<PayloadSearch> {
  const look = async (path: string): Promise<PayloadSearch> => {
    if (hdfs === undefined) return { state: 'unproved', path, why: 'no published settings say where HDFS is' };
    try {
      return { state: 'found', path, payload: await hdfs.payload(path) };
    } catch (error) {
      return { state: 'unproved', path, why: asMaasError(error).message };
    }
  };
  if (draft.payloadPath !== undefined) return look(draft.payloadPath);
  const tried: { path: string; why: string }[] = [];
  for (const path of candidatePaths(draft, template, payloadRoot)) {
    const search = await look(path);
    if (search.state === 'found') return search;
    if (search.state === 'unproved') tried.push({ path, why: search.why });
  }
  return { state: 'unknown', tried };
}

async function apply(
  imported: readonly Imported[],
  queueConsumed: boolean,
  command: ImportCommand,
  ports: Ports,
  cluster: Cluster,
): Promise<void> {
  const note = (text: string) => ports.err.write(`${visible(`note: ${text}`)}\n`);
  let left = 0;
  for (const { manifest, missing, onlyAsked } of imported) {
    const { name } = manifest.metadata;
    if (missing.length > 0) {
      note(`${name} was not created: ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not known`);
      left += 1;
    } else if (onlyAsked && queueConsumed) {
      // Twice as many would run when the request is taken.
      note(`${name} was not created: the operator takes the request for it from the queue`);
    } else {
      try {
        const model = readModel(await write(cluster.create(manifest, command.dryRun)));
        const did = `created with ${counted(model.spec.instances, 'instance')}`;
        ports.out.write(`${visible(`${qualifiedName(model)} ${did}${command.dryRun ? ' (server dry run)' : ''}`)}\n`);
      } catch (error) {
        if (!hasCode(error, 'CONFLICT', 'CLUSTER_REFUSED')) throw error;
        note(`${name} was not created: ${error.message}`);
        left += 1;
      }
    }
  }
  if (imported.length === 0) note('there is nothing to import');
  if (left > 0) {
    throw new MaasError('IMPORT_INCOMPLETE', `${left} of ${counted(imported.length, 'model')} could not be created`);
  }
}

/** Shape of `import -o json`. */
function importList(items: readonly Imported[]) {
  return { kind: 'ImportList', apiVersion: 'cli.maas.dev/v1', items };
}
