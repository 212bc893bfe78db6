/** Text of HDFS for messages and logs: without credentials, without control characters, of a readable length. */
import { visible } from '../../kernel/shown-text.ts';

const maxLength = 600;

/** @param secret the token in use, hidden wherever it stands */
export function printable(text: string, secret?: string): string {
  let hidden = text.replace(/((?:delegation|token|signature)=)[^&\s"'<>]+/gi, '$1***');
  if (secret !== undefined && secret !== '') hidden = hidden.replaceAll(secret, '***');
  const escaped = visible(hidden.replace(/\s+/g, ' ').trim());
  return escaped.length > maxLength ? `${escaped.slice(0, maxLength)}...` : escaped;
}
