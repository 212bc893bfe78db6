/** What a bench says of its rounds: medians with their spread, and ratios that were taken pair by pair. */

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly rounds: number;
}

/** @throws where there is no value */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [least] = sorted;
  const most = sorted.at(-1);
  if (least === undefined || most === undefined) throw new Error('A spread needs at least one value');
  const upper = sorted[Math.floor(sorted.length / 2)] ?? most;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? least;
  return { median: (lower + upper) / 2, least, most, rounds: sorted.length };
}

/** Ours by the reference's of the same round, so that a machine whose speed drifts does not matter. */
export function ratioOf(ours: readonly number[], reference: readonly number[]): Spread {
  if (ours.length !== reference.length)
    throw new Error('A ratio pair by pair needs as many of the one as of the other');
  return spreadOf(ours.map((value, round) => value / (reference[round] ?? Number.NaN)));
}

/** `1.23 (1.10 to 1.40)`, with what is measured behind each number. */
export function shownSpread({ median, least, most }: Spread, digits = 2, unit = ''): string {
  const shown = (value: number) => `${value.toFixed(digits)}${unit}`;
  return `${shown(median)} (${shown(least)} to ${shown(most)})`;
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
