/** Text from outside, made fit for messages, logs and terminals. */

/** Controls, format characters (writing direction among them), lone surrogates, line and paragraph separators. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** The text in double quotes, cut after `limit` characters, with every character escaped that a terminal might obey. */
export function quoted(text: string, limit = 100): string {
  return JSON.stringify(text.length > limit ? `${text.slice(0, limit)}…` : text).replace(unseen, escaped);
}

function escaped(letter: string): string {
  return [...Array(letter.length).keys()]
    .map((at) => `\\u${letter.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('');
}

/**
 * The text as one line, for conditions and events: kubectl shows a cell up to its first line break only, and a tab ends
 * the cell. Lines are joined with ` | `; what a terminal might obey is escaped.
 * @param limit characters after which it is cut
 */
export function oneLine(text: string, limit: number): string {
  const line = text
    .split(/[\n\r\v\f\u0085\u2028\u2029]+/)
    .map((part) => part.replaceAll('\t', ' ').trim())
    .filter((part) => part !== '')
    .join(' | ')
    .replace(unseen, escaped);
  const characters = [...line];
  return characters.length <= limit ? line : `${characters.slice(0, limit - 1).join('')}…`;
}
