/** What came of the calls of the last minutes: whether something goes wrong now, and not whether it ever did. */
import { failures, isError, type Result } from '../../contracts/call-results.ts';
import type { ShieldStatus } from '../../contracts/pod-contract.ts';

const sliceMs = 15_000;
const slices = 20;

interface Slice {
  readonly number: number;
  requests: number;
  readonly failed: Map<Result, number>;
}

export class RecentResults {
  /** The oldest first. */
  #slices: Slice[] = [];

  add(result: Result, at: number): void {
    const number = Math.floor(at / sliceMs);
    let last = this.#slices.at(-1);
    if (last?.number !== number) {
      last = { number, requests: 0, failed: new Map() };
      this.#slices = [...this.#since(number), last];
    }
    last.requests += 1;
    if (isError(result)) last.failed.set(result, (last.failed.get(result) ?? 0) + 1);
  }

  at(now: number): NonNullable<ShieldStatus['recent']> {
    const recent = this.#since(Math.floor(now / sliceMs));
    const sum = (of: (slice: Slice) => number) => recent.reduce((total, slice) => total + of(slice), 0);
    const found = failures.map((failure) => [failure, sum(({ failed }) => failed.get(failure) ?? 0)] as const);
    return {
      seconds: (slices * sliceMs) / 1_000,
      requests: sum(({ requests }) => requests),
      errors: found.reduce((total, [, count]) => total + count, 0),
      results: Object.fromEntries(found.filter(([, count]) => count > 0)),
    };
  }

  #since(number: number): Slice[] {
    return this.#slices.filter((slice) => slice.number > number - slices);
  }
}
