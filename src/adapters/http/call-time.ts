/** The deadline of one call over all its steps, and its caller's patience, as one signal that says in words what is over. */
import { HttpFailure } from './failure.ts';

export class CallTime {
  readonly #over = new AbortController();
  readonly #ms: number;
  readonly #given: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param ms 0 is no deadline */
  constructor(ms: number, given?: AbortSignal) {
    this.#ms = ms;
    this.#given = given;
    this.#start();
    if (given?.aborted === true) this.#giveUp();
    else given?.addEventListener('abort', this.#giveUp, { once: true });
  }

  /** Its reason is an HttpFailure. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Waits without the deadline, which begins anew behind it. */
  async untimed<T>(promise: Promise<T>): Promise<T> {
    clearTimeout(this.#timer);
    this.signal.throwIfAborted();
    const { promise: over, reject } = Promise.withResolvers<never>();
    const tell = () => reject(this.signal.reason);
    this.signal.addEventListener('abort', tell, { once: true });
    try {
      return await Promise.race([promise, over]);
    } finally {
      this.signal.removeEventListener('abort', tell);
      this.#start();
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#given?.removeEventListener('abort', this.#giveUp);
  }

  readonly #giveUp = (): void => this.#over.abort(new HttpFailure('the call was given up', true));

  #start(): void {
    const late = () => this.#over.abort(new HttpFailure(`no answer within ${this.#ms} ms`, true));
    if (this.#ms > 0) this.#timer = setTimeout(late, this.#ms);
  }
}
