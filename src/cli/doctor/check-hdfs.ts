/** Can payloads be read and written? */

import type { NameNodeState } from '../ports.ts';
import type { NameserviceFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';
import { notChecked } from './not-checked.ts';

export function checkHdfs(nameservices: readonly NameserviceFacts[]): readonly Finding[] {
  return nameservices.flatMap((facts) => [...checkReach(facts), ...checkNameNodes(facts)]);
}

function checkReach({ name, reached }: NameserviceFacts): readonly Finding[] {
  return reached.known ? [] : [finding('HdfsUnreachable', `hdfs ${name}`, reached.error.message)];
}

function checkNameNodes({ name, reached, nameNodes }: NameserviceFacts): readonly Finding[] {
  if (!nameNodes.known) return [notChecked(`name nodes of ${name}`, nameNodes.error)];
  const nodes = nameNodes.value;
  const safe = nodes.filter(({ role, safeMode }) => role === 'active' && safeMode === true);
  const away = nodes.filter(({ role }) => role === 'unreachable');
  return [
    ...checkActive(name, nodes, reached.known),
    ...safe.map(({ address }) => finding('NameNodeSafeMode', address, 'it says that it is in safe mode')),
    // Where nothing answers at all, that was told as one finding.
    ...(!reached.known && away.length === nodes.length
      ? []
      : away.map(({ address, problem }) => finding('NameNodeUnreachable', address, problem ?? 'no answer'))),
  ];
}

/** One of them, and only one, should be active. */
function checkActive(name: string, nodes: readonly NameNodeState[], reached: boolean): readonly Finding[] {
  const active = nodes.filter(({ role }) => role === 'active');
  if (active.length === 1) return [];
  const states = nodes.map(({ address, role }) => `${address} is ${role}`).join('; ');
  if (active.length > 1) return [finding('NameNodesSeveralActive', `hdfs ${name}`, states)];
  // One that answers something else may be the active one.
  const unsure = nodes.find(({ role }) => role === 'unknown');
  if (unsure !== undefined) {
    return reached ? [finding('NotChecked', unsure.address, unsure.problem ?? 'it does not say what it is')] : [];
  }
  const silent = nodes.every(({ role }) => role === 'unreachable');
  return silent ? [] : [finding('NameNodesNoneActive', `hdfs ${name}`, states)];
}
