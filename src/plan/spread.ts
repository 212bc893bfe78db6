/**
 * How the instances of a version spread, where the resource does not say it: over nodes, and over zones where nodes have
 * them. Both are wishes. What a resource says of spreading takes the place of both. See docs/adr/0047.
 */
import type { ModelDeploymentSpec } from '../contracts/resource.ts';

type Scheduling = NonNullable<ModelDeploymentSpec['scheduling']>;
type Json = Readonly<Record<string, unknown>>;
type Labels = Readonly<Record<string, string>>;

/** @param matchLabels of the version's pods */
export function spreadOverNodes({ topologySpreadConstraints }: Scheduling, matchLabels: Labels): readonly Json[] {
  const labelSelector = { matchLabels };
  if (topologySpreadConstraints !== undefined) {
    return topologySpreadConstraints.map((constraint) => ({ labelSelector, ...constraint }));
  }
  return [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector }];
}

/**
 * The affinity with the wish to be in another zone than the version's other instances. It is no second constraint of
 * topology: the scheduler does not score nodes that lack the label of any of them, so where nodes have no zones the
 * instances would not even spread over nodes.
 */
export function spreadOverZones(
  affinity: Json | undefined,
  { topologySpreadConstraints }: Scheduling,
  matchLabels: Labels,
): Json | undefined {
  const own = affinity?.['podAntiAffinity'];
  if (topologySpreadConstraints !== undefined || (own !== undefined && own !== null)) return affinity;
  const podAffinityTerm = { topologyKey: 'topology.kubernetes.io/zone', labelSelector: { matchLabels } };
  const preferred = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] };
  return { ...affinity, podAntiAffinity: preferred };
}
