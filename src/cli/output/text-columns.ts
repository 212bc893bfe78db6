/** How much room text takes on a terminal, and making it fit. Colours are put on afterwards. */

const segments = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Wide and fullwidth by Unicode's East Asian Width, in whole blocks; the emoji among them have a property of their own. */
const wide =
  /\ufe0f|[\p{Emoji_Presentation}\u1100-\u115f\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{1b2ff}\u{1d300}-\u{1d37f}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/u;
/** Marks with nothing below them, and what is there but never seen. */
const seenByNobody = /^[\p{M}\p{Cf}]+$/u;

/** How many columns of a terminal a text takes. */
export function columnsOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of segments.segment(text)) columns += columnsOfOne(segment);
  return columns;
}

function columnsOfOne(segment: string): number {
  if (seenByNobody.test(segment)) return 0;
  return wide.test(segment) ? 2 : 1;
}

/** The text, or its beginning with a mark that says that there is more; never more than so many columns. */
export function cutTo(columns: number, text: string): string {
  if (columnsOf(text) <= columns) return text;
  return `${beginningOf(columns - 1, text)}…`;
}

function beginningOf(columns: number, text: string): string {
  let beginning = '';
  let left = columns;
  for (const { segment } of segments.segment(text)) {
    left -= columnsOfOne(segment);
    if (left < 0) break;
    beginning += segment;
  }
  return beginning;
}

/** The text in lines of at most so many columns: broken between words, inside a word only where it is longer than that. */
export function foldTo(columns: number, text: string): string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(' ')) {
    const longer: string = line === undefined ? word : `${line} ${word}`;
    if (columnsOf(longer) <= columns) {
      line = longer;
      continue;
    }
    if (line !== undefined) lines.push(line);
    let rest = word;
    while (columnsOf(rest) > columns) {
      // One character is put down in any case: a terminal of no columns must not hold this up.
      const [first] = segments.segment(rest);
      const beginning = beginningOf(columns, rest) || (first?.segment ?? rest);
      lines.push(beginning);
      rest = rest.slice(beginning.length);
    }
    line = rest;
  }
  return line === undefined ? lines : [...lines, line];
}
