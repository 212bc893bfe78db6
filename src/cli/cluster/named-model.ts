/** The resource that somebody names: by its own name, or by its model's where only one resource is of that model. */
import { MaasError } from '../../contracts/errors.ts';
import { similarTexts } from '../../kernel/similar-texts.ts';
import type { Cluster } from '../ports.ts';
import { asked } from './asked.ts';
import { isGoing, type Model, readModel, titleOf } from './model.ts';

/** @throws MaasError MODEL_NOT_FOUND, MODEL_AMBIGUOUS */
export async function namedModel(cluster: Cluster, namespace: string, name: string): Promise<Model> {
  const object = await cluster.get(namespace, name);
  if (object !== undefined) return readModel(object);
  const there = (await cluster.list(namespace)).map(readModel);
  const all = there.filter(({ spec }) => spec.name === name);
  const [model, ...others] = all;
  if (model === undefined) throw await unknown(cluster, namespace, name, there);
  if (others.length === 0) return model;
  const names = all.map(({ metadata }) => metadata.name).sort();
  throw new MaasError(
    'MODEL_AMBIGUOUS',
    `several resources of namespace ${namespace} are of ${name}: ${names.join(', ')}`,
  );
}

/** Says which name was probably meant, or where there is one of this name. */
async function unknown(cluster: Cluster, namespace: string, name: string, there: readonly Model[]): Promise<MaasError> {
  const what = `no resource and no model of namespace ${namespace} is called ${name}`;
  const near = similarTexts(
    name,
    there.flatMap(({ metadata, spec }) => [metadata.name, spec.name]),
  );
  if (near.length > 0) return new MaasError('MODEL_NOT_FOUND', what, { next: `Did you mean ${near.join(' or ')}?` });
  const everywhere = await asked(() => cluster.list(undefined));
  const namespaces = (everywhere.known ? everywhere.value : [])
    .map(readModel)
    .filter(({ metadata, spec }) => metadata.name === name || spec.name === name)
    .map(({ metadata }) => metadata.namespace);
  const others = [...new Set(namespaces)].sort().slice(0, 3);
  const next = `There is one in another namespace: add ${others.map((each) => `-n ${each}`).join(' or ')}.`;
  return new MaasError('MODEL_NOT_FOUND', what, others.length === 0 ? {} : { next });
}

/** The same to be changed. @throws MaasError MODEL_NOT_FOUND also where it is on its way out; MODEL_AMBIGUOUS */
export async function changeableModel(cluster: Cluster, namespace: string, name: string): Promise<Model> {
  const model = await namedModel(cluster, namespace, name);
  if (isGoing(model)) throw new MaasError('MODEL_NOT_FOUND', `${titleOf(model)} is being deleted`);
  return model;
}
