/** A ZooKeeper that stands still, for what only looks at it: paths, data, who made them, what their ACL hides. */

import type { ReadZnode, ZooKeeperReader } from '../../src/cli/ports.ts';
import { MaasError } from '../../src/contracts/errors.ts';
import { encodeMarker } from '../../src/contracts/marker.ts';
import { encodeRegistration, type Registration } from '../../src/wire/service-instance.ts';
import { aRegistration } from './registration.ts';

interface Options {
  /** Makes it ephemeral. */
  readonly session?: string;
  readonly createdAt?: number;
  readonly hidden?: boolean;
}

interface Node extends Options {
  readonly data: Uint8Array;
}

export class ZnodeTree implements ZooKeeperReader {
  readonly #nodes = new Map<string, Node>();
  /** Set to let every call fail. */
  failure: MaasError | undefined;
  closed = 0;

  /** Parents are made without data. */
  put(path: string, data: string | Uint8Array = '', options: Options = {}): this {
    for (let slash = path.indexOf('/', 1); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash);
      if (!this.#nodes.has(parent)) this.#nodes.set(parent, { data: new Uint8Array() });
    }
    this.#nodes.set(path, { data: typeof data === 'string' ? new TextEncoder().encode(data) : data, ...options });
    return this;
  }

  /** A registration below the default service root. */
  register(changes: Partial<Registration> = {}, options: Options = {}): this {
    const registration = aRegistration(changes);
    return this.put(
      `/maas/service/${registration.model}/${registration.id}`,
      encodeRegistration(registration),
      options,
    );
  }

  /** A registration as an agent makes it, with its marker. */
  registerFromPod(
    changes: Partial<Registration>,
    {
      cluster = 'here',
      session = '1',
      namespace = 'fraud',
    }: { cluster?: string; session?: string; namespace?: string } = {},
  ): this {
    const id = changes.id ?? 'dga-1-3f0b7c1e-8a41-4d7a-9a53-0c6d1f2e9b10';
    const registration = aRegistration({ ...changes, id });
    const marker = encodeMarker({ namespace, pod: id.slice(0, -37), model: registration.model });
    return this.register(registration, { session }).put(`/maas/operator/${cluster}/instances/${id}`, marker, {
      session,
    });
  }

  request(number: number, data: string, createdAt = 0): this {
    return this.put(`/maas/queue/qn-${String(number).padStart(10, '0')}`, data, { createdAt });
  }

  async connected(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
  }

  async get(path: string): Promise<ReadZnode | undefined> {
    const node = this.#read(path);
    return (
      node && {
        data: node.data,
        stat: {
          ephemeralOwner: node.session,
          ctime: node.createdAt ?? 0,
          numChildren: this.#children(path).length,
        },
      }
    );
  }

  async children(path: string): Promise<readonly string[] | undefined> {
    return this.#read(path) && this.#children(path);
  }

  async close(): Promise<void> {
    this.closed += 1;
  }

  #read(path: string): Node | undefined {
    if (this.failure !== undefined) throw this.failure;
    const node = this.#nodes.get(path);
    if (node?.hidden === true) throw new MaasError('ZOOKEEPER_FORBIDDEN', `ZooKeeper refused ${path}: not permitted`);
    return node;
  }

  #children(path: string): string[] {
    const prefix = `${path}/`;
    return [...this.#nodes.keys()]
      .filter((key) => key.startsWith(prefix) && !key.slice(prefix.length).includes('/'))
      .map((key) => key.slice(prefix.length));
  }
}
