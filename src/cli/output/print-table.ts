/**
 * Columns of text, as kubectl sets them: upper-case headings, three spaces between, nothing behind the last. On a
 * terminal a line never wraps: what does not fit is set closer, left out, cut, or told below one another.
 */
import { visible } from '../../kernel/shown-text.ts';
import { columnsOf, cutTo, foldTo } from './text-columns.ts';

export interface Column {
  readonly heading: string;
  /** Can be done without where there is little room; the highest number goes first. */
  readonly spare?: number;
}

export interface Cell {
  readonly text: string;
  /** Adds colour, which takes no room. */
  readonly paint?: (text: string) => string;
}

/** Of content from anywhere; a dash where there is none. */
export function cell(content: string | number | null | undefined): Cell {
  return { text: visible(String(content ?? '-')) };
}

type Row = readonly Cell[];

/** Below this a cell says nothing any more. */
const narrowest = 6;

/** @param width columns of the terminal; undefined where the output is none, and then everything is said */
export function printTable(columns: readonly Column[], rows: readonly Row[], width: number | undefined): string {
  let shown = { columns, rows };
  for (const gap of [3, 2]) if (fits(shown, gap, width)) return lines(shown, gap, naturalWidths(shown));
  while (!fits(shown, 2, width)) {
    const spare = spareOf(shown.columns);
    if (spare === undefined) break;
    shown = {
      columns: shown.columns.toSpliced(spare, 1),
      rows: shown.rows.map((row) => row.toSpliced(spare, 1)),
    };
  }
  return lines(shown, 2, cutWidths(naturalWidths(shown), 2, width ?? Number.POSITIVE_INFINITY));
}

/**
 * For what somebody asked to see whole: a table where it fits, else each row as a block of its own with its cells below
 * one another.
 */
export function printWhole(columns: readonly Column[], rows: readonly Row[], width: number | undefined): string {
  const table = { columns, rows };
  for (const gap of [3, 2]) if (fits(table, gap, width)) return lines(table, gap, naturalWidths(table));
  const indent = Math.max(...columns.map(({ heading }) => columnsOf(heading))) + 2;
  const room = Math.max(narrowest, (width ?? 0) - indent);
  return rows
    .map((row) => columns.map((column, at) => block(column.heading, row[at], indent, room)).join(''))
    .join('\n');
}

function block(heading: string, cell: Cell | undefined, indent: number, room: number): string {
  const paint = cell?.paint ?? ((text: string) => text);
  return foldTo(room, cell?.text ?? '')
    .map((line, at) => `${(at === 0 ? heading : '').padEnd(indent)}${paint(line)}\n`)
    .join('');
}

interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

function fits(table: Table, gap: number, width: number | undefined): boolean {
  return width === undefined || totalOf(naturalWidths(table), gap) <= width;
}

function naturalWidths({ columns, rows }: Table): number[] {
  return columns.map(({ heading }, at) =>
    Math.max(columnsOf(heading), ...rows.map((row) => columnsOf(row[at]?.text ?? ''))),
  );
}

function totalOf(widths: readonly number[], gap: number): number {
  return widths.reduce((sum, each) => sum + each, gap * (widths.length - 1));
}

function spareOf(columns: readonly Column[]): number | undefined {
  const ranks = columns.map(({ spare }) => spare ?? 0);
  const highest = Math.max(...ranks);
  return highest > 0 ? ranks.indexOf(highest) : undefined;
}

/** The widest column gives room first. */
function cutWidths(widths: readonly number[], gap: number, width: number): readonly number[] {
  const left = [...widths];
  while (totalOf(left, gap) > width && Math.max(...left) > narrowest) {
    const widest = left.indexOf(Math.max(...left));
    left[widest] = (left[widest] ?? 0) - 1;
  }
  return left;
}

function lines({ columns, rows }: Table, gap: number, widths: readonly number[]): string {
  const line = (cells: Row): string =>
    cells
      .map(({ text, paint }, at) => {
        const width = widths[at] ?? 0;
        const cut = cutTo(width, text);
        const shown = paint === undefined ? cut : paint(cut);
        return at === cells.length - 1 ? shown : `${shown}${' '.repeat(width - columnsOf(cut) + gap)}`;
      })
      .join('');
  const headings = columns.map(({ heading }): Cell => ({ text: heading }));
  return [headings, ...rows].map((cells) => `${line(cells)}\n`).join('');
}
