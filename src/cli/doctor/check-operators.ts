/** Do operators that share this ZooKeeper get into each other's way? Each leader says there who it is. */
import type { OperatorNode } from '../zookeeper/zookeeper-side.ts';
import type { ZooKeeperFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';

/** For so long the node of a leader that was lost may be there beside its successor's: the longest session, twice. */
const rememberedMs = 125_000;

export function checkOperators({ side }: ZooKeeperFacts, now: number): readonly Finding[] {
  return side.operators.flatMap((one, at) =>
    side.operators.slice(at + 1).flatMap((other) => checkPair(one, other, now)),
  );
}

function checkPair(one: OperatorNode, other: OperatorNode, now: number): readonly Finding[] {
  const both = `${nameOf(one)} and ${nameOf(other)}`;
  const found: Finding[] = [];
  if (one.clusterId === other.clusterId && one.namespace === other.namespace) {
    // A successor is younger than that; two that are both old live side by side.
    if (now - Math.max(one.createdAt, other.createdAt) < rememberedMs) return [];
    const evidence = `${one.identity} and ${other.identity} both lead in a namespace ${one.namespace}: they are in two clusters that have one id`;
    return [finding('ClusterIdTwice', `cluster id ${one.clusterId}`, evidence)];
  }
  if (one.clusterId === other.clusterId) {
    const shared = overlap(one, other);
    found.push(
      shared === undefined
        ? finding('ClusterIdShared', `cluster id ${one.clusterId}`, `${both} have it`)
        : finding('NamespacesOverlap', both, `both serve ${shared}`),
    );
  }
  if (one.queue !== undefined && one.queue === other.queue) {
    found.push(finding('QueueShared', both, `both take requests off the queue that ${one.queue} names`));
  }
  return found;
}

function nameOf({ clusterId, namespace }: OperatorNode): string {
  return `operator ${namespace} of cluster ${clusterId}`;
}

/** The namespaces of both, in words; undefined where there are none. */
function overlap(one: OperatorNode, other: OperatorNode): string | undefined {
  if (one.namespaces.length === 0 && other.namespaces.length === 0) return 'all namespaces';
  const [narrower, wider] = one.namespaces.length === 0 ? [other, one] : [one, other];
  const shared = narrower.namespaces.filter(
    (namespace) => wider.namespaces.length === 0 || wider.namespaces.includes(namespace),
  );
  return shared.length === 0 ? undefined : shared.join(', ');
}
