/** The models that somebody sees who is told of no namespace: those of all; of one's own for who may look at no other. */
import { hasCode } from '../../contracts/errors.ts';
import type { Cluster } from '../ports.ts';
import { type Model, readModel } from './model.ts';

/** @param narrowed told where only one's own are seen */
export async function modelsInSight(
  cluster: Cluster,
  namespace: string | undefined,
  narrowed: () => void = () => {},
): Promise<readonly Model[]> {
  try {
    return (await cluster.list(namespace)).map(readModel);
  } catch (error) {
    if (namespace !== undefined || !hasCode(error, 'CLUSTER_FORBIDDEN')) throw error;
    narrowed();
    return (await cluster.list(cluster.namespace)).map(readModel);
  }
}
