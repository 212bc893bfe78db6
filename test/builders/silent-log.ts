import type { Log } from '../../src/kernel/log.ts';

/** A log that says nothing, and remembers the warnings. */
export function silentLog(): Log & { readonly warnings: string[] } {
  const warnings: string[] = [];
  const log: Log & { readonly warnings: string[] } = {
    warnings,
    debug: () => {},
    info: () => {},
    warn: (_fields, message) => warnings.push(message),
    error: (_fields, message) => warnings.push(message),
    child: () => log,
  };
  return log;
}
