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
  if (Array.isArray(applied)) return driftOfList(applied, live, path);
  if (isRecord(applied)) return driftOfFields(applied, live, path);
  return sameValue(applied, live, path) ? undefined : path;
}

function driftOfList(applied: readonly unknown[], live: unknown, path: string): string | undefined {
  if (!Array.isArray(live)) return applied.length === 0 && live === undefined ? undefined : path;
  if (applied.length !== live.length) return path;
  return firstDrift(applied.map((item, index) => [item, live[index], `${path}[${index}]`]));
}

function driftOfFields(applied: Readonly<Record<string, unknown>>, live: unknown, path: string): string | undefined {
  const entries = Object.entries(applied).filter(([, value]) => value !== undefined && value !== null);
  if (!isRecord(live)) return entries.length === 0 && live === undefined ? undefined : path;
  return firstDrift(entries.map(([key, value]) => [value, live[key], path === '' ? key : `${path}.${key}`]));
}

function firstDrift(parts: readonly (readonly [applied: unknown, live: unknown, path: string])[]): string | undefined {
  for (const [applied, live, path] of parts) {
    const found = driftOf(applied, live, path);
    if (found !== undefined) return found;
  }
  return undefined;
}

function sameValue(applied: unknown, live: unknown, path: string): boolean {
  if (applied === live) return true;
  if (amountPath.test(path) && isScalar(applied) && isScalar(live)) return sameQuantity(String(applied), String(live));
  // An empty text is stored as an absent one, in an environment variable for example; so are `readOnly: false` and
  // `paused: false`, but not every `false`: where a field is true by default, absent means something else.
  const leftOut = applied === '' || (applied === false && (path === 'paused' || volumePath.test(path)));
  return leftOut && live === undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
