/**
 * A queue of keys for reconcilers, and the workers on it.
 *
 * - A key is in the queue once, however often it is added.
 * - A key is worked on by one worker at a time. Added meanwhile, it runs again afterwards: what happened after the
 *   worker looked is never lost.
 * - Keys run in the order in which they became due, so a busy key cannot starve the others.
 * - A key that failed waits, longer each time and never exactly as long as another, until it succeeds once. An event
 *   about it does not wait: things may be right now.
 * - Of several delays of one key the earliest counts.
 */
import { backOffMs } from '../kernel/back-off.ts';
import type { Clock } from '../kernel/clock.ts';
import { Timetable } from '../kernel/timetable.ts';

/** What a run of a key ended with; a thrown error means: again, after a back-off. */
export interface Outcome {
  /** Look again after this long, in milliseconds, even when nothing happens. */
  readonly requeueAfterMs?: number;
}

/** For metrics and logs; an error in one is ignored. */
export interface QueueHooks {
  /** A key entered the queue (not: was in it already). */
  added?(key: string): void;
  /** A worker took it, so long after it became due. */
  started?(key: string, waitedMs: number): void;
  /** It failed for the n-th time in a row and waits. The one place where a failure is logged. */
  failed?(key: string, error: unknown, failures: number, retryInMs: number): void;
}

/** Works on one key. The signal fires when the queue stops. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<Outcome | undefined>;

export interface WorkQueueOptions {
  readonly workers: number;
  readonly clock: Clock;
  readonly random?: () => number;
  /** The first wait after a failure; doubles. Default 200 ms. */
  readonly backoffMs?: number;
  /** The longest wait. Default 60 s. */
  readonly longestBackoffMs?: number;
  readonly hooks?: QueueHooks;
}

export interface WorkQueue {
  /** Runs the key as soon as a worker is free. */
  add(key: string): void;
  /**
   * Runs the key after this long. It may run earlier for another reason, and runs at that time all the same. Never, for
   * an infinite time.
   */
  addAfter(key: string, ms: number): void;
  /** Starts the workers. Keys may be added before. */
  start(reconcile: Reconcile): void;
  /** Hands out nothing more and resolves when no worker works. What was queued is forgotten; so is what comes later. */
  stop(): Promise<void>;
  /** Keys that are due and wait for a worker. */
  readonly depth: number;
  /** Keys that wait for their time. */
  readonly delayed: number;
  /** Keys that are worked on. */
  readonly active: number;
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  return new KeyQueue(options);
}

class KeyQueue implements WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #random: () => number;
  readonly #stopping = new AbortController();
  /** Due keys in the order they became due, with the time of that. */
  readonly #ready = new Map<string, number>();
  readonly #delayed: Timetable;
  readonly #active = new Map<string, Promise<void>>();
  /** Active keys that became due again meanwhile, with the time of that. */
  readonly #again = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  #reconcile: Reconcile | undefined;
  #pumping = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#delayed = new Timetable(options.clock, (key, at) => this.#becomeDue(key, at));
  }

  get depth(): number {
    return this.#ready.size;
  }
  get delayed(): number {
    return this.#delayed.size;
  }
  get active(): number {
    return this.#active.size;
  }

  add(key: string): void {
    this.#becomeDue(key, this.#now());
  }

  addAfter(key: string, ms: number): void {
    if (this.#stopping.signal.aborted || ms === Number.POSITIVE_INFINITY) return;
    if (!(ms > 0)) {
      this.add(key);
      return;
    }
    const at = this.#now() + ms;
    if (at < (this.#delayed.at(key) ?? Number.POSITIVE_INFINITY)) this.#delayed.set(key, at);
  }

  start(reconcile: Reconcile): void {
    this.#reconcile = reconcile;
    this.#pump();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#ready.clear();
    this.#delayed.stop();
    this.#again.clear();
    await Promise.all(this.#active.values());
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  #becomeDue(key: string, since: number): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#active.has(key)) {
      if (!this.#again.has(key)) this.#again.set(key, since);
      return;
    }
    if (this.#ready.has(key)) return;
    this.#ready.set(key, since);
    this.#tell((hooks) => hooks.added?.(key));
    this.#pump();
  }

  /** Hands due keys to free workers, after whoever added them has finished. */
  #pump(): void {
    const reconcile = this.#reconcile;
    if (this.#pumping || reconcile === undefined) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      for (const [key, since] of this.#ready) {
        if (this.#active.size >= this.#options.workers) return;
        this.#ready.delete(key);
        this.#active.set(key, this.#work(key, since, reconcile));
      }
    });
  }

  async #work(key: string, since: number, reconcile: Reconcile): Promise<void> {
    this.#tell((hooks) => hooks.started?.(key, this.#now() - since));
    let outcome: Outcome | undefined;
    let failure: { readonly error: unknown } | undefined;
    // An async function, so that a reconciler that throws at once ends as late as any other.
    const run = async (): Promise<Outcome | undefined> => reconcile(key, this.#stopping.signal);
    try {
      outcome = await run();
    } catch (error) {
      failure = { error };
    }
    this.#active.delete(key);
    if (failure === undefined) this.#failures.delete(key);
    else this.#backOff(key, failure.error);
    if (outcome?.requeueAfterMs !== undefined) this.addAfter(key, outcome.requeueAfterMs);

    const again = this.#again.get(key);
    this.#again.delete(key);
    if (again !== undefined) this.#becomeDue(key, again);
    this.#pump();
  }

  #backOff(key: string, error: unknown): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const { backoffMs = 200, longestBackoffMs = 60_000 } = this.#options;
    const backOff = { firstMs: backoffMs, longestMs: longestBackoffMs };
    const retryInMs = Math.round(backOffMs(backOff, failures - 1, this.#random));
    this.#tell((hooks) => hooks.failed?.(key, error, failures, retryInMs));
    this.addAfter(key, retryInMs);
  }

  #tell(call: (hooks: QueueHooks) => void): void {
    if (this.#options.hooks === undefined) return;
    try {
      call(this.#options.hooks);
    } catch {
      // Counting must not stop the work.
    }
  }
}
