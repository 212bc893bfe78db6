/**
 * Whose is a model name? The namespace of the oldest ModelDeployment that names the model owns the name; within that
 * namespace the oldest of a version owns the version. Names never pass to another namespace by themselves: a
 * resource that was refused because of another namespace stays refused until it is made anew.
 */
import type { NameOwner } from '../contracts/resource-status.ts';
import { compareTexts } from '../kernel/text-order.ts';
import type { Peer } from './observation.ts';

/** Order of creation; the UID decides between two of one second, so that everybody comes to the same end. */
function older(a: Peer, b: Peer): number {
  return compareTexts(a.creationTimestamp, b.creationTimestamp) || compareTexts(a.uid, b.uid);
}

export type Claim =
  | { readonly owned: true }
  | { readonly owned: false; readonly owner: NameOwner; readonly message: string };

/**
 * @param mine this resource
 * @param peers all others that name the same model
 * @param refusedFor whom this resource was refused for before, from its status
 */
export function claimOf(mine: Peer, peers: readonly Peer[], refusedFor: NameOwner | undefined): Claim {
  const all = [mine, ...peers].sort(older);
  const first = all[0] ?? mine;
  if (first.namespace !== mine.namespace) return refused(first, elsewhere(first));
  const twin = all.find((peer) => peer.namespace === mine.namespace && peer.version === mine.version);
  if (twin !== undefined && twin.uid !== mine.uid) {
    return refused(twin, `version ${mine.version} of the model belongs to ${twin.namespace}/${twin.name}`);
  }
  if (refusedFor === undefined || refusedFor.namespace === mine.namespace) return { owned: true };
  return refused(
    refusedFor,
    `${elsewhere(refusedFor)}; the name is free now: delete and create this resource again to claim it`,
  );
}

function refused({ namespace, name }: NameOwner, message: string): Claim {
  return { owned: false, owner: { namespace, name }, message };
}

function elsewhere({ namespace, name }: NameOwner): string {
  return `the model name belongs to ${namespace}/${name}, in another namespace`;
}
