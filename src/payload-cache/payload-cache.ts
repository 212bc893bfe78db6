/**
 * The files of payloads that this node's agents have brought, by their SHA-256. A file has that name only once all its
 * bytes were compared with it. What an earlier process left is given at once and compared meanwhile; readers compare
 * every byte themselves.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Pattern } from '../contracts/payload-cache.ts';
import { Slots } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { messageOf } from '../kernel/message-of.ts';
import { HeldFile } from './held-file.ts';
import { type CacheCounts, metricsText, noCounts } from './metrics.ts';
import { type Entry, Shelf, type Wanted } from './shelf.ts';

export interface PayloadCacheOptions {
  readonly directory: string;
  /** Bytes that files may take. */
  readonly room: number;
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'sleep'>;
  readonly newLease: () => string;
  readonly log: Log;
  readonly limits?: Partial<CacheLimits>;
}

export interface CacheLimits {
  /** Whoever is told to bring a file has to begin within this time. */
  readonly leaseMs: number;
  /** Nobody is kept waiting for another one to begin for longer. */
  readonly waitMs: number;
  /** Whoever brings a file slower than this many bytes a millisecond loses it, after `slowAfterMs`. */
  readonly slowest: number;
  readonly slowAfterMs: number;
}

const usualLimits: CacheLimits = { leaseMs: 5_000, waitMs: 8_000, slowest: 1_000, slowAfterMs: 10_000 };
const arriving = 'arriving-';
const checkBytes = 256 * 1024;
/** Doubts cost processor, and anybody may have them. */
const checkAgainMs = 60_000;

/** What somebody reads; has to be closed. */
export interface Reading {
  readonly bytes: number;
  read(into: Buffer, position: number): Promise<number>;
  close(): Promise<void>;
}

export type Found =
  | { readonly kind: 'bytes'; readonly reading: Reading }
  | { readonly kind: 'bring'; readonly lease: string }
  | { readonly kind: 'without' };

export type Brought = 'stored' | 'no lease' | 'refused';

export class PayloadCache {
  readonly counts: CacheCounts = noCounts();
  readonly #options: PayloadCacheOptions;
  readonly #limits: CacheLimits;
  readonly #shelf: Shelf;
  readonly #held = new Map<Entry, HeldFile>();
  /** Told when a file that is waited for is there, or given up. */
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #checks = new Slots(1);
  readonly #checking = new Set<string>();
  #arrivals = 0;

  private constructor(options: PayloadCacheOptions) {
    this.#options = options;
    this.#limits = { ...usualLimits, ...options.limits };
    this.#shelf = new Shelf({ room: options.room, leaseMs: this.#limits.leaseMs });
  }

  /** @param options `directory` exists, and is the cache's alone */
  static async open(options: PayloadCacheOptions): Promise<PayloadCache> {
    const cache = new PayloadCache(options);
    await cache.#findAgain();
    return cache;
  }

  async #findAgain(): Promise<void> {
    const left: (Wanted & { readonly usedAt: number })[] = [];
    for (const name of await readdir(this.#options.directory)) {
      const path = join(this.#options.directory, name);
      const status = await stat(path);
      if (sha256Pattern.test(name) && status.isFile())
        left.push({ sha256: name, bytes: status.size, usedAt: status.mtimeMs });
      else if (sha256Pattern.test(name) || name.startsWith(arriving)) await rm(path, { recursive: true, force: true });
    }
    for (const file of left.sort((a, b) => a.usedAt - b.usedAt)) {
      await this.#evict(this.#shelf.found(file, this.#options.clock.monotonic()));
    }
    this.#options.log.info({ files: this.#shelf.files, bytes: this.#shelf.taken }, 'found again');
  }

  metrics(): string {
    const { taken, files } = this.#shelf;
    return metricsText(this.counts, { taken, files, room: this.#options.room });
  }

  /** Waits, for a bounded time, where somebody else is about to bring it. */
  async ask(wanted: Wanted): Promise<Found> {
    const { clock, newLease } = this.#options;
    const end = clock.monotonic() + this.#limits.waitMs;
    for (;;) {
      const now = clock.monotonic();
      const step = this.#shelf.ask(wanted, now, newLease());
      if (step.do === 'read') return await this.#read(step.entry);
      if (step.do === 'bring') {
        this.counts.misses += 1;
        await this.#evict(step.evicted);
        return { kind: 'bring', lease: step.entry.lease };
      }
      if (step.do === 'without' || now >= end) {
        this.counts.without += 1;
        return { kind: 'without' };
      }
      await this.#changed(wanted.sha256, Math.min(step.ms, end - now));
    }
  }

  async #read(entry: Entry): Promise<Found> {
    try {
      const held = await this.#hold(entry);
      if (entry.checkedAt === undefined) void this.doubt(entry.sha256);
      this.counts.hits += 1;
      const reading: Reading = {
        bytes: entry.bytes,
        read: async (into, position) => {
          const count = await held.read(into, position);
          this.counts.bytesOut += count;
          return count;
        },
        close: async () => {
          this.#shelf.leave(entry);
          await held.release();
        },
      };
      return { kind: 'bytes', reading };
    } catch (error) {
      this.#shelf.leave(entry);
      await this.#lose(entry, error);
      return { kind: 'without' };
    }
  }

  /** The open file of an entry; one that is whole is opened by its first reader. */
  async #hold(entry: Entry): Promise<HeldFile> {
    const there = this.#held.get(entry);
    if (there !== undefined) {
      there.hold();
      return there;
    }
    const handle = await open(this.#pathOf(entry.sha256), 'r');
    const { size } = await handle.stat();
    if (size !== entry.bytes) {
      await handle.close();
      throw new Error(`it has ${size} of ${entry.bytes} bytes`);
    }
    // So that another process knows in which order they were used.
    const now = this.#options.clock.now() / 1_000;
    await utimes(this.#pathOf(entry.sha256), now, now).catch(() => undefined);
    const meanwhile = this.#held.get(entry);
    if (meanwhile !== undefined) {
      // First: its other users may leave while this one closes, and the last one to leave closes it.
      meanwhile.hold();
      await handle.close();
      return meanwhile;
    }
    return this.#holdNew(entry, handle, entry.bytes);
  }

  #holdNew(entry: Entry, handle: FileHandle, front: number): HeldFile {
    const held = new HeldFile(handle, front, () => this.#held.delete(entry));
    held.hold();
    this.#held.set(entry, held);
    return held;
  }

  /** Takes a file from whoever has the lease for it. Never fails. */
  async bring(wanted: Wanted, lease: string, chunks: AsyncIterable<Uint8Array>): Promise<Brought> {
    const path = join(this.#options.directory, `${arriving}${this.#arrivals++}`);
    // Before it begins: who asks from then on reads through this handle.
    const handle = await open(path, 'wx+', 0o600).catch((cause: unknown) => new DiskFailure(cause));
    const entry = this.#shelf.begin(wanted, lease);
    if (handle instanceof DiskFailure) return this.#notStored(entry, handle);
    if (entry === undefined) {
      await handle.close();
      await rm(path, { force: true }).catch(() => undefined);
      return 'no lease';
    }
    const held = this.#holdNew(entry, handle, 0);
    this.#ring(entry.sha256);
    try {
      await this.#receive(entry, held, chunks);
      await rename(path, this.#pathOf(entry.sha256)).catch(failOfDisk);
      this.#shelf.whole(entry);
      return 'stored';
    } catch (error) {
      // First: who reads on after the break asks anew, and must not find this one.
      const outcome = this.#notStored(entry, error);
      held.break();
      await rm(path, { force: true }).catch(() => undefined);
      return outcome;
    } finally {
      await held.release();
    }
  }

  #notStored(entry: Entry | undefined, error: unknown): Brought {
    if (entry === undefined) return 'no lease';
    this.counts.refused += 1;
    this.#options.log.warn({ err: error, sha256: entry.sha256 }, 'a file was not brought to its end');
    this.#shelf.remove(entry);
    if (error instanceof DiskFailure) this.#shelf.narrow(this.#options.clock.monotonic());
    this.#ring(entry.sha256);
    return 'refused';
  }

  async #receive(entry: Entry, held: HeldFile, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { clock } = this.#options;
    const hash = createHash('sha256');
    const begun = clock.monotonic();
    for await (const chunk of chunks) {
      if (held.front + chunk.length > entry.bytes) throw new Error('more came than was announced');
      hash.update(chunk);
      this.counts.bytesIn += chunk.length;
      // The last bytes are let out with the verdict.
      if (held.front + chunk.length === entry.bytes && hash.copy().digest('hex') !== entry.sha256) {
        throw new Error('it has another digest');
      }
      await held.append(chunk).catch(failOfDisk);
      const took = clock.monotonic() - begun;
      if (took > this.#limits.slowAfterMs && held.front < took * this.#limits.slowest)
        throw new Error('it comes slowly');
    }
    if (held.front !== entry.bytes) throw new Error(`${held.front} of ${entry.bytes} bytes came`);
  }

  /** Compares a file, one at a time, and removes it where it is damaged. Never fails. */
  async doubt(sha256: string): Promise<void> {
    if (this.#checking.has(sha256)) return;
    this.#checking.add(sha256);
    try {
      await this.#checks.within(() => this.#check(sha256));
    } catch (error) {
      this.#options.log.warn({ err: error, sha256 }, 'a file could not be compared');
    } finally {
      this.#checking.delete(sha256);
    }
  }

  async #check(sha256: string): Promise<void> {
    const entry = this.#shelf.look(sha256);
    if (entry === undefined) return;
    if (this.#options.clock.monotonic() - (entry.checkedAt ?? Number.NEGATIVE_INFINITY) < checkAgainMs) {
      return this.#shelf.leave(entry);
    }
    let held: HeldFile | undefined;
    try {
      held = await this.#hold(entry);
      const hash = createHash('sha256');
      const buffer = Buffer.allocUnsafe(checkBytes);
      for (let position = 0; position < entry.bytes; ) {
        const count = await held.read(buffer, position);
        hash.update(buffer.subarray(0, count));
        position += count;
      }
      if (hash.digest('hex') !== sha256) throw new Error('it has other bytes');
      entry.checkedAt = this.#options.clock.monotonic();
    } catch (error) {
      await this.#lose(entry, error);
    } finally {
      this.#shelf.leave(entry);
      await held?.release();
    }
  }

  async #lose(entry: Entry, error: unknown): Promise<void> {
    if (entry.state !== 'whole') return;
    this.#options.log.warn({ err: error, sha256: entry.sha256 }, 'a damaged file is removed');
    await this.#unlink(entry.sha256);
    this.#shelf.remove(entry);
    this.counts.damaged += 1;
  }

  async #evict(files: readonly Wanted[]): Promise<void> {
    for (const { sha256 } of files) {
      this.counts.evictions += 1;
      await this.#unlink(sha256);
    }
  }

  async #unlink(sha256: string): Promise<void> {
    await rm(this.#pathOf(sha256), { force: true }).catch((error: unknown) => {
      this.#options.log.warn({ err: error, sha256 }, 'a file cannot be removed');
    });
  }

  #pathOf(sha256: string): string {
    return join(this.#options.directory, sha256);
  }

  async #changed(sha256: string, ms: number): Promise<void> {
    const over = new AbortController();
    const { promise: changed, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(sha256) ?? new Set();
    this.#waiting.set(sha256, waiting.add(resolve));
    await Promise.race([changed, this.#options.clock.sleep(ms, over.signal).catch(() => undefined)]);
    over.abort();
    waiting.delete(resolve);
    if (waiting.size === 0 && this.#waiting.get(sha256) === waiting) this.#waiting.delete(sha256);
  }

  #ring(sha256: string): void {
    const waiting = this.#waiting.get(sha256) ?? new Set();
    this.#waiting.delete(sha256);
    for (const wake of waiting) wake();
  }
}

/** The disk took no more: it is full, or nothing may be written there. */
class DiskFailure extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

function failOfDisk(cause: unknown): never {
  throw new DiskFailure(cause);
}
