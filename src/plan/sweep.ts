/**
 * Which registrations are provably ours and have nobody behind them? A marker (contracts/marker.ts) whose pod does not
 * exist any more belongs to an agent that lives on somewhere, on a node that was cut off, say: its registration goes,
 * and the marker tells the agent not to come back.
 */
import { decodeMarker } from '../contracts/marker.ts';
import { instanceId, podUidOf } from '../contracts/names.ts';

export interface MarkerView {
  readonly id: string;
  readonly data: Uint8Array;
}

export interface Orphan {
  readonly id: string;
  readonly model: string;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
}

/**
 * Markers whose pod the watch does not hold. The watch may be behind: the caller asks the API server itself before it
 * acts, and acts only where marker and registration have one owner.
 */
export function suspectedOrphans(markers: readonly MarkerView[], podUids: Pick<ReadonlySet<string>, 'has'>): Orphan[] {
  const orphans: Orphan[] = [];
  for (const { id, data } of markers) {
    const uid = podUidOf(id);
    const marker = decodeMarker(data);
    if (uid === undefined || podUids.has(uid) || marker === undefined || marker === 'revoked') continue;
    if (id === instanceId(marker.pod, uid)) orphans.push({ id, uid, ...marker });
  }
  return orphans;
}
