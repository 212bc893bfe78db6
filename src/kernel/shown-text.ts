/**
 * Text from outside, made fit for logs, terminals, events and conditions. One rule for all of them: controls, format
 * characters (writing direction among them), lone surrogates, line and paragraph separators are never passed on as they
 * are, because a terminal might obey them and a reader cannot see them.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Each such character as `\u001b`, beyond 16 bits as its two halves: what JSON reads back as the same. */
function escapeUnseen(text: string): string {
  return text.replace(unseen, (character) =>
    Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** The text in double quotes, cut after `limit` characters. */
export function quoted(text: string, limit = 100): string {
  return escapeUnseen(JSON.stringify(text.length > limit ? `${text.slice(0, limit)}…` : text));
}

/** On one line, for a terminal: a line break becomes a space. */
export function visible(text: string): string {
  return escapeUnseen(text.replaceAll('\n', ' '));
}

/** JSON or YAML in several lines; its own line breaks and escapes are in order. */
export function visibleLines(text: string): string {
  return text.split('\n').map(escapeUnseen).join('\n');
}

/**
 * The text as one line, for conditions and events: kubectl shows a cell up to its first line break only, and a tab ends
 * the cell. Lines are joined with ` | `.
 * @param limit characters after which it is cut
 */
export function oneLine(text: string, limit: number): string {
  const line = escapeUnseen(
    text
      .split(/[\n\r\v\f\u0085\u2028\u2029]+/)
      .map((part) => part.replaceAll('\t', ' ').trim())
      .filter((part) => part !== '')
      .join(' | '),
  );
  const characters = [...line];
  return characters.length <= limit ? line : `${characters.slice(0, limit - 1).join('')}…`;
}

/** What a terminal would show of a line: without colours, and of a progress bar only what it was last. Still to be escaped. */
export function seenOnTerminal(line: string): string {
  const [first = '', ...others] = line.split('\u001b');
  const plain = [
    first,
    ...others.map((part) => (/^\[[\d;]*m/.test(part) ? part.replace(/^\[[\d;]*m/, '') : `\u001b${part}`)),
  ];
  const written = plain.join('').split('\r');
  return written.findLast((part) => part !== '') ?? '';
}
