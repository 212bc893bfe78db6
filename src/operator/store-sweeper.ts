/** Has copies of payloads removed that no pinned payload refers to any more; see docs/adr/0024. */
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { pause } from '../kernel/pause.ts';
import type { Payloads, Stores } from './ports.ts';

/** Within the time that a copy is kept it is looked at a few times. */
const looksInTime = 4;
const longestPauseMs = 600_000;

export class StoreSweeper {
  readonly #payloads: Pick<Payloads, 'sweep'>;
  readonly #pins: Stores['pins'];
  readonly #may: () => boolean;
  readonly #everyMs: number;
  readonly #log: Log;

  constructor(ports: {
    payloads: Pick<Payloads, 'sweep'>;
    pins: Stores['pins'];
    /** Does this process lead for certain, and not only observe? */
    may: () => boolean;
    removeAfterMs: number;
    log: Log;
  }) {
    this.#payloads = ports.payloads;
    this.#pins = ports.pins;
    this.#may = ports.may;
    this.#everyMs = Math.min(longestPauseMs, ports.removeAfterMs / looksInTime);
    this.#log = ports.log;
  }

  /** Sweeps from time to time until told to stop. */
  async run(clock: Clock, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.sweep(signal);
      } catch (error) {
        if (!signal.aborted) this.#log.warn({ err: error }, 'the payload store could not be swept; it is done again');
      }
      await pause(clock, this.#everyMs, signal);
    }
  }

  async sweep(signal: AbortSignal): Promise<void> {
    const payloads = this.#pins.list().map(({ view }) => view.payload);
    // Nobody knows what a damaged pin refers to, and unknown is never a reason to delete.
    if (payloads.includes(undefined) || !this.#may()) return;
    const referred = new Set(payloads.flatMap((payload) => payload?.path ?? []));
    for (const path of await this.#payloads.sweep(referred, this.#may, signal)) {
      this.#log.info({ path }, 'a copy of a payload that nothing refers to was removed');
    }
  }
}
