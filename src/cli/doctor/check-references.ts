/** Is there what a model names? */

import { type Finding, finding } from './finding.ts';
import type { ReferenceFacts } from './gather-references.ts';
import { isAway } from './not-checked.ts';

/** @param subject of the model that names them */
export function checkReferences(subject: string, references: readonly ReferenceFacts[]): readonly Finding[] {
  return references.flatMap(({ kind, namespace, name, keys, field, found }) => {
    const where = namespace === undefined ? '' : ` in namespace ${namespace}`;
    if (!found.known) {
      if (isAway(found.error)) return [];
      return [
        finding('NotChecked', subject, `spec.${field}: ${kind} ${name}: ${found.error.message}`, found.error.next),
      ];
    }
    const present = found.value;
    if (present === undefined) {
      return [finding('ReferenceMissing', subject, `spec.${field}: there is no ${kind} ${name}${where}`)];
    }
    const missing = keys.filter((key) => !present.includes(key));
    if (missing.length === 0) return [];
    return [
      finding('ReferenceMissing', subject, `spec.${field}: ${kind} ${name}${where} has no key ${missing.join(', ')}`),
    ];
  });
}
