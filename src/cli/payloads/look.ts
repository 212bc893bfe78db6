/** Looks at the payloads of a model in HDFS and at whoever refers to any. */
import { hasCode } from '../../contracts/errors.ts';
import type { PayloadPlace, StoredPayload } from '../../contracts/stored-payload.ts';
import { payloadsOf } from '../../deploy-rules/payload-place.ts';
import { type Model, readModel } from '../cluster/model.ts';
import { readSettings } from '../cluster/operator-settings.ts';
import type { Everywhere } from '../options/shared-options.ts';
import type { Cluster, PayloadCatalogue, Ports } from '../ports.ts';
import { type NamedPath, pathsIn, pathsOf, type Reference } from './references.ts';

export interface PayloadWorld {
  readonly catalogue: PayloadCatalogue;
  /** The directory in which the model's uploads are. */
  readonly base: PayloadPlace;
}

export interface ReferenceView {
  readonly references: readonly Reference[];
  readonly models: readonly Model[];
  /** Only those of one namespace could be asked for. */
  readonly narrowed: boolean;
}

type Where = Pick<Everywhere, 'operatorNamespace' | 'cluster' | 'namespace'>;

/** @throws MaasError SETTINGS_*, CLUSTER_*, HDFS_* */
export async function payloadWorld(model: string, where: Where, ports: Ports, cluster: Cluster): Promise<PayloadWorld> {
  const { hdfs, payloadRoot } = await readSettings(cluster, where.operatorNamespace);
  const catalogue = ports.catalogue(hdfs);
  return { catalogue, base: await catalogue.locate(payloadsOf(payloadRoot, model)) };
}

/** Resources and pins of all namespaces; of one's own for who may look at no other. @throws MaasError CLUSTER_*, HDFS_* */
export async function lookForReferences(
  { catalogue, base }: PayloadWorld,
  where: Where,
  ports: Ports,
  cluster: Cluster,
): Promise<ReferenceView> {
  const inspector = ports.inspect(where.cluster);
  const ask = async (namespace: string | undefined) =>
    await Promise.all([cluster.list(namespace), inspector.pins(namespace)]);
  let narrowed = false;
  const [objects, pins] = await ask(undefined).catch((error: unknown) => {
    if (!hasCode(error, 'CLUSTER_FORBIDDEN')) throw error;
    narrowed = true;
    return ask(where.namespace ?? cluster.namespace);
  });
  const own = where.namespace ?? cluster.namespace;
  // Several namespaces may have a version of that name: one's own is meant before another one's.
  const models = objects.map(readModel).sort((a, b) => Number(isIn(b, own)) - Number(isIn(a, own)));
  const named = [...models.flatMap(pathsIn), ...pins.flatMap(pathsOf)];
  const references: Reference[] = [];
  for (const each of named) references.push(...(await referencesTo(each, catalogue, base)));
  return { references, models, narrowed };
}

async function referencesTo(
  named: NamedPath,
  catalogue: PayloadCatalogue,
  { nameservice }: PayloadPlace,
): Promise<readonly Reference[]> {
  try {
    return [{ ...named, place: await catalogue.locate(named.path) }];
  } catch (error) {
    // What is no path refers to nothing. An authority that our settings do not name may be another name of this HDFS.
    if (hasCode(error, 'HDFS_PATH_INVALID')) return [];
    const directory = /^[a-z]+:\/\/[^/]*(\/.*?)\/*$/i.exec(named.path)?.[1];
    if (!hasCode(error, 'HDFS_NAMESERVICE_UNKNOWN')) throw error;
    return directory === undefined ? [] : [{ ...named, place: { nameservice, directory } }];
  }
}

function isIn({ metadata }: Model, namespace: string): boolean {
  return metadata.namespace === namespace;
}

/** What the model's resources name as their payload, now or in their history, and is none of these. */
export async function missingIn(
  model: string,
  there: readonly StoredPayload[],
  { catalogue }: PayloadWorld,
  { models, references }: ReferenceView,
): Promise<readonly Reference[]> {
  const known = new Set(there.map(({ directory }) => directory));
  const missing = new Map<string, Reference>();
  for (const { spec, status, metadata } of models.filter((each) => each.spec.name === model)) {
    const by = `${metadata.namespace}/${metadata.name}`;
    const named = new Set([spec.payload.path, ...(status.history ?? []).map(({ path }) => path)]);
    for (const each of references) {
      const { directory } = each.place;
      if (each.by !== by || !named.has(each.path) || known.has(directory) || missing.has(directory)) continue;
      if ((await catalogue.look(each.place)) === undefined) missing.set(directory, each);
    }
  }
  return [...missing.values()];
}

/** What is in the model's directory, and what its resources refer to elsewhere; in the order of their paths. */
export async function payloadsIn(
  model: string,
  { catalogue, base }: PayloadWorld,
  { references, models }: ReferenceView,
): Promise<readonly StoredPayload[]> {
  const here = await catalogue.below(base);
  const known = new Set(here.map(({ directory }) => directory));
  const owners = new Set(
    models.filter(({ spec }) => spec.name === model).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
  );
  const elsewhere: StoredPayload[] = [];
  for (const { by, place } of references) {
    if (!owners.has(by) || known.has(place.directory)) continue;
    known.add(place.directory);
    const found = await catalogue.look(place);
    if (found !== undefined) elsewhere.push(found);
  }
  return [...here, ...elsewhere].sort((a, b) => (a.directory < b.directory ? -1 : 1));
}
