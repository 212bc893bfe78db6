/** Colours, only where the output takes them. */
import type { Output } from '../ports.ts';

const codes = { red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36, grey: 90, bold: 1 } as const;
export type Colour = keyof typeof codes;

export function paint(output: Pick<Output, 'colour'>, colour: Colour | undefined, text: string): string {
  return output.colour && colour !== undefined ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text;
}
