/**
 * Finds who listens on a port in the kernel's tables of sockets, and reads no further than that takes.
 *
 * The kernel makes a table's text while it is read: first the sockets that listen, then all others. For those it goes
 * through a hash table whose size follows from the memory of the whole node, which takes milliseconds even where there are
 * none. Agents look every second and there are many on a node, so the tables are read in steps of one row, and a read that
 * has shown the listener is the last one.
 */
import { type FileHandle, open, readdir, readlink } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { takesIpv4 } from './ipv4-listener.ts';
import {
  judgeSockets,
  type Listener,
  listeningAddresses,
  onEveryIpv6Address,
  type Socket,
  socketsOnPort,
  type Whose,
} from './listening-sockets.ts';

/** The head line and one row of `tcp`; those of `tcp6` are longer, and what is left over does not matter. */
const firstReadBytes = 300;
const rowBytes = 150;
/** After so many rows there is more to be gained by large reads. */
const singleRows = 16;
const largestReadBytes = 64 * 1024;
/** Up to the inode; what follows is not looked at. */
const columnsNeeded = 10;

/** Whose sockets are looked for; those of this process never count. */
export type Sought = Pick<Whose, 'reachable' | 'uid'>;

export class SocketTables {
  readonly #proc: string;
  /** The one in which the listener was last comes first. */
  #order: readonly string[] = ['tcp', 'tcp6'];
  /** Inodes of sockets on `::` that were asked, each once in its life, whether they take IPv4 as well. */
  #ipv4Too: ReadonlySet<string> = new Set();
  #ipv6Only: ReadonlySet<string> = new Set();

  /** @param proc where /proc is mounted */
  constructor(proc: string) {
    this.#proc = proc;
  }

  /** @param whose whose sockets count; those of this process never do */
  async listenerOn(port: number, whose: Sought): Promise<Listener> {
    const { verdict, sockets, seen } = await this.#read(port, whose);
    if (verdict === 'listening' || judgeSockets(sockets, { ...seen, ipv4Too: undefined }) !== 'listening')
      return verdict;
    // Only a socket on `::` can make the difference.
    const inodes = onEveryIpv6Address(sockets, seen);
    if (inodes.every((inode) => this.#ipv6Only.has(inode))) return verdict;
    const address = typeof whose.reachable === 'string' ? undefined : [...whose.reachable].find(isIPv4);
    const taken = address === undefined || (await takesIpv4(address, port));
    if (taken) this.#ipv4Too = new Set(inodes);
    else this.#ipv6Only = new Set(inodes);
    return taken ? 'listening' : verdict;
  }

  /** The addresses that the model listens on, as people write them. */
  async addressesOn(port: number, whose: Sought): Promise<string[]> {
    const { sockets, seen } = await this.#read(port, whose);
    return listeningAddresses(sockets, seen);
  }

  /** As much as it takes to be sure that it listens. A socket on `::` is taken for one of IPv6 alone until it was asked. */
  async #read(port: number, whose: Sought): Promise<{ verdict: Listener; sockets: readonly Socket[]; seen: Whose }> {
    const littleEndian = endianness() === 'LE';
    const sockets: Socket[] = [];
    const none: Whose = { ...whose, ignore: new Set(), ipv4Too: this.#ipv4Too };
    let seen: Whose | undefined;
    const judge = async (more: readonly Socket[]): Promise<Listener> => {
      if (sockets.length + more.length === 0) return 'none';
      seen ??= { ...none, ignore: await this.#ownSockets() };
      return judgeSockets([...sockets, ...more], seen);
    };
    for (const table of this.#order) {
      for await (const { lines, begun } of rowsOf(join(this.#proc, 'net', table))) {
        sockets.push(...socketsOnPort(lines, port, littleEndian));
        const next = socketsOnPort(begun, port, littleEndian);
        if ((await judge(next)) !== 'listening') continue;
        if (table !== this.#order[0]) this.#order = this.#order.toReversed();
        return { verdict: 'listening', sockets: [...sockets, ...next], seen: seen ?? none };
      }
    }
    return { verdict: await judge([]), sockets, seen: seen ?? none };
  }

  /** Inodes of the agent's own sockets: neither its server nor its calls are the model. */
  async #ownSockets(): Promise<Set<string>> {
    const directory = join(this.#proc, 'self', 'fd');
    const links = await Promise.all(
      (await readdir(directory)).map((name) => readlink(join(directory, name)).catch(() => '')),
    );
    return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  }
}

/** Whole lines that are new, and the beginning of the next one where that has all that is needed. */
async function* rowsOf(path: string): AsyncGenerator<{ readonly lines: string; readonly begun: string }, void> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    // A kernel without IPv6 has no such table.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  try {
    let rest = '';
    for (let step = 0, size = firstReadBytes; ; step++) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, null);
      const text = rest + buffer.toString('latin1', 0, bytesRead);
      if (bytesRead === 0) {
        yield { lines: text, begun: '' };
        return;
      }
      const end = text.lastIndexOf('\n') + 1;
      rest = text.slice(end);
      yield { lines: text.slice(0, end), begun: hasAllNeeded(rest) ? rest : '' };
      size = step < singleRows ? rowBytes : Math.min(largestReadBytes, 2 * size);
    }
  } finally {
    await file.close();
  }
}

/** With something behind the last column that is needed, so that it is whole. */
function hasAllNeeded(begun: string): boolean {
  return begun.trimStart().split(/\s+/).length > columnsNeeded;
}
