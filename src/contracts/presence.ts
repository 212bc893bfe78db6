/**
 * How operators that share a ZooKeeper know of each other: each leader keeps an ephemeral node below its cluster's
 * directory that says who it is and what it serves.
 */

import { z } from 'zod';
import { readJson } from '../kernel/schema-json.ts';

const presence = z.object({
  /** Of the operator's own pods; one release is one namespace. */
  namespace: z.string(),
  /** Differs between any two processes. */
  identity: z.string(),
  /** Namespaces whose ModelDeployments it serves; empty means all. */
  namespaces: z.array(z.string()),
  /** The configuration node whose queue it takes requests from; absent where it takes none. */
  queue: z.string().optional(),
});
/** What one operator says of itself. */
export type Presence = z.infer<typeof presence>;

export function presencesPath(operatorRoot: string, clusterId: string): string {
  return `${operatorRoot === '/' ? '' : operatorRoot}/${clusterId}/operators`;
}

export function encodePresence(value: Presence): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Undefined for what no operator of ours wrote. */
export function decodePresence(data: Uint8Array): Presence | undefined {
  return readJson(new TextDecoder().decode(data), presence).value;
}
