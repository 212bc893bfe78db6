/** How long calls took, counted in Prometheus' manner. */

/** Upper bounds in seconds. */
export const durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

export class Histogram {
  readonly #counts = new Array<number>(durationBounds.length + 1).fill(0);
  #seconds = 0;

  add(ms: number): void {
    const seconds = ms / 1_000;
    const found = durationBounds.findIndex((bound) => seconds <= bound);
    const at = found === -1 ? durationBounds.length : found;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#seconds += seconds;
  }

  get seconds(): number {
    return this.#seconds;
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** How many took no longer than each bound; the last one, `+Inf`, counts all. */
  cumulative(): readonly (readonly [bound: string, count: number])[] {
    let sum = 0;
    return [...durationBounds.map(String), '+Inf'].map((bound, at) => {
      sum += this.#counts[at] ?? 0;
      return [bound, sum] as const;
    });
  }
}
