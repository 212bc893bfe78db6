/** Which versions clients find of each model. Pure. */
import { instancesOf, type ZooKeeperSide } from './zookeeper-side.ts';

/** By the model's name; what clients cannot read is left out. */
export function versionsRegistered(side: Pick<ZooKeeperSide, 'directories'>): ReadonlyMap<string, ReadonlySet<string>> {
  const versions = new Map<string, Set<string>>();
  for (const { reading } of instancesOf(side)) {
    if (reading.state !== 'read' || reading.diagnosis.verdict !== 'readable') continue;
    const { model, version } = reading.diagnosis.seen;
    if (model !== undefined) versions.set(model, (versions.get(model) ?? new Set()).add(version));
  }
  return versions;
}
