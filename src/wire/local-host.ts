/** Hosts of a URL that mean the machine of whoever reads it. */
import { withoutBrackets } from '../kernel/bare-address.ts';

const names = new Set([
  'localhost',
  'localhost.localdomain',
  'localhost4',
  'localhost6',
  'ip6-localhost',
  'ip6-loopback',
]);

/** @param host a name or an address in any spelling; IPv6 with or without brackets, also with a zone */
export function isLocalHost(host: string): boolean {
  const bare = withoutBrackets(host.toLowerCase());
  const name = bare.replace(/\.$/, '');
  if (names.has(name) || name.endsWith('.localhost')) return true;
  const url = URL.parse(`http://${bare.includes(':') ? `[${bare.replace(/%.*$/, '')}]` : bare}`);
  // As the parser writes addresses: 127.1 as 127.0.0.1, ::ffff:127.0.0.1 as ::ffff:7f00:1.
  return /^(127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]+\]|\[::ffff:0:0\])$/.test(
    url?.hostname ?? '',
  );
}
