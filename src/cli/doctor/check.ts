/** All checks: from facts to findings, without asking anybody anything. */
import { customResourceDefinition } from '../../contracts/crd.ts';
import { checkAccess } from './check-access.ts';
import { checkConfiguration } from './check-configuration.ts';
import { checkCrd } from './check-crd.ts';
import { checkEndpoints } from './check-endpoints.ts';
import { checkHdfs } from './check-hdfs.ts';
import { checkLeftovers } from './check-leftovers.ts';
import { checkModels } from './check-models.ts';
import { checkOperator } from './check-operator.ts';
import { checkOperators } from './check-operators.ts';
import { checkPermissions } from './check-permissions.ts';
import { checkQueues } from './check-queues.ts';
import { checkRegistrations } from './check-registrations.ts';
import { checkVersions } from './check-versions.ts';
import { crdFacts } from './crd-facts.ts';
import type { Facts } from './facts.ts';
import { type Finding, inOrder } from './finding.ts';

export function check(facts: Facts): readonly Finding[] {
  const zookeeper = facts.zookeeper?.known === true ? facts.zookeeper.value : undefined;
  return inOrder([
    ...checkAccess(facts),
    ...(zookeeper === undefined
      ? []
      : [
          ...checkConfiguration(zookeeper),
          ...checkRegistrations(zookeeper),
          ...checkVersions(zookeeper, facts.models),
          ...checkQueues(zookeeper, facts.now),
          ...checkOperators(zookeeper, facts.now),
        ]),
    ...checkEndpoints(facts.endpoints ?? []),
    ...checkModels(facts.models, facts.settings, facts.now),
    ...checkLeftovers(facts.leftovers),
    ...checkCrd(facts.cluster, crdFacts(customResourceDefinition()).specFields),
    ...checkOperator(facts.cluster, facts.now),
    ...checkPermissions(facts.cluster),
    ...checkHdfs(facts.hdfs),
  ]);
}
