/** Two texts as lines that went, came and stayed, in the form of `diff -u`. Pure, and bounded in what it costs and says. */

const context = 2;
/** Pairs of lines that are compared at most; beyond, all that is between the same beginning and end counts as changed. */
const maxPairs = 4_000_000;

type Line = readonly [mark: ' ' | '-' | '+', text: string];

/** @param limit lines after which it is cut */
export function textDiff(before: string, after: string, limit: number): readonly string[] {
  const lines = changes(before.split('\n'), after.split('\n'));
  const near = (at: number) => lines.slice(Math.max(0, at - context), at + context + 1).some(([mark]) => mark !== ' ');
  const shown: string[] = [];
  let left = false;
  lines.forEach(([mark, text], at) => {
    if (!near(at)) {
      left = true;
      return;
    }
    if (left && shown.length > 0) shown.push('…');
    left = false;
    shown.push(`${mark}${text}`);
  });
  return shown.length <= limit ? shown : [...shown.slice(0, limit), `… ${shown.length - limit} lines more`];
}

function changes(before: readonly string[], after: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let [endBefore, endAfter] = [before.length, after.length];
  while (endBefore > start && endAfter > start && before[endBefore - 1] === after[endAfter - 1]) {
    endBefore -= 1;
    endAfter -= 1;
  }
  const same = (text: string): Line => [' ', text];
  return [
    ...before.slice(0, start).map(same),
    ...middle(before.slice(start, endBefore), after.slice(start, endAfter)),
    ...before.slice(endBefore).map(same),
  ];
}

/** By the longest common subsequence. */
function middle(before: readonly string[], after: readonly string[]): readonly Line[] {
  const went = (text: string): Line => ['-', text];
  const came = (text: string): Line => ['+', text];
  if (before.length * after.length > maxPairs) return [...before.map(went), ...after.map(came)];
  const common = commonLengths(before, after);
  const lines: Line[] = [];
  let [row, column] = [0, 0];
  while (row < before.length && column < after.length) {
    const [old = '', fresh = ''] = [before[row], after[column]];
    if (old === fresh) lines.push([' ', old]);
    else if (common(row + 1, column) >= common(row, column + 1)) lines.push(went(old));
    else lines.push(came(fresh));
    const mark = lines.at(-1)?.[0];
    if (mark !== '+') row += 1;
    if (mark !== '-') column += 1;
  }
  return [...lines, ...before.slice(row).map(went), ...after.slice(column).map(came)];
}

/** Of what is left from a line of each on: how many lines both have in the same order. */
function commonLengths(before: readonly string[], after: readonly string[]): (row: number, column: number) => number {
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  const at = (row: number, column: number) => lengths[row * width + column] ?? 0;
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  return at;
}
