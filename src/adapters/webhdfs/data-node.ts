/**
 * The second half of OPEN, CREATE and GETFILECHECKSUM: the redirect to a data node, and how to name a data node that
 * failed so that the name node offers another one.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { MaasError } from '../../contracts/errors.ts';
import { withoutBrackets } from '../../kernel/bare-address.ts';
import { printable } from './redact.ts';

/** The target of a redirect. @throws HDFS_ERROR when there is none that can be used, or it would leave TLS */
export function redirectTarget(location: string | undefined, base: URL, what: string): URL {
  const target = location === undefined ? null : URL.parse(location, base);
  if (target === null || (target.protocol !== 'http:' && target.protocol !== 'https:')) {
    throw new MaasError('HDFS_ERROR', `Could not ${what}: a redirect without a usable Location`);
  }
  // The redirect carries the user's token.
  if (base.protocol === 'https:' && target.protocol === 'http:') {
    throw new MaasError('HDFS_ERROR', `Could not ${what}: the redirect to ${printable(target.host)} leaves TLS`);
  }
  return target;
}

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/**
 * How `excludedatanodes` wants a data node named: the IP address it registered with. A host name, or the port of its
 * web server as in the redirect, is silently not found. The port asked for is that of data transfer, which
 * a redirect does not tell; without a port any data node at the address is meant.
 *
 * @param peer IP address of the connection, where there was one
 */
export async function excludableName(target: URL, peer: string | undefined): Promise<string | undefined> {
  // An IPv6 address cannot be named there: the name node takes its colons for the port's.
  const ip4 = (address: string) => (isIP(address) === 4 ? address : undefined);
  if (peer !== undefined) return ip4(peer);
  const host = withoutBrackets(target.hostname);
  if (isIP(host) !== 0) return ip4(host);
  try {
    return ip4((await lookup(host, { family: 4 })).address);
  } catch {
    return undefined;
  }
}
