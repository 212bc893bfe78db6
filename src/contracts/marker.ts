/**
 * Markers: for each registration its agent makes, in the same transaction and with the same session, a node below
 * markersPath (names.ts), outside of what clients read. It says which cluster and which pod the registration is of, and
 * which payload was verified there; and it is how the operator tells an agent whose pod is gone not to come back.
 */

import { z } from 'zod';
import { readJson } from '../kernel/schema-json.ts';

const markerData = z.object({
  /** `namespace/name` of the pod. */
  pod: z.string().regex(/^[^/]+\/[^/]+$/),
  /** Directory of the registration below the service root. */
  model: z.string().min(1),
  digest: z.string().optional(),
});

export interface Marker {
  readonly namespace: string;
  readonly pod: string;
  readonly model: string;
  /** Digest of the payload that the agent has verified; agents of earlier releases do not say it. */
  readonly digest?: string | undefined;
}

/** What a marker says once its agent may not register any more. */
export const revokedMarker = 'revoked';

export function encodeMarker({ namespace, pod, model, digest }: Marker): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ pod: `${namespace}/${pod}`, model, digest }));
}

/** Undefined for what no agent of ours wrote. */
export function decodeMarker(data: Uint8Array): Marker | 'revoked' | undefined {
  const text = new TextDecoder().decode(data);
  if (text === revokedMarker) return 'revoked';
  const { value } = readJson(text, markerData);
  if (value === undefined) return undefined;
  const [namespace = '', pod = ''] = value.pod.split('/');
  const { model, digest } = value;
  return { namespace, pod, model, ...(digest === undefined ? {} : { digest }) };
}
