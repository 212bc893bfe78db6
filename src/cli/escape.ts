/** Text from outside on its way to a terminal. */

/** Control characters, and the marks that make a terminal show text in another order. */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu;

/** One line of text, with everything that could steer a terminal written out as `\u001b`. */
export function visible(text: string): string {
  return text.replace(unsafe, (character) => (character === '\n' ? ' ' : unicodeEscape(character)));
}

/** The same for JSON, where line breaks and the escapes that JSON itself makes are in order. */
export function visibleJson(json: string): string {
  return json.replace(unsafe, (character) => (character === '\n' ? '\n' : unicodeEscape(character)));
}

function unicodeEscape(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}
