/**
 * Follows one node or its children, level-triggered: reads, tells what it read if that differs from what it told last,
 * and reads again whenever something may have changed. Events only say that; what is true comes from reading.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { AnswerLost } from './connection.ts';
import { guardedCall } from './guarded-call.ts';

export interface Subscription {
  /** No more calls from here on. */
  close(): void;
}

export interface WatchOptions<T> {
  /** For the log. */
  readonly what: string;
  /** Reads, and leaves a watch on the server. `mark` is the same as long as the value is. */
  readonly read: () => Promise<{ readonly value: T; readonly mark: string }>;
  readonly onChange: (value: T) => void;
  readonly clock: Clock;
  readonly log: Log;
}

const shortestPauseMs = 500;
const longestPauseMs = 30_000;

export class Watch<T> {
  readonly #options: WatchOptions<T>;
  readonly #over = new AbortController();
  /** Of what was told last. */
  #mark: string | undefined;
  #stale = false;
  #running = false;
  /** Aborted to try again at once. */
  #pause = new AbortController();

  constructor(options: WatchOptions<T>) {
    this.#options = options;
  }

  /** Something may have changed, or the watch on the server may be gone. */
  refresh(): void {
    this.#stale = true;
    this.#pause.abort();
    if (!this.#running) void this.#run();
  }

  close(): void {
    this.#over.abort();
    this.#pause.abort();
  }

  async #run(): Promise<void> {
    const { read, clock, log, what } = this.#options;
    this.#running = true;
    for (let pause = shortestPauseMs; this.#stale && !this.#over.signal.aborted; ) {
      this.#stale = false;
      this.#pause = new AbortController();
      try {
        const { value, mark } = await read();
        this.#tell(value, mark);
        pause = shortestPauseMs;
      } catch (err) {
        // The next connection refreshes every watch; that a connection is missing was said elsewhere.
        if (!(err instanceof AnswerLost)) log.warn({ err, what, retryMs: pause }, 'a watched node cannot be read');
        this.#stale = true;
        await clock.sleep(pause, this.#pause.signal).catch(() => undefined);
        pause = Math.min(longestPauseMs, 2 * pause);
      }
    }
    this.#running = false;
  }

  #tell(value: T, mark: string): void {
    if (this.#over.signal.aborted || mark === this.#mark) return;
    this.#mark = mark;
    const { onChange, log, what } = this.#options;
    guardedCall(onChange, value, (err) => log.warn({ err, what }, 'what was to be told of a change failed'));
  }
}
