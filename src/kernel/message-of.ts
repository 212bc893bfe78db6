/**
 * What went wrong, in words. A name with several addresses, as one with IPv4 and IPv6 has, fails with the errors of all of
 * them and a message that is empty.
 */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
