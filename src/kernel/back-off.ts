/** How long to wait before another attempt: longer after each failure, up to a limit, and never two callers the same. */

export interface BackOff {
  /** After the first failure, milliseconds, at the most. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** By how much it grows with each failure; doubles where absent. */
  readonly factor?: number;
}

/**
 * @param failures how many came before the one after which to wait: 0 after the first
 * @param random from 0 up to 1
 * @returns milliseconds, in the upper half of what the failures alone would give
 */
export function backOffMs({ firstMs, longestMs, factor = 2 }: BackOff, failures: number, random: () => number): number {
  return Math.min(longestMs, firstMs * factor ** failures) * (0.5 + random() / 2);
}
