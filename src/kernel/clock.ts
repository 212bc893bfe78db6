/** Time as the rest of the program knows it. Whoever decides is given the time; whoever waits is given a clock. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds of a clock that never goes back; its zero means nothing. */
  monotonic(): number;
  /** Rejects with the signal's reason when the signal fires first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
