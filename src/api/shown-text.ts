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
