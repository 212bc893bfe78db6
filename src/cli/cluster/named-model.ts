/** The resource that somebody names: by its own name, or by its model's where only one resource is of that model. */
import { MaasError } from '../../contracts/errors.ts';
import type { Cluster } from '../ports.ts';
import { isGoing, type Model, readModel, titleOf } from './model.ts';

/** @throws MaasError MODEL_NOT_FOUND, MODEL_AMBIGUOUS */
export async function namedModel(cluster: Cluster, namespace: string, name: string): Promise<Model> {
  const object = await cluster.get(namespace, name);
  if (object !== undefined) return readModel(object);
  const all = (await cluster.list(namespace)).map(readModel).filter(({ spec }) => spec.name === name);
  const [model, ...others] = all;
  if (model === undefined) {
    throw new MaasError('MODEL_NOT_FOUND', `no resource and no model of namespace ${namespace} is called ${name}`);
  }
  if (others.length === 0) return model;
  const names = all.map(({ metadata }) => metadata.name).sort();
  throw new MaasError(
    'MODEL_AMBIGUOUS',
    `several resources of namespace ${namespace} are of ${name}: ${names.join(', ')}`,
  );
}

/** The same to be changed. @throws MaasError MODEL_NOT_FOUND also where it is on its way out; MODEL_AMBIGUOUS */
export async function changeableModel(cluster: Cluster, namespace: string, name: string): Promise<Model> {
  const model = await namedModel(cluster, namespace, name);
  if (isGoing(model)) throw new MaasError('MODEL_NOT_FOUND', `${titleOf(model)} is being deleted`);
  return model;
}
