/**
 * Does a live object still say what was applied? The API server adds defaults to what it stores, so only what was
 * applied is looked at, and quantities are compared by what they mean. A null is stored as nothing.
 */
import { sameQuantity } from '../contracts/quantity.ts';

/** Where a Pod has quantities, which the API server stores in a form of its own and as text. */
const amountPath = /(^|\.)(requests|limits)\.[^[]*$|\.(sizeLimit|divisor)$/;
/** Where no truth is left out that would mean something else. */
const volumePath = /\.(volumes|volumeMounts)\[/;

/** The path of the first difference, for the log, or undefined where the live object holds all that was applied. */
export function driftOf(applied: unknown, live: unknown, path = ''): string | undefined {
  if (Array.isArray(applied)) {
    if (!Array.isArray(live)) return applied.length === 0 && live === undefined ? undefined : path;
    if (applied.length !== live.length) return path;
    for (const [index, item] of applied.entries()) {
      const found = driftOf(item, live[index], `${path}[${index}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (typeof applied === 'object' && applied !== null) {
    const entries = Object.entries(applied).filter(([, value]) => value !== undefined && value !== null);
    if (typeof live !== 'object' || live === null) return entries.length === 0 && live === undefined ? undefined : path;
    for (const [key, value] of entries) {
      const found = driftOf(value, (live as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (applied === live) return undefined;
  if (amountPath.test(path) && isScalar(applied) && isScalar(live)) {
    return sameQuantity(String(applied), String(live)) ? undefined : path;
  }
  // An empty text is stored as an absent one, in an environment variable for example; so are `readOnly: false` and
  // `paused: false`, but not every `false`: where a field is true by default, absent means something else.
  const leftOut = applied === '' || (applied === false && (path === 'paused' || volumePath.test(path)));
  return leftOut && live === undefined ? undefined : path;
}

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
