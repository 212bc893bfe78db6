/** Which of some names somebody has probably meant. */
import { compareTexts } from './text-order.ts';

const mostGiven = 3;

/** The nearest first; none that is as likely to be something else. Upper and lower case are alike. */
export function similarTexts(typed: string, known: readonly string[]): readonly string[] {
  const most = Math.min(3, Math.floor((typed.length + 1) / 3));
  const wanted = typed.toLowerCase();
  return [...new Set(known)]
    .map((text) => ({ text, edits: editsBetween(wanted, text.toLowerCase()) }))
    .filter(({ text, edits }) => edits <= most || (wanted.length >= 3 && text.toLowerCase().startsWith(wanted)))
    .sort((a, b) => a.edits - b.edits || compareTexts(a.text, b.text))
    .slice(0, mostGiven)
    .map(({ text }) => text);
}

/** How many letters are to be put in, taken out, changed, or swapped with the next (optimal string alignment). */
export function editsBetween(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + same,
          isSwap ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
