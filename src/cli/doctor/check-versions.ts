/** Do clients that name no version get the newest one? */
import {
  compareAsPeople,
  outranked,
  servedVersion,
  whatClientsDo,
  whatToDoInstead,
} from '../../contracts/version-order.ts';
import { isGoing } from '../cluster/model.ts';
import { versionsRegistered } from '../zookeeper/versions-registered.ts';
import type { Facts, ZooKeeperFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';

/**
 * What is registered beside a higher version may be meant to be asked for by its name, unless people would call it newer;
 * what somebody deploys now is meant to be taken, unless people would call it older.
 */
export function checkVersions({ side }: ZooKeeperFacts, models: Facts['models']): readonly Finding[] {
  const present = (models.known ? models.value : []).map(({ model }) => model).filter((model) => !isGoing(model));
  return [...versionsRegistered(side)].flatMap(([model, registered]) => {
    const served = servedVersion(registered) ?? '';
    const wanted = present.filter(({ spec }) => spec.name === model).map(({ spec }) => spec.version);
    const below = [
      ...[...registered].filter((version) => compareAsPeople(version, served) > 0),
      ...wanted.filter((version) => compareAsPeople(version, served) >= 0),
    ]
      .toSorted(compareAsPeople)
      .flatMap((version) => outranked(version, registered) ?? []);
    const newest = below.at(-1);
    if (newest === undefined) return [];
    const there = registered.has(newest.version) ? 'is registered too' : 'is deployed';
    const evidence = `${whatClientsDo(newest)}; ${newest.version} ${there}`;
    return [finding('VersionOutranked', `model ${model}`, evidence, whatToDoInstead(newest))];
  });
}
