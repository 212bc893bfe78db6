/** Do clients that name no version get the newest one? */
import { compareAsPeople, servedVersion } from '../../wire/version-order.ts';
import { instancesOf } from '../zookeeper/zookeeper-side.ts';
import type { ZooKeeperFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';

export function checkVersions({ side }: ZooKeeperFacts): readonly Finding[] {
  const versions = new Map<string, Set<string>>();
  for (const { reading } of instancesOf(side)) {
    if (reading.state !== 'read' || reading.diagnosis.verdict !== 'readable') continue;
    const { model, version } = reading.diagnosis.seen;
    if (model === undefined) continue;
    versions.set(model, (versions.get(model) ?? new Set()).add(version));
  }
  return [...versions].flatMap(([model, all]) => {
    const served = servedVersion(all);
    if (served === undefined) return [];
    const newer = [...all].filter((version) => compareAsPeople(version, served) > 0).sort(compareAsPeople);
    const newest = newer.at(-1);
    if (newest === undefined) return [];
    const evidence = `clients that name no version get ${served}, because "${served}" is above "${newest}" as plain text; ${newest} is registered too`;
    return [finding('VersionOutranked', `model ${model}`, evidence)];
  });
}
