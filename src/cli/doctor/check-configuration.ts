/** The configuration node, as the operator and as Stellar read it. */
import type { ZooKeeperFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';

export function checkConfiguration({ side, stellarConfig }: ZooKeeperFacts): readonly Finding[] {
  const nodes = side.config.path === stellarConfig.path ? [stellarConfig] : [stellarConfig, side.config];
  const found = nodes.flatMap(({ path, exists, problem }) => {
    if (problem !== undefined) return [finding('ConfigurationUnreadable', path, problem)];
    return exists ? [] : [finding('ConfigurationMissing', path, 'the node does not exist')];
  });
  const [ours, theirs] = [side.config.config?.serviceRoot, stellarConfig.config?.serviceRoot];
  if (ours !== undefined && theirs !== undefined && ours !== theirs) {
    const evidence = `it says ${ours}, and ${stellarConfig.path}, which Stellar reads, says ${theirs}`;
    found.push(finding('ConfigurationElsewhere', side.config.path, evidence));
  }
  if (side.config.config !== undefined && side.queue.path === undefined) {
    found.push(finding('QueuePathUnusable', side.config.path, 'queueConfig has no zk_path that is the path of a node'));
  }
  return found;
}
