/** One line on a terminal that says how far something is, drawn over itself; nothing anywhere else. */

import type { Clock } from '../../kernel/clock.ts';
import { visible } from '../../kernel/shown-text.ts';
import type { Output } from '../ports.ts';
import { cutTo } from './text-columns.ts';

const redrawMs = 100;

export interface StatusLine {
  show(text: string): void;
  clear(): void;
}

export function statusLine(output: Output, clock: Pick<Clock, 'monotonic'>): StatusLine {
  if (!output.terminal) return { show: () => {}, clear: () => {} };
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    show(text) {
      const now = clock.monotonic();
      if (now - drawnAt < redrawMs) return;
      drawnAt = now;
      // A line that wraps could not be taken back.
      output.write(`\r${cutTo(output.width - 1, visible(text))}\u001b[K`);
    },
    clear() {
      if (drawnAt > Number.NEGATIVE_INFINITY) output.write('\r\u001b[K');
    },
  };
}
