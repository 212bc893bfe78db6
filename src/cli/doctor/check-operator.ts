/** Does the operator run, and does one of its replicas lead? */
import { formatAge, formatDuration } from '../../contracts/duration.ts';
import { lapsedForMs } from '../cluster/operator-lease.ts';
import type { ClusterFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';
import { isAway, notChecked } from './not-checked.ts';

export function checkOperator(cluster: ClusterFacts, now: number): readonly Finding[] {
  return [...checkDeployments(cluster), ...checkLease(cluster, now)];
}

function checkDeployments({ operators, namespace }: ClusterFacts): readonly Finding[] {
  if (!operators.known) {
    return isAway(operators.error) ? [] : [notChecked(`deployments in ${namespace}`, operators.error)];
  }
  if (operators.value.length === 0) {
    return [finding('OperatorMissing', `namespace ${namespace}`, 'no Deployment has the labels of the operator')];
  }
  return operators.value.flatMap(({ name, wanted, ready }) => {
    const subject = `deployment ${namespace}/${name}`;
    const evidence = `${ready} of ${wanted} pods are ready`;
    if (ready === 0) return [finding('OperatorNotRunning', subject, evidence)];
    return ready < wanted ? [finding('OperatorDegraded', subject, evidence)] : [];
  });
}

function checkLease({ lease, operators, namespace }: ClusterFacts, now: number): readonly Finding[] {
  const subject = `lease ${namespace}/maas-operator`;
  if (!lease.known) return isAway(lease.error) ? [] : [notChecked(subject, lease.error)];
  // Without an operator nobody can lead, and that was told.
  if (operators.known && operators.value.length === 0) return [];
  const facts = lease.value;
  if (facts === undefined) return [finding('OperatorNotLeading', subject, 'no replica has ever led')];
  if (facts.holder === undefined || facts.renewedAt === undefined) {
    return [finding('OperatorNotLeading', subject, 'the last leader gave the lease back')];
  }
  const age = lapsedForMs(facts, now);
  if (age === undefined) return [];
  const evidence = `${facts.holder} last renewed it ${formatAge(age)} ago, and it holds for ${formatDuration(facts.durationMs)}`;
  return [finding('OperatorNotLeading', subject, evidence)];
}
