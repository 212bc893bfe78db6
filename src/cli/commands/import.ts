/** `kubectl maas import`: manifests of what others run, from their registrations and requests. Changes none of those. */
import { asMaasError, hasCode, MaasError } from '../../contracts/errors.ts';
import { modelsMeant } from '../../deploy-rules/deployed-model.ts';
import { oldDefaults } from '../../deploy-rules/old-words.ts';
import { mapBounded } from '../../kernel/bounded.ts';
import { askAttendance, errorOf, unserved } from '../cluster/attendance.ts';
import { deployedOf } from '../cluster/deployed.ts';
import { type Model, qualifiedName, readModel, title } from '../cluster/model.ts';
import { outrankedNote } from '../cluster/outranked-note.ts';
import { write } from '../cluster/retry.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { candidatePaths } from '../import/candidate-paths.ts';
import { type Draft, draftsOf } from '../import/draft.ts';
import { type Imported, importedOf, importFields, type PayloadSearch } from '../import/imported.ts';
import { manifestsYaml } from '../import/manifest-yaml.ts';
import { flag, option } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { dryRun, output, someModels, whereabouts, zookeeper } from '../options/shared-options.ts';
import { counted } from '../output/counted.ts';
import { printJson } from '../output/print-object.ts';
import { note, say } from '../output/say.ts';
import type { Cluster, HdfsInspector, Ports } from '../ports.ts';
import { versionsRegistered } from '../zookeeper/versions-registered.ts';
import { findZooKeeper, withZooKeeper } from '../zookeeper/zookeeper-access.ts';
import { readZooKeeperSide, type ZooKeeperSide } from '../zookeeper/zookeeper-side.ts';

/** Directories of HDFS that are looked at at once. */
const parallelism = 4;

export const importModels = defineCommand({
  name: 'import',
  summary: 'Prints manifests for what the original runs.',
  description:
    'Prints manifests for what the original runs. They are made from the registrations and the waiting requests in ' +
    'ZooKeeper, and the payloads are looked for in HDFS. What cannot be found out (memory, the payload) is left as a ' +
    'comment for you to fill in. Registrations and requests stay as they are.',
  fields: {
    ...someModels,
    memory: option(
      '--memory <amount>',
      'Memory, where no request tells it: 512Mi, 2Gi; a bare number means megabytes (Mi).',
      value.memory,
    ),
    payloadPath: option(
      '--payload-path <path>',
      'Where the payloads are, if no request tells it; {name} and {version} stand for those of the model.',
      value.nonEmpty,
    ),
    apply: flag('--apply', 'Create the manifests that are complete, in the namespace.'),
    ...dryRun,
    ...zookeeper,
    ...whereabouts(),
    ...output(['yaml', 'json']),
  },
  examples: [
    ['See what has to be filled in', 'import'],
    [
      'Everything, when all models are below one directory and need the same memory',
      'import --memory 512 --payload-path /user/metron/models/{name}',
    ],
    ['Create those that are complete', 'import --memory 1Gi --payload-path models/{name}/{version} --apply'],
  ],
  notes: [
    'The number of instances is how many are registered. Waiting requests tell the memory and the payload; they are ' +
      'left to whoever consumes the queue. So --apply creates a model that is only requested there only if the ' +
      'operator does not consume the queue. A path made from --payload-path is used only if there is a payload at it.',
  ],
  shape: {
    says: '`import -o json` prints `{"kind": "ImportList", "apiVersion": "cli.maas.dev/v1", "items": [...]}`:',
    fields: importFields,
  },
  refuse: (options) => (options.dryRun && !options.apply ? '--dry-run needs --apply' : undefined),
  /**
   * @throws MaasError CLUSTER_*, SETTINGS_*, ZOOKEEPER_*; with --apply IMPORT_INCOMPLETE when something was left out,
   *   and NAMESPACE_NOT_SERVED when nobody would look after the models
   */
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    const namespace = options.namespace ?? cluster.namespace;
    const where = await findZooKeeper(cluster, options.operatorNamespace, options.zookeeper);
    const { published } = where;
    const tell = (text: string) => note(ports.err, text);
    const why = unserved(namespace, await askAttendance(options, ports, cluster));
    if (why !== undefined && options.apply) throw errorOf(why);
    if (why !== undefined) tell(why.message);
    const [side, models] = await Promise.all([
      withZooKeeper(ports, where.zookeeper, (reader) => readZooKeeperSide(reader, where.zookeeper)),
      cluster.list(namespace),
    ]);
    const { drafts, notes } = draftsOf(side, options);
    if (side.config.problem !== undefined) tell(side.config.problem);
    for (const each of notes) tell(each);

    const fresh = drafts.filter((draft) => {
      const present = presentOf(models.map(readModel), draft);
      if (present !== undefined) tell(`${title(draft)} is here already, as ${qualifiedName(present)}`);
      return present === undefined;
    });
    for (const text of ranksOf(fresh, side)) tell(text);
    const hdfs = published === undefined ? undefined : ports.hdfs(published.hdfs);
    const items = await mapBounded(fresh, parallelism, async (draft) =>
      importedOf(draft, await findPayload(draft, options.payloadPath, published?.payloadRoot, hdfs), {
        namespace,
        memory: options.memory,
        ...oldDefaults(published ?? {}),
      }),
    );
    if (options.apply) {
      await apply(
        items,
        { queueConsumed: published?.legacy.queue.enabled ?? false, dryRun: options.dryRun },
        ports,
        cluster,
      );
    } else if (options.output === 'json') {
      ports.out.write(printJson({ kind: 'ImportList', apiVersion: 'cli.maas.dev/v1', items }));
    } else if (items.length === 0) tell('there is nothing to import');
    else ports.out.write(manifestsYaml(items));
    return exitCodes.ok;
  },
});

/** Those that clients do not take although nobody would call them older. */
function ranksOf(drafts: readonly Draft[], side: ZooKeeperSide): readonly string[] {
  const registered = versionsRegistered(side);
  return drafts.flatMap(({ model, version }) => {
    const text = outrankedNote(version, registered.get(model) ?? [], { older: false });
    return text === undefined ? [] : [`${model}: ${text}`];
  });
}

function presentOf(models: readonly Model[], { model, version }: Draft): Model | undefined {
  return modelsMeant(models.map(deployedOf), model, version).find((each) => !each.deleting)?.resource;
}

/** What a request says counts although it cannot be seen from here; a guess counts only if a payload is there. */
async function findPayload(
  draft: Draft,
  template: string | undefined,
  payloadRoot: string | undefined,
  hdfs: HdfsInspector | undefined,
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

interface Creation {
  readonly queueConsumed: boolean;
  readonly dryRun: boolean;
}

async function apply(imported: readonly Imported[], how: Creation, ports: Ports, cluster: Cluster): Promise<void> {
  let left = 0;
  for (const each of imported) if (!(await create(each, how, ports, cluster))) left += 1;
  if (imported.length === 0) note(ports.err, 'there is nothing to import');
  if (left > 0) {
    throw new MaasError('IMPORT_INCOMPLETE', `${left} of ${counted(imported.length, 'model')} could not be created`);
  }
}

/** False where it could not be. */
async function create(
  { manifest, missing, onlyAsked }: Imported,
  { queueConsumed, dryRun: trial }: Creation,
  ports: Ports,
  cluster: Cluster,
): Promise<boolean> {
  const tell = (why: string) => note(ports.err, `${manifest.metadata.name} was not created: ${why}`);
  if (missing.length > 0) {
    tell(`${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not known`);
    return false;
  }
  if (onlyAsked && queueConsumed) {
    // Twice as many would run when the request is taken.
    tell('the operator takes the request for it from the queue');
    return true;
  }
  try {
    const model = readModel(await write(cluster.create(manifest, trial)));
    const did = `created with ${counted(model.spec.instances, 'instance')}`;
    say(ports.out, `${qualifiedName(model)} ${did}${trial ? ' (server dry run)' : ''}`);
    return true;
  } catch (error) {
    if (!hasCode(error, 'CONFLICT', 'CLUSTER_REFUSED')) throw error;
    tell(error.message);
    return false;
  }
}
