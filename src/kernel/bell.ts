/** Lets a loop sleep until something happens, or until it is time. */
import type { Clock } from './clock.ts';

export class Bell {
  readonly #clock: Clock;
  #rung = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Ends at the next ring, at once if it rang since the last wait, or after the time. For one waiter. */
  async wait(ms?: number): Promise<void> {
    if (!this.#rung) {
      const over = new AbortController();
      const rung = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const late = ms === undefined ? [] : [this.#clock.sleep(ms, over.signal).catch(() => undefined)];
      await Promise.race([rung, ...late]);
      this.#wake = undefined;
      over.abort();
    }
    this.#rung = false;
  }
}
