/** May the operator do what it does, and may the caller do what the commands do? */

import type { ClusterFacts, PermissionFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';
import { isAway, notChecked } from './not-checked.ts';

export function checkPermissions({ operatorMay, callerMay }: ClusterFacts): readonly Finding[] {
  const found: Finding[] = [];
  if (operatorMay.known) found.push(...missing(operatorMay.value, 'OperatorPermissionMissing', 'the operator'));
  else if (!isAway(operatorMay.error)) found.push(notChecked("the operator's permissions", operatorMay.error));
  if (callerMay.known) found.push(...missing(callerMay.value, 'CallerPermissionMissing', 'you'));
  else if (!isAway(callerMay.error)) found.push(notChecked('your permissions', callerMay.error));
  return found;
}

/** One finding a resource and namespace: verbs are granted together. */
function missing(
  permissions: readonly PermissionFacts[],
  code: 'OperatorPermissionMissing' | 'CallerPermissionMissing',
  who: string,
): readonly Finding[] {
  const refused = Map.groupBy(
    permissions.filter(({ allowed }) => !allowed),
    ({ resource, namespace }) => JSON.stringify([resource, namespace]),
  );
  return [...refused.values()].flatMap((together) => {
    const [first] = together;
    if (first === undefined) return [];
    const verbs = together.map(({ verb }) => verb).join(', ');
    const where = first.namespace === undefined ? 'the whole cluster' : `namespace ${first.namespace}`;
    return [finding(code, first.resource, `${who} may not ${verbs} ${first.resource} in ${where}: ${first.why}`)];
  });
}
