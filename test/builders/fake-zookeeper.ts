/**
 * A ZooKeeper in memory, as the operator's port sees it: reads and watches, a connection that can go and come back.
 * For what is decided from its answers; the wire is tested with the real thing.
 */
import { MaasError } from '../../src/contracts/errors.ts';
import type { Subscription, Znode, ZnodeOperation } from '../../src/operator/ports.ts';

interface Node {
  data: Uint8Array;
  version: number;
  ephemeralOwner: string | undefined;
  czxid: bigint;
}

export class FakeZooKeeper {
  readonly nodes = new Map<string, Node>();
  /** Owns what is made ephemeral. */
  session = 'mine';
  #state: 'connecting' | 'connected' | 'suspended' | 'closed' = 'connected';
  readonly #listeners = new Set<(event: { type: string }) => void>();
  readonly #watches = new Set<() => void>();
  #zxid = 0n;
  /** How often somebody asked for the children of a node. */
  listings = 0;
  /** Reads of single nodes: those that wait for their answer now, and the most that ever did. */
  readonly reads = { open: 0, most: 0 };
  /** Reads wait here while it is set, so that a test can decide what overtakes what. */
  hold: Promise<void> | undefined;

  state() {
    return this.#state;
  }

  onEvent(listener: (event: { type: string }) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Those that are open. */
  get watches(): number {
    return this.#watches.size;
  }

  become(state: 'connected' | 'suspended'): void {
    this.#state = state;
    for (const listener of this.#listeners) listener({ type: state });
  }

  put(path: string, data: string, ephemeralOwner?: string): void {
    this.nodes.set(path, { data: Buffer.from(data), version: 0, ephemeralOwner, czxid: ++this.#zxid });
    this.#tell();
  }

  drop(path: string): void {
    this.nodes.delete(path);
    this.#tell();
  }

  async get(path: string): Promise<Znode | undefined> {
    this.reads.open += 1;
    this.reads.most = Math.max(this.reads.most, this.reads.open);
    await this.#answer().finally(() => {
      this.reads.open -= 1;
    });
    const node = this.nodes.get(path);
    return (
      node && {
        data: node.data,
        stat: { version: node.version, ephemeralOwner: node.ephemeralOwner, czxid: node.czxid },
      }
    );
  }

  async exists(path: string): Promise<{ pzxid: bigint } | undefined> {
    await this.#answer();
    const children = this.#children(path);
    if (children === undefined) return undefined;
    const born = children.map((name) => this.nodes.get(`${path}/${name}`)?.czxid ?? 0n);
    // Not ZooKeeper's number, but another one after each change.
    return { pzxid: born.reduce((sum, czxid) => sum + czxid * 1_000_003n, BigInt(children.length)) };
  }

  async children(path: string): Promise<string[] | undefined> {
    this.listings += 1;
    await this.#answer();
    return this.#children(path);
  }

  watchNode(path: string, onChange: (node: Znode | undefined) => void): Subscription {
    return this.#watch(() => {
      const node = this.nodes.get(path);
      onChange(
        node && {
          data: node.data,
          stat: { version: node.version, ephemeralOwner: node.ephemeralOwner, czxid: node.czxid },
        },
      );
    });
  }

  watchChildren(path: string, onChange: (children: string[] | undefined) => void): Subscription {
    return this.#watch(() => onChange(this.#children(path)));
  }

  async ensurePath(path: string): Promise<void> {
    await this.#answer();
    for (let end = path.indexOf('/', 1); end !== -1; end = path.indexOf('/', end + 1)) this.#make(path.slice(0, end));
    this.#make(path);
  }

  async create(path: string, data: Uint8Array, mode: { readonly ephemeral?: boolean } = {}): Promise<void> {
    await this.#answer();
    if (this.nodes.has(path)) throw new MaasError('ZOOKEEPER_CONFLICT', `${path} is there`);
    if (!this.nodes.has(path.slice(0, path.lastIndexOf('/')))) throw new MaasError('ZOOKEEPER_CONFLICT', 'no parent');
    const ephemeralOwner = mode.ephemeral === true ? this.session : undefined;
    this.nodes.set(path, { data, version: 0, ephemeralOwner, czxid: ++this.#zxid });
    this.#tell();
  }

  async set(path: string, data: Uint8Array, version: number): Promise<void> {
    await this.#answer();
    const node = this.nodes.get(path);
    if (node?.version !== version) throw new MaasError('ZOOKEEPER_CONFLICT', `bad version of ${path}`);
    this.nodes.set(path, { ...node, data, version: version + 1 });
    this.#tell();
  }

  async transaction(operations: readonly ZnodeOperation[]): Promise<void> {
    await this.#answer();
    for (const { path, version } of operations) {
      const node = this.nodes.get(path);
      if (node === undefined || node.version !== version) throw new Error(`bad version of ${path}`);
    }
    for (const operation of operations) {
      const node = this.nodes.get(operation.path);
      if (operation.type === 'delete') this.nodes.delete(operation.path);
      else if (operation.type === 'set' && node !== undefined) {
        node.data = operation.data;
        node.version += 1;
      }
    }
    this.#tell();
  }

  #make(path: string): void {
    if (!this.nodes.has(path)) this.put(path, '');
  }

  #children(path: string): string[] | undefined {
    const prefix = `${path}/`;
    const names = [...this.nodes.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length))
      .filter((name) => !name.includes('/'));
    return names.length === 0 && !this.nodes.has(path) ? undefined : names;
  }

  async #answer(): Promise<void> {
    await this.hold;
    if (this.#state !== 'connected') throw new Error('not connected');
  }

  #watch(tell: () => void): Subscription {
    this.#watches.add(tell);
    tell();
    return { close: () => this.#watches.delete(tell) };
  }

  #tell(): void {
    for (const tell of this.#watches) tell();
  }
}
