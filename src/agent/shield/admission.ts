/** Who is at the model now, who waits for a place, and who is sent away. First come, first served. */

export type Verdict = 'enter' | 'wait' | 'refuse';

export class Admission<Caller> {
  readonly #places: number;
  readonly #seats: number;
  readonly #queue = new Set<Caller>();
  #inFlight = 0;

  /** @param places at the model. @param seats for those who wait */
  constructor(places: number, seats: number) {
    this.#places = places;
    this.#seats = seats;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** Who enters has to leave; who waits enters when `leave` names him. */
  ask(caller: Caller): Verdict {
    if (this.#inFlight < this.#places) {
      this.#inFlight += 1;
      return 'enter';
    }
    if (this.#queue.size >= this.#seats) return 'refuse';
    this.#queue.add(caller);
    return 'wait';
  }

  /** @returns who takes the place that became free, if somebody waits */
  leave(): Caller | undefined {
    const [next] = this.#queue;
    if (next === undefined) this.#inFlight -= 1;
    else this.#queue.delete(next);
    return next;
  }

  /** Waits no more. */
  withdraw(caller: Caller): void {
    this.#queue.delete(caller);
  }
}
