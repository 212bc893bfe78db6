/**
 * Keeps one session alive over any number of connections, and begins another only when a server has said that it is
 * over. While no server answers, nothing is known: the session may live or not.
 */

import { MaasError } from '../../contracts/errors.ts';
import { backOffMs } from '../../kernel/back-off.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { messageOf } from '../../kernel/message-of.ts';
import { quoted } from '../../kernel/shown-text.ts';
import { AnswerLate, Connection, HandshakeLate, SessionOver } from './connection.ts';
import { guardedCall } from './guarded-call.ts';
import { type Server, serverName } from './quorum.ts';
import { closeSession } from './requests.ts';
import type { SessionCredentials } from './session-credentials.ts';

export type SessionState = 'connecting' | 'connected' | 'suspended' | 'closed';

/** `suspended`: no connection, what the server thinks is unknown. `expired`: ephemeral nodes are gone for certain. */
export type SessionEvent =
  | { readonly type: 'connected'; readonly session: SessionCredentials; readonly resumed: boolean }
  | { readonly type: 'suspended' }
  | { readonly type: 'expired' }
  | { readonly type: 'closed' };

export interface SessionOptions {
  readonly servers: readonly [Server, ...Server[]];
  readonly sessionTimeoutMs: number;
  /** A session to go on with. */
  readonly resume: SessionCredentials | undefined;
  readonly clock: Clock;
  /** From 0 up to 1, so that many clients do not all come at once. */
  readonly random: () => number;
  readonly log: Log;
  /** Must not throw. */
  readonly onNotification: (notification: { type: number; path: string | undefined }) => void;
}

const longestPauseMs = 1_000;
const shortestHandshakeMs = 100;
const complainEveryMs = 60_000;

export class Session {
  readonly #options: SessionOptions;
  readonly #servers: readonly Server[];
  readonly #over = new AbortController();
  readonly #listeners = new Set<(event: SessionEvent) => void>();
  /** Those who want the next connection. */
  readonly #waiters = new Set<{ resolve: (connection: Connection) => void; reject: (error: Error) => void }>();
  #connection: Connection | undefined;
  #state: SessionState = 'connecting';
  /** What to resume; not confirmed yet where it came from outside. */
  #credentials: SessionCredentials | undefined;
  #confirmed = false;
  #lastZxid = 0n;
  /** When a server was last heard of, on the monotonic clock. */
  #lostAt: number;
  /** Why each server did not serve, the last time it was tried. */
  readonly #tried = new Map<string, string>();
  /** When to complain next, on the monotonic clock. */
  #silentUntil = Number.NEGATIVE_INFINITY;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#credentials = options.resume;
    this.#lostAt = options.clock.monotonic();
    this.#servers = shuffled(options.servers, options.random);
    void this.#keep();
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The session that a server has confirmed last; it may be suspended. Undefined after its end, until the next. */
  get credentials(): SessionCredentials | undefined {
    return this.#confirmed ? this.#credentials : undefined;
  }

  /** The connection, where there is one now. */
  get present(): Connection | undefined {
    return this.#connection?.over === false ? this.#connection : undefined;
  }

  onEvent(listener: (event: SessionEvent) => void): () => void {
    const own = (event: SessionEvent) => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /**
   * The present connection, or the next.
   *
   * @param deadline on the monotonic clock
   * @throws MaasError ZOOKEEPER_UNREACHABLE, with what was tried; the signal's reason
   */
  async connection(deadline: number, signal?: AbortSignal): Promise<Connection> {
    signal?.throwIfAborted();
    if (this.present !== undefined) return this.present;
    if (this.#state === 'closed') throw closedError();
    const { clock } = this.#options;
    const started = clock.monotonic();
    const { promise, resolve, reject } = Promise.withResolvers<Connection>();
    const settled = new AbortController();
    const waiter = { resolve, reject };
    const abort = () => reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.#waiters.add(waiter);
    clock.sleep(Math.max(0, deadline - started), settled.signal).then(
      () => reject(this.#unreachable(clock.monotonic() - started)),
      () => undefined,
    );
    try {
      return await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal?.removeEventListener('abort', abort);
      settled.abort();
    }
  }

  /** Ends the session. Gives up after a third of its timeout: it then lives on until that has run out. Never throws. */
  async close(): Promise<void> {
    const { clock, log } = this.#options;
    const session = this.#credentials;
    if (session !== undefined && this.#state !== 'closed') {
      const deadline = clock.monotonic() + session.timeoutMs / 3;
      try {
        await this.#closeUntil(deadline);
      } catch (err) {
        log.warn({ err, session: session.id }, 'the ZooKeeper session is left to run out');
      }
    }
    this.#end();
  }

  /** The end, here: no more connections. The session itself lives on until its timeout unless it was closed before. */
  #end(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#over.abort();
    this.#connection?.drop('closed');
    this.#connection = undefined;
    for (const waiter of this.#waiters) waiter.reject(closedError());
    this.#emit({ type: 'closed' });
  }

  /** Closing twice does no harm, so an answer that was lost is asked for again. */
  async #closeUntil(deadline: number): Promise<void> {
    for (;;) {
      const connection = await this.connection(deadline);
      try {
        await connection.call(closeSession(), deadline);
        return;
      } catch (error) {
        if (error instanceof AnswerLate) throw error;
      }
    }
  }

  async #keep(): Promise<void> {
    let failures = 0;
    let late = 0;
    for (let turn = 0; this.#state !== 'closed'; turn += 1) {
      const server = this.#servers[turn % this.#servers.length];
      if (server === undefined) return;
      const name = serverName(server);
      try {
        const connection = await this.#open(server, late);
        if (this.#over.signal.aborted) return connection.drop('closed');
        late = 0;
        // One that is always lost at once is no better than one that cannot be made.
        failures = (await this.#serve(connection)) < briefMs(connection) ? failures + 1 : 0;
      } catch (error) {
        if (this.#over.signal.aborted) return;
        if (error instanceof SessionOver) {
          this.#expired();
          continue;
        }
        failures += 1;
        late += Number(error instanceof HandshakeLate);
        this.#tried.set(name, messageOf(error));
        this.#complain();
      }
      await this.#pause(failures);
    }
  }

  /** Until the connection is lost; how long it lasted, milliseconds. */
  async #serve(connection: Connection): Promise<number> {
    const { clock } = this.#options;
    const since = clock.monotonic();
    this.#connected(connection);
    const reason = await connection.lost;
    this.#tried.set(serverName(connection.server), reason);
    this.#disconnected(connection, reason);
    return clock.monotonic() - since;
  }

  #open(server: Server, late: number): Promise<Connection> {
    const { clock, sessionTimeoutMs, onNotification } = this.#options;
    const timeoutMs = this.#credentials?.timeoutMs ?? sessionTimeoutMs;
    const servers = this.#servers.length;
    // When silence is noticed, a third of the timeout is left; every server should get two turns in it, because one that
    // is just starting may accept a connection and then forget it. A server may also be slow: whoever was late before
    // gets more time.
    const patience = Math.max(shortestHandshakeMs, timeoutMs / (6 * servers)) * 2 ** Math.floor(late / servers);
    // The servers may have been set up anew meanwhile, and would refuse whoever has seen later transactions.
    const outdated = clock.monotonic() - this.#lostAt > 2 * timeoutMs;
    return Connection.open({
      server,
      session: this.#credentials,
      timeoutMs: sessionTimeoutMs,
      handshakeMs: Math.min(timeoutMs, patience),
      lastZxid: outdated ? 0n : this.#lastZxid,
      clock,
      signal: this.#over.signal,
      onNotification,
    });
  }

  /** None within the first round over all servers; then growing, and never the same for two clients. */
  async #pause(failures: number): Promise<void> {
    const { clock, random, sessionTimeoutMs } = this.#options;
    const rounds = Math.floor(failures / this.#servers.length);
    if (rounds === 0) return;
    const backOff = { firstMs: 100, longestMs: Math.min(longestPauseMs, sessionTimeoutMs / 10) };
    await clock.sleep(Math.ceil(backOffMs(backOff, rounds - 1, random)), this.#over.signal).catch(() => undefined);
  }

  /** At first, and then once a minute, not at every attempt of a long outage. */
  #complain(): void {
    const now = this.#options.clock.monotonic();
    if (now < this.#silentUntil) return;
    this.#silentUntil = now + complainEveryMs;
    this.#options.log.warn({ tried: Object.fromEntries(this.#tried) }, 'no connection to ZooKeeper');
  }

  #connected(connection: Connection): void {
    const { session } = connection;
    const resumed = session.id === this.#credentials?.id;
    if (!resumed) this.#lastZxid = 0n;
    this.#connection = connection;
    this.#credentials = session;
    this.#confirmed = true;
    this.#state = 'connected';
    this.#tried.clear();
    this.#silentUntil = Number.NEGATIVE_INFINITY;
    const server = serverName(connection.server);
    this.#options.log.info(
      { server, session: session.id, timeoutMs: session.timeoutMs, resumed },
      'ZooKeeper connected',
    );
    this.#emit({ type: 'connected', session, resumed });
    for (const waiter of this.#waiters) waiter.resolve(connection);
  }

  #disconnected(connection: Connection, reason: string): void {
    if (this.#state === 'closed') return;
    this.#connection = undefined;
    this.#state = 'suspended';
    this.#lostAt = this.#options.clock.monotonic();
    if (connection.lastZxid > this.#lastZxid) this.#lastZxid = connection.lastZxid;
    const server = serverName(connection.server);
    this.#options.log.warn({ server, reason }, 'ZooKeeper connection lost');
    this.#emit({ type: 'suspended' });
  }

  #expired(): void {
    this.#options.log.warn({ session: this.#credentials?.id }, 'ZooKeeper session expired');
    this.#credentials = undefined;
    this.#confirmed = false;
    this.#lastZxid = 0n;
    this.#state = 'connecting';
    this.#emit({ type: 'expired' });
  }

  #emit(event: SessionEvent): void {
    const { log } = this.#options;
    for (const listener of [...this.#listeners]) {
      guardedCall(listener, event, (err) => log.warn({ err, event: event.type }, 'a listener to ZooKeeper failed'));
    }
  }

  #unreachable(afterMs: number): MaasError {
    const tried = this.#servers.map((server) => {
      const name = serverName(server);
      return `${name}: ${quoted(this.#tried.get(name) ?? 'no answer yet')}`;
    });
    return new MaasError(
      'ZOOKEEPER_UNREACHABLE',
      `No ZooKeeper server answered within ${Math.round(afterMs)} ms (${tried.join(', ')})`,
    );
  }
}

function briefMs({ session }: Connection): number {
  return Math.min(longestPauseMs, session.timeoutMs / 3);
}

function closedError(): MaasError {
  return new MaasError('ZOOKEEPER_UNREACHABLE', 'The ZooKeeper session was closed here', {
    next: 'Nothing: the program is stopping.',
  });
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
