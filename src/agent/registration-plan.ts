/**
 * How an instance comes to be registered, whatever is there already: two ephemeral nodes, made or replaced in one
 * transaction. The registration is what clients see; the marker tells the operator which pod made it. An instance id
 * ends in the pod's UID, so nodes of this id are from an agent of this pod, or from somebody who should not have made
 * them; whose they are says the session that owns them.
 */
import { decodeMarker } from '../contracts/marker.ts';
import { diagnose, encodeRegistration, type Registration } from '../wire/service-instance.ts';

/** A node as it was read. */
export interface FoundNode {
  readonly data: Uint8Array;
  readonly stat: {
    readonly version: number;
    /** The session that owns an ephemeral node, 16 hexadecimal digits; undefined for a persistent one. */
    readonly ephemeralOwner: string | undefined;
  };
}

export interface Wanted {
  readonly registrationPath: string;
  readonly markerPath: string;
  readonly registration: Registration;
  /** The marker's data. */
  readonly marker: Uint8Array;
}

/** What a transaction is made of. What is deleted is the version that was judged, and created nodes are ephemeral. */
export type Operation =
  | { readonly type: 'create'; readonly path: string; readonly data: Uint8Array; readonly ephemeral: true }
  | { readonly type: 'delete'; readonly path: string; readonly version: number };

export type RegistrationPlan =
  /** Everything is as wanted. */
  | { readonly kind: 'keep' }
  | { readonly kind: 'write'; readonly operations: readonly Operation[] }
  /** Somebody else holds a node of this id: nothing is overwritten. */
  | { readonly kind: 'foreign'; readonly path: string; readonly owner: string | undefined }
  | { readonly kind: 'revoked' };

export interface Owners {
  /** The present session. */
  readonly session: string;
  /** Sessions of this pod's agents before it. */
  readonly earlier: ReadonlySet<string>;
}

export function isRevoked(marker: FoundNode | undefined): boolean {
  return marker !== undefined && decodeMarker(marker.data) === 'revoked';
}

export function isOurs(node: FoundNode, owners: Owners): boolean {
  const owner = node.stat.ephemeralOwner;
  return owner !== undefined && (owner === owners.session || owners.earlier.has(owner));
}

export function planRegistration(
  wanted: Wanted,
  found: { readonly registration: FoundNode | undefined; readonly marker: FoundNode | undefined },
  owners: Owners,
): RegistrationPlan {
  if (isRevoked(found.marker)) return { kind: 'revoked' };
  const operations: Operation[] = [];
  const nodes = [
    { path: wanted.markerPath, node: found.marker, data: wanted.marker, same: sameBytes },
    {
      path: wanted.registrationPath,
      node: found.registration,
      data: encodeRegistration(wanted.registration),
      same: (data: Uint8Array) => saysTheSame(data, wanted.registration),
    },
  ];
  for (const { path, node, data, same } of nodes) {
    if (node !== undefined) {
      if (!isOurs(node, owners)) return { kind: 'foreign', path, owner: node.stat.ephemeralOwner };
      // A node of an earlier session would vanish with it, so it is made anew in this one.
      if (node.stat.ephemeralOwner === owners.session && same(node.data, data)) continue;
      operations.push({ type: 'delete', path, version: node.stat.version });
    }
    operations.push({ type: 'create', path, data, ephemeral: true });
  }
  return operations.length === 0 ? { kind: 'keep' } : { kind: 'write', operations };
}

/** Does a registration tell clients the same as the wanted one, at whatever time it was made? */
export function saysTheSame(data: Uint8Array, wanted: Registration): boolean {
  const diagnosis = diagnose(data, wanted.model, wanted.id);
  if (diagnosis.verdict === 'fatal') return false;
  return sameBytes(data, encodeRegistration({ ...wanted, registeredAt: diagnosis.seen.registeredAt }));
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
