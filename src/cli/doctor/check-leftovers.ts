/** Is there something whose ModelDeployment is gone? Kubernetes takes it away with its owner, unless it was told not to. */
import { labels } from '../../contracts/names.ts';
import type { Asked } from '../cluster/asked.ts';
import { counted } from '../output/counted.ts';
import type { Leftover } from './facts.ts';
import { type Finding, finding } from './finding.ts';
import { isAway, notChecked } from './not-checked.ts';

export function checkLeftovers(leftovers: Asked<readonly Leftover[]>): readonly Finding[] {
  if (!leftovers.known) return isAway(leftovers.error) ? [] : [notChecked('leftovers of models', leftovers.error)];
  const byOwner = Map.groupBy(leftovers.value, ({ namespace, owner }) => `${namespace} ${owner}`);
  return [...byOwner.values()].flatMap((together) => {
    const [first] = together;
    if (first === undefined) return [];
    const { namespace, owner } = first;
    const names = together.map(({ name }) => name).join(', ');
    const evidence = `${counted(together.length, 'pinned payload')} of the ModelDeployment with the UID ${owner}, which is gone: ${names}`;
    const cure = `Delete it with \`kubectl delete deploy,pdb,cm -n ${namespace} -l ${labels.owner}=${owner}\`, unless it is to go on serving.`;
    return [finding('ModelOrphaned', `namespace ${namespace}`, evidence, cure)];
  });
}
