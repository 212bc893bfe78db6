/**
 * Who listens on a port, read from the kernel's tables. No connection is opened for it: models in the wild serve one
 * connection at a time, and a probe would take the place of a client.
 */

/** One row of /proc/net/tcp or /proc/net/tcp6 that matters here. */
export interface Socket {
  /** `10.0.0.7`, or 32 hexadecimal digits for an IPv6 address; v4-mapped ones are written as the IPv4 address. */
  readonly address: string;
  readonly port: number;
  readonly state: 'listen' | 'established';
  readonly uid: number;
  readonly inode: string;
}

const states: Readonly<Record<string, Socket['state']>> = { '0A': 'listen', '01': 'established' };

/**
 * The rows of a table, for one local port; rows in other states and rows that cannot be read are left out.
 *
 * @param table text of /proc/net/tcp or /proc/net/tcp6
 * @param littleEndian byte order of the machine: addresses are printed as 32-bit words of the host
 */
export function socketsOnPort(table: string, port: number, littleEndian: boolean): Socket[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const found: Socket[] = [];
  for (const line of table.split('\n')) {
    // A cheap test first: on the node's network the table may have tens of thousands of rows.
    if (!line.includes(wanted)) continue;
    const [, local, , code, , , , uid, , inode] = line.trim().split(/\s+/);
    const state = states[code ?? ''];
    if (local === undefined || state === undefined || uid === undefined || inode === undefined) continue;
    const [hex, localPort] = local.split(':');
    if (hex === undefined || localPort === undefined || Number.parseInt(localPort, 16) !== port) continue;
    if (!/^([0-9A-F]{8}|[0-9A-F]{32})$/.test(hex) || !/^[0-9]+$/.test(uid)) continue;
    found.push({ address: addressOf(hex, littleEndian), port, state, uid: Number(uid), inode });
  }
  return found;
}

/** Undoes the host's byte order, word by word. */
function addressOf(hex: string, littleEndian: boolean): string {
  const words = hex.match(/.{8}/g) ?? [];
  const network = words.map((word) => (littleEndian ? (word.match(/../g) ?? []).reverse().join('') : word)).join('');
  const v4 = /^(?:0{20}F{4})?([0-9A-F]{8})$/.exec(network)?.[1];
  if (v4 === undefined) return network.toLowerCase();
  return (v4.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join('.');
}

/** The writing of `Socket.address` for an address as the downward API gives it; undefined where it is none. */
export function canonicalAddress(text: string): string | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return text;
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(text)?.[1];
  if (mapped !== undefined) return mapped;
  const halves = text.replace(/%.*$/, '').split('::');
  if (halves.length > 2) return undefined;
  const groups = (half: string | undefined) => (half === undefined || half === '' ? [] : half.split(':'));
  const head = groups(halves[0]);
  const tail = groups(halves[1]);
  const gap = halves.length === 2 ? 8 - head.length - tail.length : 0;
  if (gap < 0 || head.length + gap + tail.length !== 8) return undefined;
  const all = [...head, ...Array<string>(gap).fill('0'), ...tail];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return all.map((group) => group.toLowerCase().padStart(4, '0')).join('');
}

/** A canonical address as people write it: `10.0.0.7`, `fd00::5`. */
export function shownAddress(canonical: string): string {
  if (!/^[0-9a-f]{32}$/.test(canonical)) return canonical;
  return new URL(`http://[${(canonical.match(/.{4}/g) ?? []).join(':')}]`).hostname.slice(1, -1);
}

export type Family = 'IPv4' | 'IPv6';

/** Of a canonical address. What came over an IPv6 socket as a v4-mapped address is IPv4. */
export function familyOf(address: string): Family {
  return address.includes('.') ? 'IPv4' : 'IPv6';
}

const wildcard = { IPv4: '0.0.0.0', IPv6: '0'.repeat(32) } as const;
const isLoopback = (address: string) => address.startsWith('127.') || address === `${'0'.repeat(31)}1`;

/**
 * What a service may bind to: canonical addresses that clients are told; `IPv4` or `IPv6` where they are told an address
 * of that family which leads to the pod; `any` where they come some other way (by a name, through a proxy); `here` where
 * only the agent calls it, which is beside it.
 */
export type Reachable = ReadonlySet<string> | Family | 'any' | 'here';

/** Families that clients come by. */
export function familiesTold(reachable: Reachable): readonly Family[] {
  if (reachable === 'any' || reachable === 'here') return ['IPv4', 'IPv6'];
  if (typeof reachable === 'string') return [reachable];
  return [...new Set([...reachable].map(familyOf))];
}

export interface Whose {
  readonly reachable: Reachable;
  /** On the node's network: the user whose sockets count. */
  readonly uid?: number;
  /** Inodes of sockets of this process, which are nobody's model. */
  readonly ignore: ReadonlySet<string>;
  /** Inodes of sockets on `::` that take IPv4 as well; undefined where every one is taken for such a socket. */
  readonly ipv4Too?: ReadonlySet<string> | undefined;
}

/** What was found on a port. */
export type Listener =
  | 'listening'
  /** Nothing listens, but a connection is being served: a server that takes one connection at a time. */
  | 'busy'
  | 'loopback-only'
  /** It listens on an address, or in an address family, that is not the one clients are told. */
  | 'elsewhere'
  | 'none';

/** Judges the sockets of one port. */
export function judgeSockets(sockets: readonly Socket[], whose: Whose): Listener {
  const own = ofModel(sockets, whose);
  const { reachable, ipv4Too } = whose;
  const told = familiesTold(reachable);
  /** Is it an address that clients come by, which is not a wildcard? */
  const isTold = (address: string) =>
    reachable === 'here' ||
    (!isLoopback(address) &&
      told.includes(familyOf(address)) &&
      (typeof reachable === 'string' || reachable.has(address)));
  const isReachable = ({ address, inode }: Socket) => {
    if (address === wildcard.IPv4) return told.includes('IPv4');
    if (address !== wildcard.IPv6) return isTold(address);
    return told.includes('IPv6') || ipv4Too === undefined || ipv4Too.has(inode);
  };
  const listening = own.filter((socket) => socket.state === 'listen');
  if (listening.some(isReachable)) return 'listening';
  if (listening.length > 0)
    return listening.every(({ address }) => isLoopback(address)) ? 'loopback-only' : 'elsewhere';
  return own.some((socket) => socket.state === 'established' && isTold(socket.address)) ? 'busy' : 'none';
}

/** The model's sockets that listen, by the addresses they are bound to. */
export function listeningAddresses(sockets: readonly Socket[], whose: Whose): string[] {
  const listening = ofModel(sockets, whose).filter(({ state }) => state === 'listen');
  return [...new Set(listening.map(({ address }) => shownAddress(address)))];
}

/** Inodes of the model's sockets that listen on `::`, which may take IPv4 or not. */
export function onEveryIpv6Address(sockets: readonly Socket[], whose: Whose): string[] {
  return ofModel(sockets, whose)
    .filter(({ state, address }) => state === 'listen' && address === wildcard.IPv6)
    .map(({ inode }) => inode);
}

function ofModel(sockets: readonly Socket[], { ignore, uid }: Whose): Socket[] {
  return sockets.filter((socket) => !ignore.has(socket.inode) && (uid === undefined || socket.uid === uid));
}
