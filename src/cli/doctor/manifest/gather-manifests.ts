/** Asks about manifests what can be asked before they are applied. Never throws for one that cannot be read. */
import { hasCode, MaasError } from '../../../contracts/errors.ts';
import { apiVersion, kind } from '../../../contracts/resource.ts';
import { mapBounded } from '../../../kernel/bounded.ts';
import { specOf, textAt } from '../../cluster/api-object.ts';
import { asked } from '../../cluster/asked.ts';
import { readModel, stateOf } from '../../cluster/model.ts';
import { modelsInSight } from '../../cluster/models-in-sight.ts';
import { readSettings } from '../../cluster/operator-settings.ts';
import type { Everywhere } from '../../options/shared-options.ts';
import type { ApiObject, Cluster, Ports } from '../../ports.ts';
import { gatherReferences } from '../gather-references.ts';
import { referencesOf } from '../references.ts';
import { isModelDeployment, type ManifestFacts, type ManifestWorld } from './check-manifests.ts';
import { nodeFacts } from './nodes.ts';
import { type ReadManifest, readManifests } from './read-manifests.ts';

const parallelism = 4;

export async function gatherManifests(
  command: Everywhere,
  files: readonly string[],
  ports: Ports,
  cluster: Cluster,
): Promise<ManifestWorld> {
  const inspector = ports.inspect(command.cluster);
  const read = (await Promise.all(files.map((file) => readFile(file, ports)))).flat();
  const found = read.flatMap((each) => ('object' in each ? [each] : []));
  const unreadable = read.flatMap((each) => ('problem' in each ? [each] : []));
  const [settings, models, nodes] = await Promise.all([
    asked(() => readSettings(cluster, command.operatorNamespace)),
    asked(() => modelsInSight(cluster, undefined)),
    asked(async () => (await inspector.nodes()).flatMap((node) => nodeFacts(node) ?? [])),
  ]);
  const hdfs = settings.known ? ports.hdfs(settings.value.hdfs) : undefined;
  const placed = found.map((each) => ({
    ...each,
    namespace: textAt(each.object, 'metadata', 'namespace') ?? command.namespace ?? cluster.namespace,
  }));
  const references = await gatherReferences(
    inspector,
    placed.map((each) => (isModelDeployment(each) ? referencesOf(specOf(each.object), each.namespace) : [])),
  );
  const manifests = await mapBounded([...placed.entries()], parallelism, async ([at, each]): Promise<ManifestFacts> => {
    const path = textAt(each.object, 'spec', 'payload', 'path');
    const [namespaceExists, payload, dryRun] = await Promise.all([
      asked(() => inspector.namespaceExists(each.namespace)),
      isModelDeployment(each) && hdfs !== undefined && path !== undefined ? asked(() => hdfs.payload(path)) : undefined,
      isModelDeployment(each) ? asked(() => tryOut(each.object, each.namespace, cluster)) : undefined,
    ]);
    return { ...each, namespaceExists, payload, dryRun, references: references[at] ?? [] };
  });
  return { unreadable, manifests, models, settings, nodes };
}

async function readFile(file: string, ports: Ports): Promise<readonly ReadManifest[]> {
  const text = await asked(() => ports.readFile(file));
  const where = file === '-' ? 'standard input' : file;
  if (!text.known) return [{ where, problem: text.error.message }];
  const read = readManifests(text.value, where);
  return read.length === 0 ? [{ where, problem: 'there is no object in it' }] : read;
}

/** Lets the API server say what it thinks of it, without a change. */
async function tryOut(object: ApiObject, namespace: string, cluster: Cluster): Promise<unknown> {
  const name = textAt(object, 'metadata', 'name');
  if (name === undefined) return undefined;
  const spec = specOf(object);
  try {
    return await cluster.create({ apiVersion, kind, metadata: { name, namespace }, spec }, true);
  } catch (error) {
    if (!hasCode(error, 'CONFLICT')) throw error;
    const present = await cluster.get(namespace, name);
    if (present === undefined) throw new MaasError('CONFLICT', `${namespace}/${name} was removed by somebody else`);
    return cluster.patch(stateOf(readModel(present)), { spec }, true);
  }
}
