/**
 * Finds who listens on a port in the kernel's tables of sockets, and reads no further than that takes.
 *
 * The kernel makes a table's text while it is read: first the sockets that listen, then all others. For those it goes
 * through a hash table whose size follows from the memory of the whole node, which takes milliseconds even where there are
 * none. Agents look every second and there are many on a node, so the tables are read in steps of one row, and a read that
 * has shown the listener is the last one.
 */
import { type FileHandle, open, readdir, readlink } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { judgeSockets, type Listener, type Socket, socketsOnPort, type Whose } from './listening-sockets.ts';

/** The head line and one row of `tcp`; those of `tcp6` are longer, and what is left over does not matter. */
const firstReadBytes = 300;
const rowBytes = 150;
/** After so many rows there is more to be gained by large reads. */
const singleRows = 16;
const largestReadBytes = 64 * 1024;
/** Up to the inode; what follows is not looked at. */
const columnsNeeded = 10;

export class SocketTables {
  readonly #proc: string;
  /** The one in which the listener was last comes first. */
  #order: readonly string[] = ['tcp', 'tcp6'];

  /** @param proc where /proc is mounted */
  constructor(proc: string) {
    this.#proc = proc;
  }

  /** @param whose whose sockets count; those of this process never do */
  async listenerOn(port: number, whose: Omit<Whose, 'ignore'>): Promise<Listener> {
    const littleEndian = endianness() === 'LE';
    const sockets: Socket[] = [];
    let ignore: ReadonlySet<string> | undefined;
    const judge = async (more: readonly Socket[]): Promise<Listener> => {
      if (sockets.length + more.length === 0) return 'none';
      ignore ??= await this.#ownSockets();
      return judgeSockets([...sockets, ...more], { ...whose, ignore });
    };
    for (const table of this.#order) {
      for await (const { lines, begun } of rowsOf(join(this.#proc, 'net', table))) {
        sockets.push(...socketsOnPort(lines, port, littleEndian));
        if ((await judge(socketsOnPort(begun, port, littleEndian))) !== 'listening') continue;
        if (table !== this.#order[0]) this.#order = this.#order.toReversed();
        return 'listening';
      }
    }
    return await judge([]);
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
