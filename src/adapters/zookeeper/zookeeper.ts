/**
 * ZooKeeper as the rest of the program sees it: calls that always end, errors with codes, watches that are never lost,
 * and a session that survives its connections.
 *
 * Two rules hold for every call. It ends within the operation timeout; what is asked while there is no connection waits
 * for one that long. And a write whose answer was lost is not sent again blindly: where reading can tell whether it was
 * done, it is settled so; otherwise it fails with ZOOKEEPER_TIMEOUT, and the caller, who knows what it wanted, looks and
 * decides anew.
 */

import { MaasError } from '../../contracts/errors.ts';
import { znodePathProblem } from '../../contracts/znode-path.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { quoted } from '../../kernel/shown-text.ts';
import { AnswerLate, AnswerLost, type Connection } from './connection.ts';
import { failure, isRefusal, refusal, refusals } from './failures.ts';
import { parseQuorum } from './quorum.ts';
import {
  type CreateMode,
  create,
  exists,
  getChildren,
  getData,
  multi,
  type Request,
  remove,
  setData,
} from './requests.ts';
import { Session, type SessionEvent, type SessionState } from './session.ts';
import type { SessionCredentials } from './session-credentials.ts';
import { type Subscription, Watch } from './watch.ts';
import type { Znode, ZnodeOp, ZnodeStat } from './znode.ts';

export interface ZooKeeperOptions {
  /** `host:port,host:port`, optionally with `/path` below which every path of a call lies. */
  readonly quorum: string;
  /** Asked for; servers have their own bounds. */
  readonly sessionTimeoutMs: number;
  /** Within which every call ends; the session timeout where absent. */
  readonly operationTimeoutMs?: number;
  /** A session of an earlier process to go on with. */
  readonly resume?: SessionCredentials | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 up to 1; Math.random where absent. */
  readonly random?: () => number;
}

/** What follows a path, by the path as servers know it. */
type Watches = Map<string, Set<{ refresh(): void; close(): void }>>;

/** ZooKeeper's event types, as far as they say which watches are meant. */
const childrenChanged = 4;
const dataChanged = 3;

export class ZooKeeper {
  readonly #session: Session;
  readonly #chroot: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #operationMs: number;
  readonly #nodeWatches: Watches = new Map();
  readonly #childrenWatches: Watches = new Map();
  #closing: Promise<void> | undefined;

  /**
   * Begins to connect at once, and never stops trying until it is closed.
   *
   * @throws MaasError SETTINGS_INVALID
   */
  constructor(options: ZooKeeperOptions) {
    const { servers, chroot } = parseQuorum(options.quorum);
    this.#chroot = chroot;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#operationMs = options.operationTimeoutMs ?? options.sessionTimeoutMs;
    this.#session = new Session({
      servers,
      sessionTimeoutMs: options.sessionTimeoutMs,
      resume: options.resume,
      clock: options.clock,
      random: options.random ?? Math.random,
      log: options.log,
      onNotification: (notification) => this.#onNotification(notification),
    });
    this.#session.onEvent(({ type }) => {
      // Watches are the connection's, not the session's.
      if (type === 'connected') this.#refreshAll();
    });
  }

  state(): SessionState {
    return this.#session.state;
  }

  /** The session that a server has confirmed; kept while it is suspended, undefined once it expired. */
  session(): SessionCredentials | undefined {
    return this.#session.credentials;
  }

  /** Calls back at every event from now on. Returns how to stop that. */
  onEvent(listener: (event: SessionEvent) => void): () => void {
    return this.#session.onEvent(listener);
  }

  /**
   * Waits for a connection.
   *
   * @param withinMs from now
   * @throws MaasError ZOOKEEPER_UNREACHABLE, saying what was tried; the signal's reason
   */
  async connected(withinMs: number, signal?: AbortSignal): Promise<void> {
    await this.#session.connection(this.#clock.monotonic() + withinMs, signal);
  }

  /** Undefined where there is no such node. @throws MaasError ZOOKEEPER_* */
  async get(path: string): Promise<Znode | undefined> {
    return await this.#read('get', path, (real) => getData(real, false));
  }

  /** Undefined where there is no such node. @throws MaasError ZOOKEEPER_* */
  async exists(path: string): Promise<ZnodeStat | undefined> {
    return await this.#read('exists', path, (real) => exists(real, false));
  }

  /** The names of a node's children, in no order; undefined where there is no such node. @throws MaasError ZOOKEEPER_* */
  async children(path: string): Promise<string[] | undefined> {
    return (await this.#read('list', path, (real) => getChildren(real, false)))?.children;
  }

  /**
   * Makes a node that is open to everybody; its parent must exist. An ephemeral node that this very session has made
   * with the same data counts as made, which settles a lost answer.
   *
   * @returns the path, which for a sequential node ends in its number
   * @throws MaasError ZOOKEEPER_CONFLICT where a node is in the way or the parent is missing, or other ZOOKEEPER_*
   */
  async create(path: string, data: Uint8Array, mode: CreateMode = {}): Promise<string> {
    const what = `create ${this.#shown(path)}`;
    const real = this.#real(path);
    const settled = mode.ephemeral === true && mode.sequential !== true;
    const deadline = this.#deadline();
    const session = this.#session.credentials?.id;
    for (;;) {
      try {
        const made = await this.#write(what, create(real, data, mode), deadline, session);
        return made.slice(this.#chroot.length);
      } catch (error) {
        const unsure = error instanceof AnswerLost || isRefusal(error, refusals.nodeExists);
        if (!settled || !unsure) throw failure(what, error);
        const node = await this.#settle(what, getData(real, false), deadline, error);
        if (this.#isOwn(what, node, data, session, error)) return path;
      }
    }
  }

  /** Is the node that was found the one that was to be made? False where there is none. @throws MaasError */
  #isOwn(
    what: string,
    node: Znode | undefined,
    data: Uint8Array,
    session: string | undefined,
    unsure: unknown,
  ): node is Znode {
    const owner = this.#session.credentials?.id;
    if (session !== undefined && owner !== session) throw expired(what);
    if (node === undefined) return false;
    if (node.stat.ephemeralOwner === owner && node.data.equals(data)) return true;
    throw refusal(`${what} (${ownerInWords(node.stat)})`, refusals.nodeExists, unsure);
  }

  /**
   * Replaces a node's data; of this version only where one is given.
   *
   * @throws MaasError ZOOKEEPER_CONFLICT where there is no such node or version, or other ZOOKEEPER_*
   */
  async set(path: string, data: Uint8Array, version?: number): Promise<ZnodeStat> {
    const what = `set ${this.#shown(path)}`;
    const real = this.#real(path);
    const deadline = this.#deadline();
    try {
      return await this.#write(what, setData(real, data, version), deadline, this.#session.credentials?.id);
    } catch (error) {
      if (error instanceof AnswerLost && version !== undefined) {
        const node = await this.#settle(what, getData(real, false), deadline, error);
        if (node?.stat.version === version + 1 && node.data.equals(data)) return node.stat;
      }
      throw failure(what, error);
    }
  }

  /**
   * Removes a node; of this version only where one is given. False where there is no such node.
   *
   * @throws MaasError ZOOKEEPER_CONFLICT where it has another version or children, or other ZOOKEEPER_*
   */
  async delete(path: string, version?: number): Promise<boolean> {
    const what = `delete ${this.#shown(path)}`;
    const real = this.#real(path);
    const deadline = this.#deadline();
    try {
      await this.#write(what, remove(real, version), deadline, this.#session.credentials?.id);
      return true;
    } catch (error) {
      if (isRefusal(error, refusals.noNode)) return false;
      if (error instanceof AnswerLost) {
        // Still there may mean made anew since, so that is left to the caller.
        const stat = await this.#settle(what, exists(real, false), deadline, error);
        if (stat === undefined) return true;
      }
      throw failure(what, error);
    }
  }

  /**
   * Sees to it that a node exists: persistent, open to everybody, without data where it is made, its parents too.
   *
   * @throws MaasError ZOOKEEPER_*
   */
  async ensurePath(path: string): Promise<void> {
    const what = `make ${this.#shown(path)}`;
    const real = this.#real(path);
    const deadline = this.#deadline();
    const present = await this.#readUntil(what, exists(real, false), deadline);
    if (present === undefined) await this.#ensure(what, real, deadline);
  }

  async #ensure(what: string, real: string, deadline: number): Promise<void> {
    for (;;) {
      try {
        await this.#write(what, create(real, Buffer.alloc(0), {}), deadline, undefined);
        return;
      } catch (error) {
        if (isRefusal(error, refusals.nodeExists)) return;
        if (isRefusal(error, refusals.noNode)) {
          await this.#ensure(what, real.slice(0, real.lastIndexOf('/')) || '/', deadline);
          continue;
        }
        // Making it twice does no harm: whoever asks wants it to be there.
        if (!(error instanceof AnswerLost) || error instanceof AnswerLate) throw failure(what, error);
      }
    }
  }

  /**
   * Does all of it or nothing.
   *
   * @throws MaasError ZOOKEEPER_CONFLICT naming the operation that cannot be done, ZOOKEEPER_TIMEOUT where it is unknown
   *   whether it was done, or other ZOOKEEPER_*
   */
  async transaction(operations: readonly ZnodeOp[]): Promise<void> {
    const described = operations.map(({ type, path }) => `${type} ${this.#shown(path)}`);
    const what = `the transaction ${described.join(', ')}`;
    if (operations.length === 0) return;
    const real = operations.map((operation) => ({ ...operation, path: this.#real(operation.path) }));
    let errors: number[];
    try {
      errors = await this.#write(what, multi(real), this.#deadline(), this.#session.credentials?.id);
    } catch (error) {
      throw failure(what, error);
    }
    // Those after the first that failed say only that they were not tried.
    const failed = errors.findIndex((code) => code !== 0);
    if (failed !== -1) {
      throw refusal(`${described[failed]}, ${failed + 1} of ${errors.length} in a transaction`, errors[failed] ?? 0);
    }
  }

  /**
   * Tells a node's data now, and whenever it has changed, undefined where there is no such node. Changes that follow
   * each other quickly may be told as one. While there is no connection nothing is told; afterwards, only what differs.
   */
  watchNode(path: string, onChange: (node: Znode | undefined) => void): Subscription {
    const real = this.#real(path);
    return this.#watch(this.#nodeWatches, real, {
      what: `node ${this.#shown(path)}`,
      read: () => this.#readNode(real),
      onChange,
    });
  }

  /** As watchNode, for the names of a node's children. */
  watchChildren(path: string, onChange: (children: string[] | undefined) => void): Subscription {
    const real = this.#real(path);
    return this.#watch(this.#childrenWatches, real, {
      what: `children of ${this.#shown(path)}`,
      read: () => this.#readChildren(real),
      onChange,
    });
  }

  /**
   * Ends the session, so that its ephemeral nodes go at once. Where no server can be told within a third of the
   * session's timeout, they go when it has run out.
   */
  close(): Promise<void> {
    for (const watches of [this.#nodeWatches, this.#childrenWatches]) {
      for (const some of watches.values()) for (const watch of some) watch.close();
      watches.clear();
    }
    this.#closing ??= this.#session.close();
    return this.#closing;
  }

  #watch<T>(
    watches: Watches,
    real: string,
    options: { what: string; read: () => Promise<{ value: T; mark: string }>; onChange: (value: T) => void },
  ): Subscription {
    if (this.#closing !== undefined || this.#session.state === 'closed') return { close: () => undefined };
    const watch = new Watch({ ...options, clock: this.#clock, log: this.#log });
    const some = watches.get(real) ?? new Set();
    watches.set(real, some.add(watch));
    watch.refresh();
    return {
      close: () => {
        watch.close();
        some.delete(watch);
        if (some.size === 0 && watches.get(real) === some) watches.delete(real);
      },
    };
  }

  async #readNode(real: string): Promise<{ value: Znode | undefined; mark: string }> {
    for (;;) {
      const node = await this.#readNow(getData(real, true));
      if (node !== undefined) {
        const { czxid, mzxid } = node.stat;
        return { value: node, mark: `${czxid} ${mzxid}` };
      }
      // Reading what is not there leaves no watch, but asking for it does. It may have come in between.
      if ((await this.#readNow(exists(real, true))) === undefined) return { value: undefined, mark: '' };
    }
  }

  async #readChildren(real: string): Promise<{ value: string[] | undefined; mark: string }> {
    for (;;) {
      const node = await this.#readNow(getChildren(real, true));
      if (node !== undefined) {
        const { czxid, pzxid } = node.stat;
        return { value: node.children, mark: `${czxid} ${pzxid}` };
      }
      if ((await this.#readNow(exists(real, true))) === undefined) return { value: undefined, mark: '' };
    }
  }

  #onNotification({ type, path }: { type: number; path: string | undefined }): void {
    if (path === undefined) return;
    if (type !== childrenChanged) for (const watch of this.#nodeWatches.get(path) ?? []) watch.refresh();
    if (type !== dataChanged) for (const watch of this.#childrenWatches.get(path) ?? []) watch.refresh();
  }

  #refreshAll(): void {
    for (const watches of [this.#nodeWatches, this.#childrenWatches]) {
      for (const some of watches.values()) for (const watch of some) watch.refresh();
    }
  }

  /** Reads once from the present connection. @throws AnswerLost, also where there is none; Refusal */
  async #readNow<T>(request: Request<T>): Promise<T | undefined> {
    const connection = this.#session.present;
    if (connection === undefined) throw new AnswerLost('there is no connection');
    try {
      return await connection.call(request, this.#deadline());
    } catch (error) {
      if (isRefusal(error, refusals.noNode)) return undefined;
      this.#dropIfMoved(connection, error);
      throw error;
    }
  }

  async #read<T>(verb: string, path: string, request: (real: string) => Request<T>): Promise<T | undefined> {
    return await this.#readUntil(`${verb} ${this.#shown(path)}`, request(this.#real(path)), this.#deadline());
  }

  /** Reads, again where a connection was lost over it. Undefined where there is no such node. @throws MaasError */
  async #readUntil<T>(what: string, request: Request<T>, deadline: number): Promise<T | undefined> {
    for (;;) {
      const connection = await this.#session.connection(deadline);
      try {
        return await connection.call(request, deadline);
      } catch (error) {
        if (isRefusal(error, refusals.noNode)) return undefined;
        this.#dropIfMoved(connection, error);
        const again = error instanceof AnswerLost || isRefusal(error, refusals.sessionMoved);
        if (!again || error instanceof AnswerLate) throw failure(what, error);
      }
    }
  }

  /** Reads what a write left. Where that fails too, the write is still what is unknown. @throws MaasError */
  async #settle<T>(what: string, request: Request<T>, deadline: number, unsure: unknown): Promise<T | undefined> {
    try {
      return await this.#readUntil(what, request, deadline);
    } catch {
      throw failure(what, unsure);
    }
  }

  /**
   * Sends a write once, and not in another session than the caller knew of.
   *
   * @throws Refusal, AnswerLost, TooLong, MaasError
   */
  async #write<T>(what: string, request: Request<T>, deadline: number, session: string | undefined): Promise<T> {
    if (this.#closing !== undefined) throw new MaasError('ZOOKEEPER_UNREACHABLE', `${what}: the session is closing`);
    const connection = await this.#session.connection(deadline);
    if (session !== undefined && connection.session.id !== session) throw expired(what);
    try {
      return await connection.call(request, deadline);
    } catch (error) {
      this.#dropIfMoved(connection, error);
      throw error;
    }
  }

  /** The server no longer serves this session: connecting again tells where it is, or that it is over. */
  #dropIfMoved(connection: Connection, error: unknown): void {
    if (isRefusal(error, refusals.sessionMoved) || isRefusal(error, refusals.sessionExpired)) {
      connection.drop('it no longer serves the session');
    }
  }

  #deadline(): number {
    return this.#clock.monotonic() + this.#operationMs;
  }

  /** The path as servers know it. */
  #real(path: string): string {
    const problem = znodePathProblem(path);
    if (problem !== undefined) {
      throw new MaasError('ZOOKEEPER_ERROR', `${quoted(path)} cannot be the path of a znode: it ${problem}`, {
        next: 'Correct the name that the path is made of.',
      });
    }
    if (this.#chroot === '') return path;
    return path === '/' ? this.#chroot : this.#chroot + path;
  }

  #shown(path: string): string {
    return quoted(this.#chroot + path, 300);
  }
}

function expired(what: string): MaasError {
  return new MaasError('ZOOKEEPER_SESSION_EXPIRED', `The session ended before ZooKeeper could be asked to ${what}`);
}

function ownerInWords({ ephemeralOwner }: ZnodeStat): string {
  return ephemeralOwner === undefined ? 'a persistent node is there' : `a node of session ${ephemeralOwner} is there`;
}
