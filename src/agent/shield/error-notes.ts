/** Which errors are worth a line of the log: of each kind the first, and then one in half a minute that counts the rest. */
import type { Failure } from '../../contracts/call-results.ts';

const quietMs = 30_000;

export class ErrorNotes {
  readonly #notes = new Map<Failure, { at: number; since: number }>();

  /** @returns how many like it were not told since the last one that was; undefined where this one is not told either */
  note(failure: Failure, at: number): number | undefined {
    const last = this.#notes.get(failure);
    if (last !== undefined && at - last.at < quietMs) {
      last.since += 1;
      return undefined;
    }
    this.#notes.set(failure, { at, since: 0 });
    return last?.since ?? 0;
  }
}
