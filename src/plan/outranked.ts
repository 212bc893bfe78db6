/**
 * A version that clients will not take: they compare versions as texts and take the highest that is registered. Instances
 * of the same resource that are about to go do not count.
 */
import { outranked, whatClientsDo, whatToDoInstead } from '../contracts/version-order.ts';
import { type Verdict, yes } from './conditions.ts';
import type { Observation } from './observation.ts';
import { versionsOfOthers } from './versions.ts';

/** Undefined where clients take it, and where nobody can say. */
export function outrankedVerdict(observation: Observation): Verdict | undefined {
  const found = outranked(observation.resource.spec.version, versionsOfOthers(observation));
  return found === undefined ? undefined : yes('Outranked', `${whatClientsDo(found)}. ${whatToDoInstead(found)}`);
}
