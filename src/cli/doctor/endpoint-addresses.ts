/** The addresses that clients would connect to, each once. */
import { withoutBrackets } from '../../kernel/bare-address.ts';
import { instancesOf, type ZooKeeperSide } from '../zookeeper/zookeeper-side.ts';

export interface EndpointAddress {
  readonly host: string;
  readonly port: number;
  /** Nodes that name it. */
  readonly paths: readonly string[];
}

/** In the order of the nodes. URLs that clients cannot use are told by checkRegistrations and left out here. */
export function endpointAddresses(side: ZooKeeperSide): readonly EndpointAddress[] {
  const byAddress = new Map<string, EndpointAddress>();
  for (const { path, reading } of instancesOf(side)) {
    if (reading.state !== 'read' || reading.diagnosis.verdict !== 'readable') continue;
    const address = addressOf(reading.diagnosis.seen.url ?? '');
    if (address === undefined) continue;
    const key = JSON.stringify([address.host, address.port]);
    byAddress.set(key, { ...address, paths: [...(byAddress.get(key)?.paths ?? []), path] });
  }
  return [...byAddress.values()];
}

/** Host (an IPv6 address without brackets) and port that a client of this URL connects to. */
export function addressOf(url: string): { readonly host: string; readonly port: number } | undefined {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return undefined;
  const { protocol, hostname, port } = new URL(url);
  if (hostname === '') return undefined;
  return {
    host: withoutBrackets(hostname),
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  };
}
