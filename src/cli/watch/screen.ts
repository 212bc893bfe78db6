/** Text on a terminal that is drawn over what was drawn before; what was above it stays. */
import { columnsOf } from '../output/text-columns.ts';
import type { Output } from '../ports.ts';

export class Screen {
  readonly #output: Pick<Output, 'write' | 'width' | 'height'>;
  #drawn: readonly string[] = [];
  #shown = '';

  constructor(output: Pick<Output, 'write' | 'width' | 'height'>) {
    this.#output = output;
  }

  draw(text: string): void {
    const lines = this.#fitting(text.replace(/\n$/, '').split('\n'));
    const shown = lines.map((line) => `${line}\n`).join('');
    if (shown === this.#shown) return;
    // What was drawn may take more lines by now: the window may have become narrower since.
    const rows = this.#drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(columns(line) / this.#output.width)), 0);
    this.#output.write(`${rows === 0 ? '' : `\u001b[${rows}A\r\u001b[J`}${shown}`);
    this.#drawn = lines;
    this.#shown = shown;
  }

  /** What does not fit would scroll away, where nothing can be drawn over it. */
  #fitting(lines: readonly string[]): readonly string[] {
    const most = Math.max(2, this.#output.height - 1);
    if (lines.length <= most) return lines;
    return [...lines.slice(0, most - 1), `… and ${lines.length - most + 1} more lines`];
  }
}

/** Colours take no room. */
function columns(line: string): number {
  const [first = '', ...others] = line.split('\u001b');
  return columnsOf([first, ...others.map((part) => part.replace(/^\[[\d;]*m/, ''))].join(''));
}
