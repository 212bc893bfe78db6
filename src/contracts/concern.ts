/**
 * What concerns an operator as a whole and no single model: a namespace that it may not look at, another operator in its
 * way. The leader publishes the list as an annotation of its Lease, for `kubectl maas` and for people.
 */

import { z } from 'zod';
import { readJson } from '../kernel/schema-json.ts';
import { concernCatalogue } from './reason-catalogue.ts';

const concernReasons = Object.keys(concernCatalogue) as (keyof typeof concernCatalogue)[];

export const concern = z.object({
  reason: z.enum(concernReasons),
  /** What it is about: a namespace, or another operator. */
  subject: z.string(),
  /** Namespaces whose models it keeps from being looked after; `*` for all. */
  namespaces: z.array(z.string()).optional(),
  message: z.string(),
  /** What to do. */
  next: z.string(),
});
export type Concern = z.infer<typeof concern>;

/** Of the Lease. */
export const concernsAnnotation = 'maas.dev/concerns';

/** An annotation has to stay small beside all others. */
const most = 50;

export function encodeConcerns(concerns: readonly Concern[]): string {
  return JSON.stringify(concerns.slice(0, most));
}

/** Those that this program understands; a newer operator may have others. */
export function decodeConcerns(text: string | undefined): readonly Concern[] {
  const { value = [] } = readJson(text ?? '[]', z.array(z.unknown()));
  return value.flatMap((each) => concern.safeParse(each).data ?? []);
}

export function concerns(namespace: string): (each: Concern) => boolean {
  return (each) => each.namespaces?.some((name) => name === '*' || name === namespace) === true;
}
