/** Writes that are tried until they succeed, for a volume may be full for a while. */
import { asMaasError } from '../contracts/errors.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { pause } from '../kernel/pause.ts';

const againMs = 1_000;
/** A volume that cannot be written must not hold the process back for longer. */
const lastWordMs = 1_000;

export class LastingWrites {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ended: AbortSignal;
  #last: Promise<void> = Promise.resolve();

  /** @param ended gives up what is still being tried */
  constructor(clock: Clock, log: Log, ended: AbortSignal) {
    this.#clock = clock;
    this.#log = log;
    this.#ended = ended;
  }

  /** Settles when it is written, or given up. @param what for the log: `open the gate` */
  async now(what: string, write: () => Promise<void>): Promise<void> {
    while (!this.#ended.aborted) {
      try {
        return await write();
      } catch (error) {
        this.#log.error({ err: asMaasError(error) }, `could not ${what}`);
        await pause(this.#clock, againMs, this.#ended);
      }
    }
  }

  /** After those before it, so that the last word is the one that stays. */
  inTurn(what: string, write: () => Promise<void>): void {
    this.#last = this.#last.then(() => this.now(what, write));
  }

  /** Settles when all that is in turn is written, or after a bounded time. */
  async drain(): Promise<void> {
    await Promise.race([this.#last, this.#clock.sleep(lastWordMs)]);
  }
}
