/** Where a model listens that is called from beside it: it may have bound to any address of the pod. */
import { isIPv6, type LookupFunction } from 'node:net';

/** Where the agent asks a model: the host of the URL, and how it is looked up where it is no address. */
export interface AskedAt {
  readonly host: string;
  readonly lookup?: LookupFunction;
}

/** At the address that clients know; behind a shield, wherever it listens. */
export function askedAt(behindShield: boolean, podIp: string): AskedAt {
  return behindShield ? { host: 'localhost', lookup: localAddresses(podIp) } : { host: podIp };
}

/** Gives all of them for any name; connections try them in this order. */
export function localAddresses(podIp: string): LookupFunction {
  const all = ['127.0.0.1', '::1', podIp].map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return (_name, options, found) => {
    if (options.all === true) found(null, all);
    else found(null, '127.0.0.1', 4);
  };
}
