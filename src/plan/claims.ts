/**
 * Whose is a model name? The namespace of the oldest ModelDeployment that names the model owns the name; within that
 * namespace the oldest of a version owns the version. Names never pass to another namespace by themselves: a
 * resource that was refused because of another namespace stays refused until it is made anew.
 */

import { reasonOf } from '../contracts/reasons.ts';
import type { Condition } from '../contracts/resource.ts';
import { compareTexts } from '../kernel/text-order.ts';
import type { Peer } from './observation.ts';

export const nameOwnedReason = reasonOf('NAME_OWNED');

/** Order of creation; the UID decides between two of one second, so that everybody comes to the same end. */
function older(a: Peer, b: Peer): number {
  return compareTexts(a.creationTimestamp, b.creationTimestamp) || compareTexts(a.uid, b.uid);
}

export type Claim = { readonly owned: true } | { readonly owned: false; readonly message: string };

/**
 * @param mine this resource
 * @param peers all others that name the same model
 * @param stalled this resource's present Stalled condition, which remembers an earlier refusal
 */
export function claimOf(mine: Peer, peers: readonly Peer[], stalled: Condition | undefined): Claim {
  const all = [mine, ...peers].sort(older);
  const first = all[0] ?? mine;
  if (first.namespace !== mine.namespace) {
    return {
      owned: false,
      message: `the model name belongs to ${first.namespace}/${first.name}, in another namespace`,
    };
  }
  const twin = all.find((peer) => peer.namespace === mine.namespace && peer.version === mine.version);
  if (twin !== undefined && twin.uid !== mine.uid) {
    return { owned: false, message: `version ${mine.version} of the model belongs to ${twin.namespace}/${twin.name}` };
  }
  const refusedBefore =
    stalled?.status === 'True' && stalled.reason === nameOwnedReason && stalled.message.includes(otherNamespace);
  if (refusedBefore) {
    return {
      owned: false,
      message: `${stalled.message.replace(releasedSuffix, '')}${releasedSuffix}`,
    };
  }
  return { owned: true };
}

const otherNamespace = 'in another namespace';
const releasedSuffix = '; the name is free now: delete and create this resource again to claim it';
