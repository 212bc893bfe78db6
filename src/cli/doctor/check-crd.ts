/** Does the cluster know ModelDeployments as this program does? */
import { group } from '../../contracts/api-group.ts';
import { apiVersion, plural } from '../../contracts/resource.ts';
import type { ClusterFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';
import { isAway, notChecked } from './not-checked.ts';

const name = `${plural}.${group}`;
const version = apiVersion.slice(apiVersion.indexOf('/') + 1);

/** @param knownFields of the spec, as in CrdFacts */
export function checkCrd({ crd }: Pick<ClusterFacts, 'crd'>, knownFields: readonly string[]): readonly Finding[] {
  const subject = `crd/${name}`;
  if (!crd.known) return isAway(crd.error) ? [] : [notChecked(subject, crd.error)];
  const facts = crd.value;
  if (facts === undefined) return [finding('CrdMissing', subject, `there is no ${name}`)];
  const served = facts.versions.filter((each) => each.served).map((each) => each.name);
  if (!served.includes(version)) {
    const others = served.length === 0 ? 'none' : served.join(', ');
    return [finding('CrdNotServed', subject, `${version} is not served; served: ${others}`)];
  }
  if (!facts.established) return [finding('CrdNotServed', subject, 'the CRD is not established')];
  const missing = knownFields.filter((field) => !facts.specFields.includes(field));
  return missing.length === 0
    ? []
    : [finding('CrdOlder', subject, `missing: ${missing.map((field) => `spec.${field}`).join(', ')}`)];
}
