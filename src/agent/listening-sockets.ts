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

const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '0'.repeat(32)]);
const isLoopback = (address: string) => address.startsWith('127.') || address === `${'0'.repeat(31)}1`;

export interface Whose {
  /** Addresses that clients are told, canonical; `any` where they come some other way (a proxy, a service). */
  readonly reachable: ReadonlySet<string> | 'any';
  /** On the node's network: the user whose sockets count. */
  readonly uid?: number;
  /** Inodes of sockets of this process, which are nobody's model. */
  readonly ignore: ReadonlySet<string>;
}

/** What was found on a port. */
export type Listener =
  | 'listening'
  /** Nothing listens, but a connection is being served: a server that takes one connection at a time. */
  | 'busy'
  | 'loopback-only'
  /** It listens on an address that is not the one clients are told. */
  | 'elsewhere'
  | 'none';

/** Judges the sockets of one port. */
export function judgeSockets(sockets: readonly Socket[], whose: Whose): Listener {
  const own = sockets.filter(
    (socket) => !whose.ignore.has(socket.inode) && (whose.uid === undefined || socket.uid === whose.uid),
  );
  const listening = own.filter((socket) => socket.state === 'listen').map((socket) => socket.address);
  const isReachable = (address: string) =>
    wildcards.has(address) || (!isLoopback(address) && (whose.reachable === 'any' || whose.reachable.has(address)));
  if (listening.some(isReachable)) return 'listening';
  if (listening.length > 0) return listening.every(isLoopback) ? 'loopback-only' : 'elsewhere';
  return own.some((socket) => socket.state === 'established' && isReachable(socket.address)) ? 'busy' : 'none';
}
