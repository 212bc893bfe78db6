/** Columns of text, as kubectl sets them: upper-case headings, three spaces between, nothing behind the last. */
import { columnsOf } from './escape.ts';

export interface Cell {
  readonly text: string;
  /** Adds colour, which takes no room. */
  readonly paint?: (text: string) => string;
}

export function printTable(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(columnsOf(heading), ...rows.map((row) => columnsOf(row[column]?.text ?? ''))),
  );
  const line = (cells: readonly Cell[]): string =>
    cells
      .map(({ text, paint }, column) => {
        const shown = paint === undefined ? text : paint(text);
        const last = column === cells.length - 1;
        return last ? shown : `${shown}${' '.repeat((widths[column] ?? 0) - columnsOf(text) + 3)}`;
      })
      .join('');
  return [headings.map((text) => ({ text })), ...rows].map((cells) => `${line(cells)}\n`).join('');
}
