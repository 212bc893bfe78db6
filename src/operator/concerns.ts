/**
 * What concerns the operator as a whole. Each concern is told once when it begins, and once when it is over; all are
 * published for as long as they last.
 */
import type { Concern } from '../contracts/concern.ts';

export class Concerns {
  readonly #tell: (concern: Concern, over: boolean) => void;
  readonly #bySource = new Map<string, readonly Concern[]>();

  constructor(tell: (concern: Concern, over: boolean) => void) {
    this.#tell = tell;
  }

  /** All concerns of one source, in place of those of before. */
  set(source: string, concerns: readonly Concern[]): void {
    const before = this.#bySource.get(source) ?? [];
    if (concerns.length === 0) this.#bySource.delete(source);
    else this.#bySource.set(source, concerns);
    for (const each of concerns) if (!before.some((other) => isSame(each, other))) this.#tell(each, false);
    for (const each of before) if (!concerns.some((other) => isSame(each, other))) this.#tell(each, true);
  }

  list(): readonly Concern[] {
    return [...this.#bySource.values()].flat();
  }

  /** Tells what there is again: to those who listen to a new leader. */
  repeat(): void {
    for (const each of this.list()) this.#tell(each, false);
  }
}

/** Its words may change while it lasts. */
function isSame(a: Concern, b: Concern): boolean {
  return a.reason === b.reason && a.subject === b.subject;
}
