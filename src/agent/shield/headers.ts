/** Header lines as Node keeps them raw: name, value, name, value. Which of them a proxy passes on is RFC 9110, 7.6.1. */

export type RawHeaders = readonly string[];

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The first value of a header; its name in lower case. */
export function headerOf(raw: RawHeaders, name: string): string | undefined {
  for (let at = 0; at < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() === name) return raw[at + 1];
  }
  return undefined;
}

/** Without what is about one connection only, and without what is named, in lower case. */
export function endToEnd(raw: RawHeaders, ...without: readonly string[]): string[] {
  const connection = headerOf(raw, 'connection');
  const named = connection === undefined ? [] : connection.split(',').map((each) => each.trim().toLowerCase());
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || without.includes(lower) || named.includes(lower)) continue;
    kept.push(name, raw[at + 1] ?? '');
  }
  return kept;
}
