/** Who leads, under one name: told once, when this process has the Lease, and asked by everybody who writes. */

/** A Lease that this process has. */
export interface Lease {
  readonly uid: string;
  /** Is it certain that nobody else acts? */
  holds(): boolean;
  /** Fires when it was lost, with a LEASE_LOST as its reason. Not after `release`. */
  readonly lost: AbortSignal;
  /** Gives it back, so that another acts within seconds. Only when everything that writes has ended. */
  release(): Promise<void>;
}

export class Leadership {
  readonly #lost = new AbortController();
  #lease: Lease | undefined;

  begin(lease: Lease): void {
    this.#lease = lease;
    const lose = () => this.#lost.abort(lease.lost.reason);
    if (lease.lost.aborted) lose();
    else lease.lost.addEventListener('abort', lose, { once: true });
  }

  /** Is it certain that this process leads, and nobody else acts? Asked before each write that another's could meet. */
  holds(): boolean {
    return this.#lease?.holds() ?? false;
  }

  /** Of the Lease; undefined before this process had it. */
  get uid(): string | undefined {
    return this.#lease?.uid;
  }

  /** Fires when this process led and does not any more, with a LEASE_LOST as its reason: it should end. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }
}
