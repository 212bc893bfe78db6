/** Every registration as clients read it, and whose it is. Pure. */
import { type MarkerNode, type Owner, ownerOf } from './owner.ts';
import { instancesOf, type ZooKeeperSide } from './zookeeper-side.ts';

export type Registered = UnreadableRegistration | ReadRegistration;

export interface UnreadableRegistration {
  readonly path: string;
  /** Why clients cannot read it. */
  readonly problem: string;
}

export interface ReadRegistration {
  readonly path: string;
  readonly problem: undefined;
  readonly owner: Owner;
  readonly model: string;
  readonly version: string;
  readonly url: string | undefined;
  readonly functions: Readonly<Record<string, string>>;
}

/** @param isHere is this marker of this cluster? */
export function registrationsIn(
  side: Pick<ZooKeeperSide, 'directories' | 'markers'>,
  isHere: (marker: MarkerNode) => boolean,
): readonly Registered[] {
  return instancesOf(side).map(({ model: directory, id, path, reading }) => {
    if (reading.state === 'hidden') return { path, problem: reading.problem };
    const { diagnosis, session } = reading;
    if (diagnosis.verdict === 'fatal') return { path, problem: diagnosis.reasons.join('; ') };
    const { model = directory, version, url, functions = {} } = diagnosis.seen;
    const owner = ownerOf({ id, model: directory, session }, side.markers.get(id) ?? [], isHere);
    return { path, problem: undefined, owner, model, version, url, functions };
  });
}
