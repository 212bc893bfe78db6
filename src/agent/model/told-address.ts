/** Which address clients are told, and so what a model has to bind to. */
import { isIP } from 'node:net';
import { withoutBrackets } from '../../kernel/bare-address.ts';
import type { Pod } from '../assignment.ts';
import { advertisedEndpoint } from './advertised-endpoint.ts';
import { canonicalAddress, familiesTold, familyOf, type Reachable } from './listening-sockets.ts';

export interface Told {
  /** As it stands in the URL: `10.0.0.7`, `[fd00::5]`, `models.example`. */
  readonly host: string;
  readonly reachable: Reachable;
}

/** @param advertise as in the resource; a template that cannot be used is told about when something is registered */
export function toldAddress(
  advertise: string,
  pod: Pod,
  model: { readonly name: string; readonly version: string },
): Told {
  const host = hostOf(advertise, pod, model);
  const address = withoutBrackets(host);
  const canonical = isIP(address) === 0 ? undefined : canonicalAddress(address);
  if (canonical === undefined) return { host, reachable: 'any' };
  const same = (other: string) => canonicalAddress(other) === canonical;
  // The pod is on the node's network only where the resource says Node; else what the node takes is passed on to the pod,
  // which does not change its family.
  if (advertise === 'Node' || same(pod.ip)) return { host, reachable: new Set([canonical]) };
  return { host, reachable: same(pod.nodeIp) ? familyOf(canonical) : 'any' };
}

/** What a service binds to so that clients who were told this reach it. */
export function bindAdvice({ reachable }: Pick<Told, 'reachable'>): string {
  const told = familiesTold(reachable);
  if (told.length > 1) return '0.0.0.0 or ::';
  return told[0] === 'IPv6' ? '::' : '0.0.0.0';
}

function hostOf(advertise: string, pod: Pod, model: { readonly name: string; readonly version: string }): string {
  const anyEndpoint = { scheme: 'http', port: 1, path: '', functions: {}, otherHost: undefined } as const;
  try {
    return new URL(advertisedEndpoint(advertise, anyEndpoint, pod, model)).hostname;
  } catch {
    return advertise;
  }
}
