/** What the operator's Lease tells: who leads, since when, and what keeps it from its work. */
import { z } from 'zod';
import { type Concern, concernsAnnotation, decodeConcerns } from '../../contracts/concern.ts';
import type { ApiObject } from '../ports.ts';

export const leaseName = 'maas-operator';
/** Beside the Lease's own duration: clocks differ, and a new leader needs its turn. */
const graceMs = 10_000;

export interface LeaseFacts {
  readonly holder: string | undefined;
  /** Milliseconds since 1970, by the leader's clock. */
  readonly renewedAt: number | undefined;
  readonly durationMs: number;
  readonly concerns: readonly Concern[];
}

/** What is not understood is as if it was not there. */
const leaseObject = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).catch({}) }).catch({ annotations: {} }),
  spec: z
    .object({
      holderIdentity: z.string().catch(''),
      renewTime: z.string().catch(''),
      leaseDurationSeconds: z.number().catch(15),
    })
    .catch({ holderIdentity: '', renewTime: '', leaseDurationSeconds: 15 }),
});

export function leaseFacts(object: ApiObject): LeaseFacts {
  const { metadata, spec } = leaseObject.parse(object);
  const renewedAt = Date.parse(spec.renewTime);
  return {
    holder: spec.holderIdentity || undefined,
    renewedAt: Number.isNaN(renewedAt) ? undefined : renewedAt,
    durationMs: spec.leaseDurationSeconds * 1_000,
    concerns: decodeConcerns(metadata.annotations[concernsAnnotation]),
  };
}

/** Since when nobody leads, in milliseconds; undefined where somebody does, or it does not tell. */
export function lapsedForMs({ renewedAt, durationMs }: Omit<LeaseFacts, 'concerns'>, now: number): number | undefined {
  const age = now - (renewedAt ?? Number.NaN);
  return age > durationMs + graceMs ? age : undefined;
}
