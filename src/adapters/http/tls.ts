/** HTTP over TLS. Loaded where it is used first: it takes a sixth of an agent's start, and most agents never need it. */
export function tls(): typeof import('node:https') {
  return process.getBuiltinModule('node:https');
}
