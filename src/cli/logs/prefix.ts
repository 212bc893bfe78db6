/** Which instance a line is of: its name before it, in a colour of its own on a terminal. Pure. */
import { seenOnTerminal, visible } from '../../kernel/shown-text.ts';
import { type Colour, paint } from '../output/colour.ts';
import type { Look } from '../ports.ts';

const colours: readonly Colour[] = ['cyan', 'magenta', 'green', 'yellow', 'blue', 'red'];

/** A line that no text in it can make look like another's; tabs are left as they are. */
export function logLine(line: string): string {
  return seenOnTerminal(line).split('\t').map(visible).join('\t');
}

/** Gives names their colours in the order in which they come, and the width of the longest that came so far. */
export class Prefixes {
  readonly #look: Pick<Look, 'colour'>;
  readonly #places = new Map<string, number>();
  #width = 0;

  constructor(look: Pick<Look, 'colour'>) {
    this.#look = look;
  }

  of(name: string): string {
    const place = this.#places.get(name) ?? this.#places.size;
    this.#places.set(name, place);
    this.#width = Math.max(this.#width, name.length);
    return `${paint(this.#look, colours[place % colours.length], `${name.padEnd(this.#width)} |`)} `;
  }
}
