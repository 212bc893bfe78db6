/** Touches each registered address. Registrations are other people's text: only hosts and ports are taken from them. */

import { mapBounded } from '../../kernel/bounded.ts';
import { isLocalHost } from '../../wire/local-host.ts';
import type { Ports, Touch } from '../ports.ts';
import type { ZooKeeperSide } from '../zookeeper/zookeeper-side.ts';
import { endpointAddresses } from './endpoint-addresses.ts';
import type { EndpointFacts } from './facts.ts';

const parallelism = 32;
/** A server that serves one connection at a time does not listen while it serves, or between two. */
const attempts = 4;
const pauseMs = 400;

export function gatherEndpoints(
  side: ZooKeeperSide,
  ports: Pick<Ports, 'touch' | 'clock' | 'signal'>,
  timeoutMs: number,
): Promise<readonly EndpointFacts[]> {
  return mapBounded(endpointAddresses(side), parallelism, async (address) => ({
    ...address,
    touch: isLocalHost(address.host) ? undefined : await touchPatiently(address.host, address.port, ports, timeoutMs),
  }));
}

/** One refused connection proves little; several in a row do. */
export async function touchPatiently(
  host: string,
  port: number,
  { touch, clock, signal }: Pick<Ports, 'touch' | 'clock' | 'signal'>,
  timeoutMs: number,
): Promise<Touch> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await touch(host, port, timeoutMs);
    if (outcome.outcome !== 'refused' || attempt >= attempts) return outcome;
    await clock.sleep(pauseMs, signal);
  }
}
