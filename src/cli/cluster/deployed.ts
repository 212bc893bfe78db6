/** The models of a namespace, as the rules of ADD and REMOVE see them. */
import type { DeployedModel } from '../../deploy-rules/deployed-model.ts';
import type { Cluster } from '../ports.ts';
import { conditionOf, isGoing, type Model, readModel, stateOf } from './model.ts';

export interface Deployed extends DeployedModel {
  readonly resource: Model;
}

export async function deployedIn(cluster: Cluster, namespace: string): Promise<readonly Deployed[]> {
  const [models, autoscalers] = await Promise.all([cluster.list(namespace), cluster.autoscalers(namespace)]);
  return models.map((object) => {
    const model = readModel(object);
    return { ...deployedOf(model), autoscaler: autoscalers.get(model.metadata.name) };
  });
}

export function deployedOf(resource: Model): Deployed {
  const { name, version, instances, memory, payload } = resource.spec;
  return {
    resource,
    state: stateOf(resource),
    createdAt: resource.metadata.creationTimestamp,
    deleting: isGoing(resource),
    stalled: conditionOf(resource, 'Stalled')?.status === 'True',
    model: name,
    version,
    instances,
    memory,
    path: payload.path,
    readFrom: payload.readFrom,
  };
}
