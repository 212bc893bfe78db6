/** HorizontalPodAutoscalers of ModelDeployments. KEDA makes one for each of its ScaledObjects, so these are all there are. */
import { hasCode } from '../../contracts/errors.ts';
import { kind } from '../../contracts/resource.ts';
import { compareTexts } from '../../kernel/text-order.ts';
import type { KubeClient } from './client.ts';
import { modelDeployments } from './model-cluster.ts';
import { groupOf, horizontalPodAutoscalers } from './resource-kind.ts';

interface Autoscaler {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

/**
 * Those of a namespace, by the name of the ModelDeployment that each is for; of two for one, the first by its name.
 * Empty where they cannot be seen: who may change models need not be allowed to look at autoscalers.
 */
export async function autoscalersIn(
  client: Pick<KubeClient, 'list'>,
  namespace: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, Autoscaler>> {
  const found = new Map<string, Autoscaler>();
  try {
    const { items } = await client.list(horizontalPodAutoscalers, { namespace, ...(signal && { signal }) });
    for (const { metadata, spec } of items.toSorted((a, b) => compareTexts(a.metadata.name, b.metadata.name))) {
      const target = spec?.scaleTargetRef;
      if (spec === undefined || target?.kind !== kind || found.has(target.name)) continue;
      if (groupOf(target.apiVersion ?? '') !== groupOf(modelDeployments.apiVersion)) continue;
      found.set(target.name, { name: metadata.name, min: spec.minReplicas ?? 1, max: spec.maxReplicas });
    }
  } catch (error) {
    if (!hasCode(error, 'CLUSTER_FORBIDDEN', 'CLUSTER_NOT_FOUND')) throw error;
  }
  return found;
}
