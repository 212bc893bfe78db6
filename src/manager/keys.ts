/**
 * From news to keys: which ModelDeployments does it concern? Every source ends here, and all that news does is to add
 * keys to the queue. What is to be done about them finds out who works on them, from the world as it is then.
 */
import type { ResourceEntry } from '../contracts/resource-entry.ts';
import type { Store } from '../operator/ports.ts';
import type { Owned } from '../operator/views.ts';

export interface Change<P> {
  readonly type: 'added' | 'modified' | 'deleted';
  /** The state; for `deleted` the last one that is known. */
  readonly object: P;
}

export class Keys {
  readonly #queue: { add(uid: string): void };
  readonly #resources: Pick<Store<ResourceEntry>, 'list' | 'indexed'>;

  constructor(queue: { add(uid: string): void }, resources: Pick<Store<ResourceEntry>, 'list' | 'indexed'>) {
    this.#queue = queue;
    this.#resources = resources;
  }

  /** A ModelDeployment: it, and where it came or went, whoever else names the model. */
  resource({ type, object: { resource } }: Change<ResourceEntry>): void {
    this.#queue.add(resource.metadata.uid);
    if (type !== 'modified') this.model(resource.spec.name);
  }

  /** Something that was made for a ModelDeployment. */
  child({ object }: Change<Owned<unknown>>): void {
    this.#queue.add(object.ownerUid);
  }

  /** Of a resource that may be gone. */
  uid(uid: string): void {
    this.#queue.add(uid);
  }

  model(name: string): void {
    this.#add(this.#resources.indexed(name));
  }

  /** All namespaces where it is undefined. */
  namespace(namespace: string | undefined): void {
    const all = this.#resources.list();
    this.#add(namespace === undefined ? all : all.filter(({ resource }) => resource.metadata.namespace === namespace));
  }

  #add(entries: readonly ResourceEntry[]): void {
    for (const { resource } of entries) this.#queue.add(resource.metadata.uid);
  }
}
