/**
 * What a payload has of files near by. They may save a read from HDFS and never cost more than a bounded time:
 *
 *     time spent waiting for them  <=  patience + what a slow disk would have needed for the bytes that came
 *
 * so a cache that is silent, slow, or gives a little now and then is left alone for the rest of the payload. So is one
 * that cannot be asked, breaks off again and again, or gave wrong bytes.
 */
import type { PinnedFile } from '../contracts/payload.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { messageOf } from '../kernel/message-of.ts';
import { openBeneath } from './beneath.ts';
import type { NearAnswer, NearFile, NearFiles } from './near-files.ts';
import { OfferedFile } from './offered-file.ts';

export interface NearPayloadOptions {
  readonly near: NearFiles;
  /** Where the payload goes. */
  readonly directory: string;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly log: Pick<Log, 'info' | 'debug'>;
  /** The agent's life: what is being offered goes on after the payload is there. */
  readonly signal: AbortSignal;
}

/** Milliseconds. */
const patienceMs = 15_000;
/** Bytes in a millisecond. */
const slowest = 1_000;
/** A file that breaks off may be brought by somebody else, or by the asker. */
const asksOfOneFile = 2;
const failuresInARow = 3;
const mostOffers = 16;

/** What came of a file. */
export interface Taken {
  /** Where the bytes end that are there. */
  readonly position: number;
  /** The rest is to be brought from HDFS, and to be offered as it comes. */
  readonly offered: OfferedFile | undefined;
}

export class NearPayload {
  /** Bytes that came from near by. */
  bytes = 0;
  readonly #options: NearPayloadOptions;
  readonly #over = new AbortController();
  #failures = 0;
  /** Requests that are waited for. */
  #waiting = 0;
  #since = 0;
  #spent = 0;
  #watching: AbortController | undefined;
  readonly #offers = new Set<OfferedFile>();

  constructor(options: NearPayloadOptions) {
    this.#options = options;
  }

  /**
   * Takes what is to be had of a file from an offset on. Failures of the cache end it, and those of `into` are thrown.
   *
   * @param into told the bytes in their order, and where they begin
   */
  async take(
    { path, sha256, length }: PinnedFile,
    offset: number,
    into: (chunk: Uint8Array, position: number) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Taken> {
    let position = offset;
    // Without it nobody could tell whether what is in the cache is the file: HDFS's own checksum can be forged.
    if (sha256 === undefined) return { position, offered: undefined };
    const file = { sha256, length };
    for (let asks = 0; asks < asksOfOneFile && !this.#over.signal.aborted; asks += 1) {
      const answer = await this.#ask(file, position, signal);
      if (answer === undefined || answer.kind === 'without') break;
      if (answer.kind === 'bring') return { position, offered: await this.#offer(path, length, answer) };
      position = await this.#receive(answer.bytes, file, position, into, signal);
      if (position === length) break;
    }
    return { position, offered: undefined };
  }

  /** A file that came from here has other bytes than were pinned. */
  wrong({ sha256, length }: PinnedFile): void {
    this.#giveUp('it gave wrong bytes');
    if (sha256 !== undefined) this.#options.near.doubt({ sha256, length }).catch(() => undefined);
  }

  async #ask(file: NearFile, offset: number, signal: AbortSignal): Promise<NearAnswer | undefined> {
    const either = AbortSignal.any([signal, this.#over.signal]);
    try {
      return await this.#patiently(this.#options.near.ask(file, offset, either));
    } catch (error) {
      signal.throwIfAborted();
      this.#giveUp(messageOf(error));
      return undefined;
    }
  }

  async #offer(path: string, length: number, { bring }: Extract<NearAnswer, { kind: 'bring' }>): Promise<OfferedFile> {
    const { directory, signal, log } = this.#options;
    const handle = await openBeneath(directory, path);
    const either = AbortSignal.any([signal, this.#over.signal]);
    const offered = new OfferedFile({ handle, path, length, bring, log, signal: either });
    this.#offers.add(offered);
    void offered.over.then(() => this.#offers.delete(offered));
    return offered;
  }

  /** Waits where the cache takes files more slowly than they come, so that the open ones stay few. */
  async keepUp(): Promise<void> {
    while (this.#offers.size >= mostOffers && !this.#over.signal.aborted) {
      await this.#patiently(Promise.race([...this.#offers].map(({ over }) => over)));
    }
  }

  /** @returns where the bytes end that came, at the length of the file where that is all */
  async #receive(
    bytes: AsyncIterable<Uint8Array>,
    { length }: NearFile,
    offset: number,
    into: (chunk: Uint8Array, position: number) => Promise<void>,
    signal: AbortSignal,
  ): Promise<number> {
    let position = offset;
    const chunks = bytes[Symbol.asyncIterator]();
    try {
      while (position < length) {
        const next = await this.#next(chunks, signal);
        if (next === undefined) return position;
        const chunk = next.subarray(0, length - position);
        await into(chunk, position);
        position += chunk.length;
        this.bytes += chunk.length;
        this.#failures = 0;
      }
      return position;
    } finally {
      await chunks.return?.().catch(() => undefined);
    }
  }

  /** Undefined where no more comes. */
  async #next(chunks: AsyncIterator<Uint8Array>, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      const next = await this.#patiently(chunks.next());
      if (next.done !== true) return next.value;
      throw new Error('it ended too early');
    } catch (error) {
      signal.throwIfAborted();
      this.#failures += 1;
      this.#options.log.debug({ error: messageOf(error) }, "the node's payload cache broke off");
      if (this.#failures >= failuresInARow) this.#giveUp(messageOf(error));
      return undefined;
    }
  }

  /** Waiting counts once, however many requests are waited for. */
  async #patiently<T>(promise: Promise<T>): Promise<T> {
    const { clock } = this.#options;
    if (this.#waiting === 0) {
      this.#since = clock.monotonic();
      void this.#watch();
    }
    this.#waiting += 1;
    try {
      return await promise;
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) {
        this.#spent += clock.monotonic() - this.#since;
        this.#watching?.abort();
      }
    }
  }

  /** Ends with the waiting, or ends it. */
  async #watch(): Promise<void> {
    const { clock } = this.#options;
    const stop = new AbortController();
    this.#watching = stop;
    for (;;) {
      const left = patienceMs + this.bytes / slowest - this.#spent - (clock.monotonic() - this.#since);
      if (left <= 0) return this.#giveUp('it is slow');
      await clock.sleep(left, stop.signal).catch(() => undefined);
      if (stop.signal.aborted) return;
    }
  }

  #giveUp(why: string): void {
    if (this.#over.signal.aborted) return;
    this.#options.log.info({ why }, "the payload comes without the node's cache from here on");
    this.#over.abort(new Error(why));
  }
}
