/**
 * Asks the kernel's tables of sockets only where something can have changed. A search that finds nobody reads whole
 * tables, which takes some twenty milliseconds of a processor on a large node; how many sockets there are is told in a
 * few microseconds, and whoever begins to listen makes them one more.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import type { Listener } from './listening-sockets.ts';
import type { SocketTables, Sought } from './socket-tables.ts';

/** One socket may go in the same moment in which another comes. */
const believedMs = 500;

interface Nobody {
  readonly counts: string;
  readonly until: number;
  /** Undefined: on none that a model could listen on. */
  readonly port: number | undefined;
}

export class SocketLookout {
  readonly #tables: Pick<SocketTables, 'listenerOn' | 'addressesOn'>;
  readonly #proc: string;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #nobody: Nobody | undefined;

  /** @param proc where /proc is mounted */
  constructor(tables: Pick<SocketTables, 'listenerOn' | 'addressesOn'>, proc: string, clock: Pick<Clock, 'monotonic'>) {
    this.#tables = tables;
    this.#proc = proc;
    this.#clock = clock;
  }

  /** As the tables say it. */
  async listenerOn(port: number, whose: Sought): Promise<Listener> {
    // Before the tables, so that who comes meanwhile makes a difference the next time.
    const counts = await socketCounts(this.#proc);
    if (this.#knowsNobodyOn(port, counts)) return 'none';
    const listener = await this.#tables.listenerOn(port, whose);
    this.#note(listener === 'none' ? counts : undefined, port);
    return listener;
  }

  addressesOn(port: number, whose: Sought): Promise<string[]> {
    return this.#tables.addressesOn(port, whose);
  }

  /** To be told immediately before a model can start: nobody listens for it yet. */
  async beforeModel(): Promise<void> {
    this.#note(await socketCounts(this.#proc), undefined);
  }

  #note(counts: string | undefined, port: number | undefined): void {
    this.#nobody = counts === undefined ? undefined : { counts, port, until: this.#clock.monotonic() + believedMs };
  }

  #knowsNobodyOn(port: number, counts: string | undefined): boolean {
    const known = this.#nobody;
    if (known === undefined || known.counts !== counts || this.#clock.monotonic() >= known.until) return false;
    return known.port === undefined || known.port === port;
  }
}

/** How many TCP sockets this network has, of each family, as a text to be compared. Undefined where nobody says it. */
async function socketCounts(proc: string): Promise<string | undefined> {
  const count = async (table: string, name: string) => {
    const text = await readFile(join(proc, 'net', table), 'latin1').catch(() => '');
    return new RegExp(`^${name}: inuse (\\d+)`, 'm').exec(text)?.[1];
  };
  const [four, six] = await Promise.all([count('sockstat', 'TCP'), count('sockstat6', 'TCP6')]);
  // Without IPv6 there is no second table.
  return four === undefined ? undefined : `${four} ${six}`;
}
