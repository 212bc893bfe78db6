/**
 * Whose a registration is. The registration itself has room for no such thing: an unknown field would blind every
 * client. An agent's marker tells it (docs/adr/0005), and only if the same session made both.
 */
import { decodeMarker, type Marker } from '../../contracts/marker.ts';
import { podUidOf } from '../../contracts/names.ts';

/**
 * `here`: an agent of this cluster made it. `other-cluster`: an agent of another one. `foreign`: the original on YARN, or
 * somebody by hand; never changed by us.
 */
export type Owner = 'here' | 'other-cluster' | 'foreign';

export interface MarkerNode {
  /** Id of the cluster in whose directory it is. */
  readonly cluster: string;
  readonly session: string | undefined;
  /** Undefined for what no agent wrote. */
  readonly marker: Marker | 'revoked' | undefined;
}

export function markerNode(cluster: string, node: { data: Uint8Array; session: string | undefined }): MarkerNode {
  return { cluster, session: node.session, marker: decodeMarker(node.data) };
}

/**
 * @param registration `id` is the node's name, `session` that of an ephemeral node
 * @param markers of that id, from all clusters
 * @param isHere is this marker of this cluster?
 */
export function ownerOf(
  registration: { readonly id: string; readonly model: string; readonly session: string | undefined },
  markers: readonly MarkerNode[],
  isHere: (marker: MarkerNode) => boolean,
): Owner {
  if (podUidOf(registration.id) === undefined || registration.session === undefined) return 'foreign';
  const proof = markers.find(
    ({ session, marker }) =>
      session === registration.session &&
      marker !== undefined &&
      (marker === 'revoked' || marker.model === registration.model),
  );
  if (proof === undefined) return 'foreign';
  return isHere(proof) ? 'here' : 'other-cluster';
}
