/** Can payloads be read and written? */

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
  const active = nodes.filter(({ role }) => role === 'active');
  const found: Finding[] = [];
  const states = nodes.map(({ address, role }) => `${address} is ${role}`).join('; ');
  const answering = nodes.filter(({ role }) => role !== 'unreachable');
  // One that answers something else may be the active one.
  const unsure = nodes.find(({ role }) => role === 'unknown');
  if (active.length === 0 && unsure !== undefined && reached.known) {
    found.push(finding('NotChecked', unsure.address, unsure.problem ?? 'it does not say what it is'));
  } else if (active.length === 0 && unsure === undefined && answering.length > 0) {
    found.push(finding('NameNodesNoneActive', `hdfs ${name}`, states));
  }
  if (active.length > 1) found.push(finding('NameNodesSeveralActive', `hdfs ${name}`, states));
  for (const { address, safeMode } of active) {
    if (safeMode === true) found.push(finding('NameNodeSafeMode', address, 'it says that it is in safe mode'));
  }
  // Where nothing answers at all, that was told as one finding.
  if (!reached.known && answering.length === 0) return found;
  for (const { address, role, problem } of nodes) {
    if (role === 'unreachable') found.push(finding('NameNodeUnreachable', address, problem ?? 'no answer'));
  }
  return found;
}
