/**
 * What a watch knows of the cluster: objects by namespace and name, with their UIDs.
 *
 * An object that was deleted and created again under its name is two objects here: whoever holds the UID of the old
 * one must learn that it is gone, so the change comes as a deletion and an addition.
 */

export interface Change<P> {
  readonly type: 'added' | 'modified' | 'deleted';
  /** The state; for `deleted` the last one that is known. */
  readonly object: P;
}

/** Objects that a watch follows. What it returns must not be modified. */
export interface Store<P> {
  get(namespace: string | undefined, name: string): P | undefined;
  byUid(uid: string): P | undefined;
  /** All, or those of one namespace; in no particular order. */
  list(namespace?: string): P[];
  /** Those for which the watch's `index` gave this value. */
  indexed(value: string): P[];
  readonly size: number;
}

/** Which object it is and in which state: kept apart, so that a projection may drop them. */
export interface Identity {
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

interface Entry<P> extends Identity {
  readonly scope: number;
  readonly object: P;
  readonly indexValue: string | undefined;
}

/** The writing side, held by the watch alone. Each method answers with the changes, which have happened already. */
export class WatchStore<P> implements Store<P> {
  readonly #entries = new Map<string, Entry<P>>();
  readonly #byUid = new Map<string, Entry<P>>();
  readonly #byIndex = new Map<string, Set<Entry<P>>>();
  readonly #index: (object: P) => string | undefined;

  constructor(index: (object: P) => string | undefined = () => undefined) {
    this.#index = index;
  }

  get(namespace: string | undefined, name: string): P | undefined {
    return this.#entries.get(keyOf({ namespace, name }))?.object;
  }

  byUid(uid: string): P | undefined {
    return this.#byUid.get(uid)?.object;
  }

  list(namespace?: string): P[] {
    const found: P[] = [];
    for (const entry of this.#entries.values()) {
      if (namespace === undefined || entry.namespace === namespace) found.push(entry.object);
    }
    return found;
  }

  indexed(value: string): P[] {
    return [...(this.#byIndex.get(value) ?? [])].map((entry) => entry.object);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** An object is there, in this state. `scope` is the part of the cluster whose watch reported it. */
  put(scope: number, identity: Identity, object: P): Change<P>[] {
    const key = keyOf(identity);
    const known = this.#entries.get(key);
    if (known !== undefined && known.uid === identity.uid) {
      if (known.resourceVersion === identity.resourceVersion) return [];
      this.#unlink(key, known);
      this.#link(key, scope, identity, object);
      return [{ type: 'modified', object }];
    }
    const changes: Change<P>[] = known === undefined ? [] : this.#drop(key, known);
    this.#link(key, scope, identity, object);
    changes.push({ type: 'added', object });
    return changes;
  }

  /** An object is gone. A deletion of another UID than the known one is old news. */
  remove(identity: Identity, last?: P): Change<P>[] {
    const key = keyOf(identity);
    const known = this.#entries.get(key);
    if (known === undefined || known.uid !== identity.uid) return [];
    this.#unlink(key, known);
    return [{ type: 'deleted', object: last ?? known.object }];
  }

  /** A full list came in: what the scope had and the list has not is gone. */
  retain(scope: number, listed: ReadonlySet<string>): Change<P>[] {
    const changes: Change<P>[] = [];
    for (const [key, entry] of this.#entries) {
      if (entry.scope === scope && !listed.has(entry.uid)) changes.push(...this.#drop(key, entry));
    }
    return changes;
  }

  #drop(key: string, entry: Entry<P>): Change<P>[] {
    this.#unlink(key, entry);
    return [{ type: 'deleted', object: entry.object }];
  }

  #link(key: string, scope: number, identity: Identity, object: P): void {
    const { namespace, name, uid, resourceVersion } = identity;
    const indexValue = this.#index(object);
    const entry: Entry<P> = { namespace, name, uid, resourceVersion, scope, object, indexValue };
    this.#entries.set(key, entry);
    this.#byUid.set(uid, entry);
    if (indexValue === undefined) return;
    const siblings = this.#byIndex.get(indexValue) ?? new Set();
    siblings.add(entry);
    this.#byIndex.set(indexValue, siblings);
  }

  #unlink(key: string, entry: Entry<P>): void {
    this.#entries.delete(key);
    this.#byUid.delete(entry.uid);
    if (entry.indexValue === undefined) return;
    const siblings = this.#byIndex.get(entry.indexValue);
    siblings?.delete(entry);
    if (siblings?.size === 0) this.#byIndex.delete(entry.indexValue);
  }
}

function keyOf(object: { readonly namespace: string | undefined; readonly name: string }): string {
  return `${object.namespace ?? ''}/${object.name}`;
}
