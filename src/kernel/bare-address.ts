/** The host of a URL as sockets want it: `fd00::1` of `[fd00::1]`, and everything else as it is. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
