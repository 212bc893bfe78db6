/** Calls one instance as Stellar would, over a way that there is from here. */
import { isIP } from 'node:net';
import { type CallUrl, type ModelCall, modelCallUrl } from '../../wire/model-call.ts';
import { addressOf } from '../doctor/endpoint-addresses.ts';
import type { AnsweredCall, CallBounds, CallOutcome, ModelCaller, Ports } from '../ports.ts';
import type { Instance } from './instances.ts';
import { type StellarView, stellarView } from './stellar-view.ts';

export const ways = ['direct', 'api-server'] as const;
export type Way = (typeof ways)[number];

export interface Reachable extends Instance {
  readonly way: Way;
}

export interface Called extends StellarView {
  readonly instance: Reachable;
  /** Undefined where Stellar would ask nothing. */
  readonly url: string | undefined;
  readonly ms: number;
  readonly reply: AnsweredCall | undefined;
}

/** Within which an address accepts a connection that is worth trying directly. */
const touchMs = 1_000;

/**
 * Directly where the address can be reached from here; else through the API server, where it is a pod's own. What stands
 * behind a name, the site has put there, and the pod may listen at another port.
 */
export async function wayTo(instance: Instance, wanted: Way | undefined, ports: Pick<Ports, 'touch'>): Promise<Way> {
  if (instance.pod === undefined) return 'direct';
  if (wanted !== undefined) return wanted;
  const at = addressOf(instance.url);
  if (at === undefined || isIP(at.host) === 0) return 'direct';
  return (await ports.touch(at.host, at.port, touchMs)).outcome === 'connected' ? 'direct' : 'api-server';
}

export async function callInstance(
  instance: Reachable,
  call: Pick<ModelCall, 'function' | 'args'>,
  caller: ModelCaller,
  bounds: CallBounds,
): Promise<Called> {
  const { url, problem }: CallUrl = modelCallUrl({ endpoint: instance, ...call });
  if (url === undefined)
    return { instance, url, ms: 0, reply: undefined, gives: 'null', why: problem, answer: undefined };
  const outcome = await ask(instance, url, caller, bounds);
  const reply = outcome.kind === 'answered' ? outcome : undefined;
  return { instance, url, ms: outcome.ms, reply, ...stellarView(outcome) };
}

function ask({ pod, way }: Reachable, url: string, caller: ModelCaller, bounds: CallBounds): Promise<CallOutcome> {
  return way === 'direct' || pod === undefined
    ? caller.directly(url, bounds)
    : caller.throughApiServer(pod, url, bounds);
}
