/** Objects as they come from the API server: what every stored one has is checked; the rest is the server's promise. */
import { field, isObject } from '../json-field.ts';
import { type Attempt, readStatus, refusalOf } from './api-status.ts';
import type { KubeObject, ResourceKind, Stored } from './resource-kind.ts';

export interface List<T extends KubeObject> {
  readonly items: Stored<T>[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
}

export function isStored<T extends KubeObject>(value: unknown): value is Stored<T> {
  const metadata = field(value, 'metadata');
  return ['name', 'uid', 'resourceVersion'].every((name) => typeof field(metadata, name) === 'string');
}

/** @throws MaasError CLUSTER_UNAVAILABLE where it is none */
export function stored<T extends KubeObject>(attempt: Attempt, answer: unknown): Stored<T> {
  if (!isStored<T>(answer)) throw refusalOf(attempt, readStatus(502, 'the answer is not an object of the API'));
  return answer;
}

/** What a dry run would have stored: a new object has no resourceVersion, which is then empty. */
export function wouldBeStored<T extends KubeObject>(attempt: Attempt, answer: unknown): Stored<T> {
  const metadata = field(answer, 'metadata');
  const whole = isObject(answer) && isObject(metadata);
  return stored(attempt, whole ? { ...answer, metadata: { resourceVersion: '', ...metadata } } : answer);
}

/** One page of a list, and how to go on; `next` is undefined at its end. @throws MaasError CLUSTER_UNAVAILABLE */
export function listPage<T extends KubeObject>(
  attempt: Attempt,
  kind: ResourceKind<T>,
  answer: unknown,
): { list: List<T>; next: string | undefined } {
  const metadata = field(answer, 'metadata');
  const resourceVersion = field(metadata, 'resourceVersion');
  const found = field(answer, 'items');
  if (typeof resourceVersion !== 'string') throw refusalOf(attempt, readStatus(502, 'the answer is not a list'));
  // An empty list may come as null. The items of a list carry no apiVersion and kind of their own.
  const items = (Array.isArray(found) ? found : []).map((item) =>
    stored<T>(attempt, isObject(item) ? { ...item, apiVersion: kind.apiVersion, kind: kind.kind } : item),
  );
  const next = field(metadata, 'continue');
  return { list: { items, resourceVersion }, next: typeof next === 'string' && next !== '' ? next : undefined };
}
