/**
 * The nodes of a ZooKeeper in memory, and sessions that hold ephemeral ones: what agents write to in tests that are not
 * about the wire. Sessions can be suspended, expired and resumed, and a transaction's answer can get lost.
 */
import type { FoundNode, Operation } from '../../src/agent/registration-plan.ts';
import type { SessionCredentials } from '../../src/agent/session-store.ts';
import type { AgentSession } from '../../src/agent/sources/zookeeper.ts';
import { MaasError } from '../../src/contracts/errors.ts';

export class EphemeralRegistry {
  readonly nodes = new Map<string, FoundNode>();
  /** Every change in order, `+/path` and `-/path`. */
  readonly history: string[] = [];
  readonly sessions: FakeSession[] = [];
  /** Sessions that still hold their nodes. */
  readonly alive = new Set<string>();
  readonly #watches = new Map<string, Set<(node: FoundNode | undefined) => void>>();
  readonly #below = new Map<string, Set<(names: string[] | undefined) => void>>();
  #reachable = true;
  /** Called as soon as a transaction is done, before its answer, with the session that now owns what it made. */
  written: (owner: string) => void = () => {};

  open = (resume: SessionCredentials | undefined): FakeSession => {
    const session = new FakeSession(this, resume);
    this.sessions.push(session);
    if (this.#reachable) session.connect();
    return session;
  };

  /** The latest session. */
  get session(): FakeSession {
    const last = this.sessions.at(-1);
    if (last === undefined) throw new Error('no session was opened');
    return last;
  }

  /** Away for the sessions that are and that come. */
  goAway(): void {
    this.#reachable = false;
    for (const session of this.sessions) session.suspend();
  }

  comeBack(): void {
    this.#reachable = true;
    for (const session of this.sessions) session.connect();
    for (const path of this.#watches.keys()) this.#tell(path);
  }

  get reachable(): boolean {
    return this.#reachable;
  }

  ownerOf(path: string): string | undefined {
    return this.nodes.get(path)?.stat.ephemeralOwner;
  }

  text(path: string): string | undefined {
    const node = this.nodes.get(path);
    return node === undefined ? undefined : Buffer.from(node.data).toString();
  }

  put(path: string, data: string | Uint8Array, owner?: string): void {
    const version = (this.nodes.get(path)?.stat.version ?? -1) + 1;
    this.nodes.set(path, { data: Buffer.from(data), stat: { version, ephemeralOwner: owner } });
    this.history.push(`+${path}`);
    this.#tell(path);
  }

  drop(path: string): void {
    if (!this.nodes.delete(path)) return;
    this.history.push(`-${path}`);
    this.#tell(path);
  }

  expire(session: string): void {
    this.alive.delete(session);
    for (const path of [...this.nodes.keys()]) if (this.ownerOf(path) === session) this.drop(path);
  }

  transact(operations: readonly Operation[], session: string): void {
    for (const operation of operations) {
      const found = this.nodes.get(operation.path);
      const removed = operations.some((other) => other.type === 'delete' && other.path === operation.path);
      const fits =
        operation.type === 'delete' ? found?.stat.version === operation.version : found === undefined || removed;
      if (!fits) throw new MaasError('ZOOKEEPER_CONFLICT', `${operation.type} of ${operation.path}`);
    }
    for (const operation of operations) {
      if (operation.type === 'delete') this.drop(operation.path);
      else this.put(operation.path, operation.data, session);
    }
    this.written(session);
  }

  watch(path: string, changed: (node: FoundNode | undefined) => void): { close(): void } {
    const watches = this.#watches.get(path) ?? new Set();
    this.#watches.set(path, watches.add(changed));
    if (this.#reachable) setImmediate(() => changed(this.nodes.get(path)));
    return { close: () => watches.delete(changed) };
  }

  watchBelow(path: string, changed: (names: string[] | undefined) => void): { close(): void } {
    const watches = this.#below.get(path) ?? new Set();
    this.#below.set(path, watches.add(changed));
    if (this.#reachable) setImmediate(() => changed(this.#namesBelow(path)));
    return { close: () => watches.delete(changed) };
  }

  #namesBelow(path: string): string[] {
    const below = [...this.nodes.keys()].filter((each) => each.startsWith(`${path}/`));
    return [...new Set(below.map((each) => each.slice(path.length + 1).split('/')[0] ?? ''))];
  }

  #tell(path: string): void {
    if (!this.#reachable) return;
    const above = path.slice(0, path.lastIndexOf('/'));
    for (const changed of this.#below.get(above) ?? []) setImmediate(() => changed(this.#namesBelow(above)));
    for (const changed of this.#watches.get(path) ?? []) setImmediate(() => changed(this.nodes.get(path)));
  }
}

let lastSession = 0;

export class FakeSession implements AgentSession {
  readonly #registry: EphemeralRegistry;
  #listener: (event: { type: string }) => void = () => {};
  #id: string;
  #connected = false;
  #dead = false;
  /** The next transaction is done, but its answer never comes. */
  loseNextAnswer = false;
  closed = false;

  constructor(registry: EphemeralRegistry, resume: SessionCredentials | undefined) {
    this.#registry = registry;
    this.#id = resume !== undefined && registry.alive.has(resume.id) ? resume.id : newSession();
  }

  connect(): void {
    if (this.#dead || this.#connected) return;
    this.#registry.alive.add(this.#id);
    this.#connected = true;
    queueMicrotask(() => this.#listener({ type: 'connected' }));
  }

  suspend(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#listener({ type: 'suspended' });
  }

  /** The server forgets the session; a new one follows. */
  expire(): void {
    this.suspend();
    this.#registry.expire(this.#id);
    this.#id = newSession();
    this.#listener({ type: 'expired' });
    if (this.#registry.reachable) this.connect();
  }

  /** As a killed process: nothing is told and nothing is closed. */
  kill(): void {
    this.#connected = false;
    this.#dead = true;
  }

  async get(path: string): Promise<FoundNode | undefined> {
    this.#check();
    return this.#registry.nodes.get(path);
  }

  state() {
    return this.#connected ? ('connected' as const) : ('suspended' as const);
  }

  onEvent(listener: (event: { type: string }) => void): void {
    this.#listener = listener;
  }

  async ensurePath(path: string): Promise<void> {
    this.#check();
    if (!this.#registry.nodes.has(path)) this.#registry.put(path, '');
  }

  async transaction(operations: readonly Operation[]): Promise<void> {
    this.#check();
    this.#registry.transact(operations, this.#id);
    if (!this.loseNextAnswer) return;
    this.loseNextAnswer = false;
    throw new MaasError('ZOOKEEPER_TIMEOUT', 'no answer to a transaction');
  }

  watchNode(path: string, changed: (node: FoundNode | undefined) => void): { close(): void } {
    return this.#registry.watch(path, changed);
  }

  watchChildren(path: string, changed: (names: string[] | undefined) => void): { close(): void } {
    return this.#registry.watchBelow(path, changed);
  }

  session(): SessionCredentials | undefined {
    return this.#connected ? { id: this.#id, password: 'secret', timeoutMs: 10_000 } : undefined;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.#connected = false;
    this.#dead = true;
    this.#registry.expire(this.#id);
  }

  #check(): void {
    if (!this.#connected) throw new MaasError('ZOOKEEPER_UNREACHABLE', 'no connection');
  }
}

function newSession(): string {
  lastSession += 1;
  return lastSession.toString(16).padStart(16, '0');
}
