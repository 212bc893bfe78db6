/**
 * What the cache has, who is to bring what it lacks, and what has to go: decisions only. The time is an argument.
 *
 *     nobody has it            -> whoever asks is to bring it, and has a lease until then
 *     somebody has the lease   -> wait for that, no longer than the lease lasts
 *     it arrives               -> follow it, from the bytes that are there
 *     it is whole              -> read it
 *
 * The disk may hold less than the room: what could not be written narrows the room for a while to what is there.
 *
 * What is taken, what is promised to a lease and what is still being read after it was removed are together never more
 * than the room. What makes room is what was asked for the longest ago, and never what is being read.
 */
export interface ShelfOptions {
  /** Bytes. */
  readonly room: number;
  /** How long after it was told to bring a file somebody has to begin. */
  readonly leaseMs: number;
}

export interface Wanted {
  readonly sha256: string;
  readonly bytes: number;
}

export interface Entry extends Wanted {
  readonly space: number;
  state: 'awaited' | 'arriving' | 'whole' | 'removed';
  /** Of whoever brings it. */
  lease: string;
  /** When an awaited one is given to somebody else. */
  until: number;
  readers: number;
  /** When the file was last compared with its digest, undefined where an earlier process did. */
  checkedAt: number | undefined;
}

export type Step =
  /** Has been counted as a reader. */
  | { readonly do: 'read'; readonly entry: Entry }
  | { readonly do: 'wait'; readonly ms: number }
  /** Its file is to be brought, and those of `evicted` are to be removed before that. */
  | { readonly do: 'bring'; readonly entry: Entry; readonly evicted: readonly Wanted[] }
  | { readonly do: 'without'; readonly why: 'no room' | 'another length' };

/** How long a disk that took no more is not tried with more. */
const narrowMs = 10 * 60_000;
const blockBytes = 4_096;
/** What each file costs besides, on the disk and in memory: it bounds how many small ones there can be. */
const eachBytes = 32_768;

export function spaceOf(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes + eachBytes;
}

export class Shelf {
  readonly #options: ShelfOptions;
  /** In the order in which they were last asked for. */
  readonly #entries = new Map<string, Entry>();
  #taken = 0;
  #narrow = { room: 0, until: Number.NEGATIVE_INFINITY };

  constructor(options: ShelfOptions) {
    this.#options = options;
  }

  /** Bytes that are taken or promised. */
  get taken(): number {
    return this.#taken;
  }

  get files(): number {
    return this.#entries.size;
  }

  /** A file that an earlier process left; the one that was used last comes last. @returns what has to go */
  found({ sha256, bytes }: Wanted, now: number): readonly Wanted[] {
    const space = spaceOf(bytes);
    const going = this.#toEvict(this.#taken + space - this.#roomAt(now), now);
    if (going === undefined) return [{ sha256, bytes }];
    for (const entry of going) this.remove(entry);
    this.#put({ sha256, bytes, space, state: 'whole', lease: '', until: 0, readers: 0, checkedAt: undefined });
    return going;
  }

  /** @param lease a new one, should it be needed */
  ask(wanted: Wanted, now: number, lease: string): Step {
    const entry = this.#entries.get(wanted.sha256);
    if (entry === undefined) return this.#promise(wanted, now, lease);
    if (entry.bytes !== wanted.bytes) return { do: 'without', why: 'another length' };
    this.#touch(entry);
    if (entry.state !== 'awaited') {
      entry.readers += 1;
      return { do: 'read', entry };
    }
    if (now < entry.until) return { do: 'wait', ms: entry.until - now };
    entry.lease = lease;
    entry.until = now + this.#options.leaseMs;
    return { do: 'bring', entry, evicted: [] };
  }

  #promise(wanted: Wanted, now: number, lease: string): Step {
    const space = spaceOf(wanted.bytes);
    const going = this.#toEvict(this.#taken + space - this.#roomAt(now), now);
    if (going === undefined) return { do: 'without', why: 'no room' };
    const until = now + this.#options.leaseMs;
    const entry: Entry = { ...wanted, space, state: 'awaited', lease, until, readers: 0, checkedAt: now };
    const evicted = going.filter(({ state }) => state === 'whole');
    for (const other of going) this.remove(other);
    this.#put(entry);
    return { do: 'bring', entry, evicted };
  }

  #roomAt(now: number): number {
    return now < this.#narrow.until ? Math.min(this.#narrow.room, this.#options.room) : this.#options.room;
  }

  /** The disk took no more than what is there: what comes next has to make room. */
  narrow(now: number): void {
    this.#narrow = { room: this.#taken, until: now + narrowMs };
  }

  #put(entry: Entry): void {
    this.#entries.set(entry.sha256, entry);
    this.#taken += entry.space;
  }

  /** One that is whole, for a comparison. It counts as a reader, but not as a use. */
  look(sha256: string): Entry | undefined {
    const entry = this.#entries.get(sha256);
    if (entry?.state !== 'whole') return undefined;
    entry.readers += 1;
    return entry;
  }

  /** @returns what has to go for so many bytes, undefined where that is not enough */
  #toEvict(bytes: number, now: number): readonly Entry[] | undefined {
    const going: Entry[] = [];
    let missing = bytes;
    for (const entry of this.#entries.values()) {
      if (missing <= 0) break;
      const unused = entry.state === 'whole' ? entry.readers === 0 : entry.state === 'awaited' && now >= entry.until;
      if (!unused) continue;
      going.push(entry);
      missing -= entry.space;
    }
    return missing > 0 ? undefined : going;
  }

  /** Whoever has the lease begins to bring the file. @returns undefined where the lease is over */
  begin({ sha256, bytes }: Wanted, lease: string): Entry | undefined {
    const entry = this.#entries.get(sha256);
    if (entry?.state !== 'awaited' || entry.lease !== lease || entry.bytes !== bytes) return undefined;
    entry.state = 'arriving';
    return entry;
  }

  /** All of it has come, and it is right. */
  whole(entry: Entry): void {
    if (entry.state === 'arriving') entry.state = 'whole';
  }

  /** Gives up its room once nobody reads it any more. */
  remove(entry: Entry): void {
    if (entry.state === 'removed') return;
    entry.state = 'removed';
    this.#entries.delete(entry.sha256);
    if (entry.readers === 0) this.#taken -= entry.space;
  }

  leave(entry: Entry): void {
    entry.readers -= 1;
    if (entry.readers === 0 && entry.state === 'removed') this.#taken -= entry.space;
  }

  #touch(entry: Entry): void {
    this.#entries.delete(entry.sha256);
    this.#entries.set(entry.sha256, entry);
  }
}
