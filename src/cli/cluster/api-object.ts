/** Objects of Kubernetes read field by field, whatever somebody wrote into them. */
import type { ApiObject } from '../ports.ts';

export function isRecord(value: unknown): value is ApiObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Without a field where it is none. */
export function recordOf(value: unknown): ApiObject {
  return isRecord(value) ? value : {};
}

/** The spec of an object as it is written. */
export function specOf(object: ApiObject): ApiObject {
  return recordOf(object['spec']);
}

/** Undefined for what is no text, or empty. */
export function textAt(object: ApiObject, ...path: readonly string[]): string | undefined {
  const parent = path.slice(0, -1).reduce((above, key) => recordOf(above[key]), object);
  const value = parent[path.at(-1) ?? ''];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
