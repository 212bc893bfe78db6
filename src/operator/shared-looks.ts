/**
 * Looks at HDFS that many want at once: however many ask the same, there is one look, and it begins after each of them
 * has asked, so that nobody is told of an earlier world than the one that he asked about.
 */
import { Slots } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import { pause } from '../kernel/pause.ts';

export interface SharedLooksOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Looks under way at once, whatever they are at. */
  readonly parallel: number;
  /** Between two beginnings of the same look: those who ask one after the other are answered together. */
  readonly everyMs: number;
  /** Nobody waits any more. */
  readonly signal: AbortSignal;
}

export class SharedLooks {
  readonly #options: SharedLooksOptions;
  readonly #slots: Slots;
  /** Not begun: whoever asks may still join. */
  readonly #open = new Map<string, Promise<unknown>>();
  /** Until the same look may begin again. */
  readonly #held = new Map<string, Promise<unknown>>();

  constructor(options: SharedLooksOptions) {
    this.#options = options;
    this.#slots = new Slots(options.parallel);
  }

  /**
   * @param question names what is looked at and what for: who asks the same gives the same `look`
   * @throws what the look throws, to all who have asked
   */
  async ask<T>(question: string, look: () => Promise<T>): Promise<T> {
    const open = this.#open.get(question);
    // The same question always has answers of one type.
    if (open !== undefined) return (await open) as T;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#open.set(question, promise);
    const begin = async () => {
      await this.#held.get(question);
      await this.#slots.within(async () => {
        this.#open.delete(question);
        const looking = this.#begin(question, look);
        await looking.then(resolve, reject);
      });
    };
    void begin();
    return await promise;
  }

  async #begin<T>(question: string, look: () => Promise<T>): Promise<T> {
    const { clock, everyMs, signal } = this.#options;
    signal.throwIfAborted();
    const looking = look();
    const held = Promise.allSettled([looking, pause(clock, everyMs, signal)]).then(() => {
      this.#held.delete(question);
    });
    this.#held.set(question, held);
    return await looking;
  }
}
