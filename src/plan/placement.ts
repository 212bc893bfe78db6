/**
 * Where and when instances run, as YARN's words are in Kubernetes: the queue as labels or a priority class, the node
 * label expression as node affinity. See docs/adr/0025.
 */
import { type NodeSelectorTerm, nodeSelectorTerms, parseNodeLabels } from '../contracts/node-label-expression.ts';
import type { ModelDeployment, ModelDeploymentSpec } from '../contracts/resource.ts';
import type { SchedulingSettings } from '../contracts/settings.ts';

/** Kueue reads it from a Deployment and from pods. */
export const kueueQueueLabel = 'kueue.x-k8s.io/queue-name';
/** YuniKorn reads them from pods. */
const yunikornQueueLabel = 'yunikorn.apache.org/queue';
const yunikornApplicationLabel = 'yunikorn.apache.org/app-id';

type Scheduling = NonNullable<ModelDeploymentSpec['scheduling']>;
type Json = Readonly<Record<string, unknown>>;

export interface QueuePlacement {
  /** Of the pods. */
  readonly labels: Readonly<Record<string, string>>;
  readonly priorityClassName: string | undefined;
}

/** A priority class that the resource names goes before the one of its queue. */
export function queuePlacement(resource: ModelDeployment, settings: SchedulingSettings): QueuePlacement {
  const scheduling = resource.spec.scheduling ?? {};
  const asked = scheduling.queue ?? settings.queue;
  if (asked === undefined) return { labels: {}, priorityClassName: scheduling.priorityClassName };
  const queue = Object.hasOwn(settings.queueNames, asked) ? (settings.queueNames[asked] ?? asked) : asked;
  const kueue = { [kueueQueueLabel]: queue };
  // All pods of one resource are one application to YuniKorn, over its versions too.
  const yunikorn = { [yunikornQueueLabel]: queue, [yunikornApplicationLabel]: resource.metadata.uid };
  switch (settings.queueAs) {
    case 'Labels':
      return { labels: { ...kueue, ...yunikorn }, priorityClassName: scheduling.priorityClassName };
    case 'Kueue':
      return { labels: kueue, priorityClassName: scheduling.priorityClassName };
    case 'YuniKorn':
      return { labels: yunikorn, priorityClassName: scheduling.priorityClassName };
    case 'PriorityClass':
      return { labels: {}, priorityClassName: scheduling.priorityClassName ?? queue };
  }
}

/** The affinity of the pods: the resource's own, narrowed by the node label expression. Undefined for none. */
export function affinityOf(scheduling: Scheduling, settings: SchedulingSettings): Json | undefined {
  const expression = scheduling.nodeLabelExpression ?? settings.nodeLabelExpression ?? '';
  // One that cannot be read has been refused with the spec or the settings.
  const parsed = parseNodeLabels(expression);
  if (!parsed.ok) return scheduling.affinity;
  const own = objectOf(objectOf(scheduling.affinity)['nodeAffinity']);
  const required = objectOf(own['requiredDuringSchedulingIgnoredDuringExecution']);
  const terms = nodeSelectorTerms(parsed.terms, settings.nodeLabelPrefix);
  const present = required['nodeSelectorTerms'];
  const narrowed = Array.isArray(present) ? present.map(objectOf).flatMap((term) => narrow(term, terms)) : terms;
  return {
    ...scheduling.affinity,
    nodeAffinity: {
      ...own,
      requiredDuringSchedulingIgnoredDuringExecution: { ...required, nodeSelectorTerms: narrowed },
    },
  };
}

/** Terms are alternatives, so that both lists hold, each of the one is joined with each of the other. */
function narrow(term: Json, terms: readonly NodeSelectorTerm[]): readonly Json[] {
  const own = listOf(term['matchExpressions']);
  // An empty term matches no node; requirements of ours would make it match some.
  if (own.length === 0 && listOf(term['matchFields']).length === 0) return [term];
  return terms.map(({ matchExpressions }) => ({ ...term, matchExpressions: [...own, ...matchExpressions] }));
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
