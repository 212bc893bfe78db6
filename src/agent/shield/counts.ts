/** What a shield counts, and how it tells it: in Prometheus' text format, and shortly in the agent's status. */

import { failures, type Result, results } from '../../contracts/call-results.ts';
import { Histogram } from './histogram.ts';
import { RecentResults } from './recent-results.ts';

export class Counts {
  readonly #results = new Map<Result, number>(results.map((result) => [result, 0]));
  readonly #codes = new Map<number, number>();
  readonly durations = new Histogram();
  readonly recent = new RecentResults();

  /** A client's call is over. @param at of the monotonic clock */
  ended(result: Result, ms: number, at: number): void {
    this.recent.add(result, at);
    this.#results.set(result, this.of(result) + 1);
    this.durations.add(ms);
  }

  /** The model answered with this status. */
  code(status: number): void {
    this.#codes.set(status, (this.#codes.get(status) ?? 0) + 1);
  }

  of(result: Result): number {
    return this.#results.get(result) ?? 0;
  }

  get requests(): number {
    return results.reduce((sum, result) => sum + this.of(result), 0);
  }

  get errors(): number {
    return failures.reduce((sum, result) => sum + this.of(result), 0);
  }

  /** By status, the lowest first. */
  get codes(): readonly (readonly [status: number, count: number])[] {
    return [...this.#codes].sort(([one], [other]) => one - other);
  }
}
