/**
 * A version that clients will not take: they compare versions as texts and take the highest that is registered. Instances
 * of the same resource that are about to go do not count.
 */
import { type Outranked, outranked, whatClientsDo, whatToDoInstead } from '../contracts/version-order.ts';
import { type Verdict, yes } from './conditions.ts';
import type { Observation } from './observation.ts';

/** Undefined where clients take it, and where nobody can say. */
export function outrankedVerdict({ resource, registrations, pods }: Observation): Verdict | undefined {
  if (!registrations.known) return undefined;
  const own = new Set(pods.map(({ uid }) => uid));
  const others = [...registrations.byPod].filter(([uid]) => !own.has(uid)).map(([, { version }]) => version);
  const found: Outranked | undefined = outranked(resource.spec.version, [
    ...others,
    ...(registrations.elsewhere ?? []),
  ]);
  return found === undefined ? undefined : yes('Outranked', `${whatClientsDo(found)}. ${whatToDoInstead(found)}`);
}
