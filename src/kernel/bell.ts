/** Lets a loop sleep until something happens, or until it is time. */
import type { Clock } from './clock.ts';

export class Bell {
  readonly #clock: Pick<Clock, 'sleep'>;
  #rung = false;
  #wake: (() => void) | undefined;

  /** @param over rings when it fires, so that nobody waits for what will not come */
  constructor(clock: Pick<Clock, 'sleep'>, over?: AbortSignal) {
    this.#clock = clock;
    over?.addEventListener('abort', () => this.ring(), { once: true });
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
