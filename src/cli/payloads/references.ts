/** Who refers to which payload: resources, what they remember, and the pins of versions that have pods. Pure. */

import type { PayloadPlace } from '../../contracts/stored-payload.ts';
import type { Model } from '../cluster/model.ts';
import type { PayloadPin } from '../ports.ts';

/** `wanted`: by the spec. `pinned`: pods of a version read it. `history`: a version that served. `status`: whatever else. */
export type Use = 'wanted' | 'pinned' | 'history' | 'status';

export interface NamedPath {
  /** As it is written there. */
  readonly path: string;
  readonly use: Use;
  /** `namespace/name` of the resource, or of the pin. */
  readonly by: string;
}

export interface Reference extends NamedPath {
  readonly place: PayloadPlace;
}

/**
 * Everything in a resource that may be the path of a payload, whoever wrote it: a field that this program does not know
 * counts as well as one that it does.
 */
export function pathsIn({ metadata, object }: Pick<Model, 'metadata' | 'object'>): readonly NamedPath[] {
  const by = `${metadata.namespace}/${metadata.name}`;
  const status = object['status'];
  const history = typeof status === 'object' && status !== null && 'history' in status ? status.history : undefined;
  const known = new Set<string>();
  const said = new Set<string>();
  return [
    ...textsIn(object['spec']).map((path): NamedPath => ({ path, use: 'wanted', by })),
    ...textsIn(history).map((path): NamedPath => ({ path, use: 'history', by })),
    ...textsIn(status).map((path): NamedPath => ({ path, use: 'status', by })),
  ].filter(({ path, use }) => {
    // What the status says besides is of no interest where the spec or the history says it.
    // Several revisions name the same one.
    const again = said.has(`${use} ${path}`) || (use === 'status' && known.has(path));
    known.add(path);
    said.add(`${use} ${path}`);
    return !again;
  });
}

export function pathsOf({ namespace, name, paths }: PayloadPin): readonly NamedPath[] {
  return paths.map((path) => ({ path, use: 'pinned', by: `${namespace}/${name}` }));
}

const pathKey = /(?:path|copy|from)$/i;

function textsIn(value: unknown, key = ''): readonly string[] {
  if (typeof value === 'string') return pathKey.test(key) && value !== '' ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => textsIn(item, key));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => textsIn(inner, name));
}

/**
 * Those that are about this directory, one above it, or something in it. What is written relative to a home may be meant by an
 * operator with another home than ours, so it counts wherever a path ends like that.
 */
export function usersOf(place: PayloadPlace, references: readonly Reference[]): readonly Reference[] {
  const { nameservice, directory: own } = place;
  const within = (inner: string, outer: string) =>
    inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`);
  return references.filter(({ path, place: { nameservice: there, directory } }) => {
    if (there !== nameservice) return false;
    if (within(directory, own) || within(own, directory)) return true;
    return !path.startsWith('/') && !path.includes('://') && `${own}/`.includes(`/${path.replace(/^\/+|\/+$/g, '')}/`);
  });
}
