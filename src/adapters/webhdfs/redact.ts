/** Text of HDFS for messages and logs: without credentials, without control characters, of a readable length. */
const maxLength = 600;

/** @param secret the token in use, hidden wherever it stands */
export function printable(text: string, secret?: string): string {
  let hidden = text.replace(/((?:delegation|token|signature)=)[^&\s"'<>]+/gi, '$1***');
  if (secret !== undefined && secret !== '') hidden = hidden.replaceAll(secret, '***');
  const escaped = hidden
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (character) => {
      return `\\u${character.codePointAt(0)?.toString(16).padStart(4, '0')}`;
    });
  return escaped.length > maxLength ? `${escaped.slice(0, maxLength)}...` : escaped;
}
