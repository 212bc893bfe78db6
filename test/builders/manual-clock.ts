/** Time that a test rules. Where time is none of a test's business, its clock is the machine's. */
import type { Clock } from '../../src/kernel/clock.ts';

const start = Date.UTC(2026, 0, 1);

interface Sleeper {
  readonly due: number;
  readonly order: number;
  readonly wake: () => void;
}

/** Stands still until a test moves it. */
export class ManualClock implements Clock {
  #time = 0;
  #order = 0;
  readonly #epoch: number;
  #sleepers: Sleeper[] = [];

  constructor(epoch = start) {
    this.#epoch = epoch;
  }

  now = (): number => this.#epoch + this.#time;
  monotonic = (): number => this.#time;

  /** Rejects with the signal's reason when it fires, as an interrupted wait does. */
  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        due: this.#time + Math.max(0, ms),
        order: this.#order++,
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.push(sleeper);
    });

  get sleepers(): number {
    return this.#sleepers.length;
  }

  /** Moves on, waking sleepers in the order of their time; each wakes into a settled world. */
  async advance(ms: number): Promise<void> {
    const end = this.#time + ms;
    await settle();
    for (;;) {
      const next = this.#sleepers.filter((s) => s.due <= end).sort((a, b) => a.due - b.due || a.order - b.order)[0];
      if (next === undefined) break;
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      this.#time = Math.max(this.#time, next.due);
      next.wake();
      await settle();
    }
    this.#time = end;
  }
}

/** Every wait is over at once, and then its time has passed; a test may let more pass. */
export class HastyClock implements Clock {
  /** How long somebody waited each time, in milliseconds. */
  readonly waits: number[] = [];
  #time = 0;
  readonly #epoch: number;

  constructor(epoch = start) {
    this.#epoch = epoch;
  }

  now = (): number => this.#epoch + this.#time;
  monotonic = (): number => this.#time;

  sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    this.waits.push(ms);
    this.pass(ms);
  };

  pass = (ms: number): void => {
    this.#time += ms;
  };
}

/** Lets everything run that needs no time. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
