/** The models of a namespace, as the rules of ADD and REMOVE see them. */
import type { DeployedModel } from '../../deploy-rules/deployed-model.ts';
import type { Cluster } from '../ports.ts';
import { conditionOf, isGoing, type Model, readModel, stateOf } from './model.ts';

export interface Deployed extends DeployedModel {
  readonly resource: Model;
}

export async function deployedIn(cluster: Cluster, namespace: string): Promise<readonly Deployed[]> {
  return (await cluster.list(namespace)).map((object) => deployedOf(readModel(object)));
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
