/** Lines for people: text from outside cannot write anything else to their terminal. */
import { visible } from '../../kernel/shown-text.ts';
import type { Output } from '../ports.ts';

export function say(output: Pick<Output, 'write'>, text: string): void {
  output.write(`${visible(text)}\n`);
}

/** What should be known beside the result. */
export function note(output: Pick<Output, 'write'>, text: string): void {
  say(output, `note: ${text}`);
}
