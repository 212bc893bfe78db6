/**
 * One connection to one server, for one session. It is never reopened: what a broken stream leaves behind goes with it.
 * Nothing that a server sends, or does not send, throws out of here; it ends the connection with a reason.
 */

import { connect, type Socket } from 'node:net';
import type { Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/message-of.ts';
import { Timetable } from '../../kernel/timetable.ts';
import { FrameSplitter } from './frames.ts';
import type { Server } from './quorum.ts';
import {
  connectRequest,
  encode,
  notificationXid,
  ping,
  pingXid,
  type Request,
  readConnectResponse,
  readNotification,
  readReplyHeader,
  replyHeaderLength,
} from './requests.ts';
import type { SessionCredentials } from './session-credentials.ts';

/** The answer did not come, and never will or not in time: whether the request was carried out is unknown. */
export class AnswerLost extends Error {}

/** The deadline came first; the connection may be good, and the answer may come yet, to nobody. */
export class AnswerLate extends AnswerLost {}

/** The server answered with an error, and did nothing. */
export class Refusal extends Error {
  /** As in ZooKeeper's KeeperException.Code, known or not. */
  readonly code: number;

  constructor(code: number) {
    super(`error ${code}`);
    this.code = code;
  }
}

/** The request cannot be sent: it is longer than servers take. */
export class TooLong extends Error {}

/** The server says that the session which was to be resumed is over. */
export class SessionOver extends Error {}

/** The server accepted the connection, or not even that, and said nothing for as long as it was given. */
export class HandshakeLate extends Error {}

export interface ConnectionOptions {
  readonly server: Server;
  /** The session to resume; a new one where absent. */
  readonly session: SessionCredentials | undefined;
  /** The timeout to ask for; the server has the last word. */
  readonly timeoutMs: number;
  /** Until the session must be confirmed. */
  readonly handshakeMs: number;
  /** The latest transaction seen so far, so that a server which is behind that does not answer. */
  readonly lastZxid: bigint;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Must not throw. */
  readonly onNotification: (notification: { type: number; path: string | undefined }) => void;
}

interface Pending {
  readonly xid: number;
  /** Gives the frame of a good answer to whoever waits for it. */
  readonly answer: (frame: Buffer) => void;
  readonly fail: (error: Error) => void;
}

export class Connection {
  /** Fulfilled, with the reason, when the connection has ended. */
  readonly lost: Promise<string>;
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #frames = new FrameSplitter();
  /** In the order in which they were sent, which is the order of the answers. */
  readonly #pending: Pending[] = [];
  /** Those who wait for an answer, by its xid, and until when. */
  readonly #awaited = new Map<string, (error: AnswerLate) => void>();
  readonly #deadlines: Timetable;
  /** Is what is written held back until all that is asked now is there? */
  #held = false;
  readonly #over = new AbortController();
  readonly #opened = Promise.withResolvers<SessionCredentials>();
  readonly #ended = Promise.withResolvers<string>();
  #session: SessionCredentials | undefined;
  #nextXid = 1;
  #heardAt: number;
  #lastZxid: bigint;

  /**
   * Connects, and resumes the session or begins one.
   *
   * @throws SessionOver, HandshakeLate, or another Error; its message is the reason
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    options.signal.throwIfAborted();
    const connection = new Connection(options);
    const abort = () => connection.drop('given up');
    options.signal.addEventListener('abort', abort, { once: true });
    try {
      await connection.#opened.promise;
      return connection;
    } finally {
      options.signal.removeEventListener('abort', abort);
    }
  }

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#lastZxid = options.lastZxid;
    this.#heardAt = options.clock.monotonic();
    // What has arrived meanwhile is read first: in a process that was stopped for a while, timers run before sockets.
    this.#deadlines = new Timetable(options.clock, (xid) =>
      setImmediate(() => this.#awaited.get(xid)?.(new AnswerLate('no answer in time'))),
    );
    this.lost = this.#ended.promise;
    const { host, port } = options.server;
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('connect', () => {
      const { lastZxid, timeoutMs, session } = options;
      this.#socket.write(connectRequest({ lastZxid, timeoutMs, session }));
    });
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('error', (error: Error) => this.drop(messageOf(error)));
    this.#socket.on('close', () => this.drop('it closed the connection'));
    void this.#watchHandshake();
  }

  get server(): Server {
    return this.#options.server;
  }

  get session(): SessionCredentials {
    if (this.#session === undefined) throw new Error('not connected yet');
    return this.#session;
  }

  get over(): boolean {
    return this.#over.signal.aborted;
  }

  /** The latest transaction that the server has spoken of. */
  get lastZxid(): bigint {
    return this.#lastZxid;
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @param deadline on the monotonic clock
   * @throws Refusal, AnswerLost, TooLong
   */
  async call<T>(request: Request<T>, deadline: number): Promise<T> {
    if (this.#over.signal.aborted) throw new AnswerLost('the connection is gone');
    const bytes = encode(request, this.#nextXid);
    if (bytes === undefined) throw new TooLong('the request is longer than 1 MiB');
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const xid = this.#nextXid;
    this.#pending.push({
      xid,
      answer: (frame) => resolve(request.decode(frame, replyHeaderLength)),
      fail: reject,
    });
    this.#nextXid = xid === 0x7fffffff ? 1 : xid + 1;
    this.#send(bytes);
    const key = String(xid);
    this.#awaited.set(key, reject);
    this.#deadlines.set(key, deadline);
    try {
      return await promise;
    } finally {
      this.#awaited.delete(key);
      this.#deadlines.delete(key);
    }
  }

  /** What is asked in one go goes out in one go: thousands of small reads are asked for when an operator starts. */
  #send(bytes: Buffer): void {
    if (!this.#held) {
      this.#held = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#held = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(bytes);
  }

  /** Ends the connection, not the session. */
  drop(reason: string): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#deadlines.stop();
    this.#socket.destroy();
    this.#opened.promise.catch(() => undefined); // nobody waits for it any more once it is open
    this.#opened.reject(new Error(reason));
    for (const { fail } of this.#pending.splice(0)) fail(new AnswerLost(reason));
    this.#ended.resolve(reason);
  }

  #onData(chunk: Buffer): void {
    if (this.#over.signal.aborted) return;
    this.#heardAt = this.#now();
    try {
      for (const frame of this.#frames.push(chunk)) {
        if (this.#session === undefined) this.#onHandshake(frame);
        else this.#onFrame(frame);
        if (this.#over.signal.aborted) return;
      }
    } catch (error) {
      this.drop(`it sent what cannot be read: ${messageOf(error)}`);
    }
  }

  #onHandshake(frame: Buffer): void {
    const session = readConnectResponse(frame);
    if (session === undefined) {
      if (this.#options.session !== undefined) this.#opened.reject(new SessionOver('the session is over'));
      this.drop('it refused a session');
      return;
    }
    this.#session = session;
    this.#opened.resolve(session);
    void this.#beat(session.timeoutMs);
  }

  #onFrame(frame: Buffer): void {
    const { xid, zxid, error } = readReplyHeader(frame);
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
    if (xid === pingXid) return;
    if (xid === notificationXid) {
      this.#options.onNotification(readNotification(frame));
      return;
    }
    const [pending] = this.#pending;
    if (pending?.xid !== xid) throw new Error(`an answer to ${xid} instead of ${pending?.xid ?? 'nothing'}`);
    // Read before it is taken from the queue: where it cannot be read, its caller is told that the answer is lost.
    if (error === 0) pending.answer(frame);
    else pending.fail(new Refusal(error));
    this.#pending.shift();
  }

  async #watchHandshake(): Promise<void> {
    const opened = new AbortController();
    const done = () => opened.abort();
    this.#opened.promise.then(done, done);
    if (await this.#rest(this.#options.handshakeMs, opened.signal)) {
      const reason = `it did not answer within ${Math.round(this.#options.handshakeMs)} ms`;
      this.#opened.reject(new HandshakeLate(reason));
      this.drop(reason);
    }
  }

  /**
   * The server must hear from us within the timeout, and we from it: a ping each third, given up after two thirds of
   * silence, so that a third is left to resume the session elsewhere. Only silence after a question counts: when this
   * process itself was stopped for a while, it asks first.
   */
  async #beat(timeoutMs: number): Promise<void> {
    const third = timeoutMs / 3;
    let pingAt = this.#now() + third;
    /** When the oldest ping was sent that nothing has followed. */
    let askedAt: number | undefined;
    const giveUpAt = () => {
      if (askedAt === undefined || this.#heardAt >= askedAt) return Number.POSITIVE_INFINITY;
      return Math.max(this.#heardAt + 2 * third, askedAt + third);
    };
    while (await this.#rest(Math.min(pingAt, giveUpAt()) - this.#now(), this.#over.signal)) {
      const now = this.#now();
      if (now >= giveUpAt()) {
        this.drop(`silent for ${Math.round(now - this.#heardAt)} ms`);
      } else if (now >= pingAt) {
        if (giveUpAt() === Number.POSITIVE_INFINITY) askedAt = now;
        this.#socket.write(ping());
        pingAt = now + third;
      }
    }
  }

  /**
   * Waits, and lets what has arrived meanwhile be read: in a process that was stopped for a while, timers run before
   * sockets. False when the signal came first.
   */
  async #rest(ms: number, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.clock.sleep(Math.max(0, Math.ceil(ms)), signal);
    } catch {
      return false;
    }
    await new Promise((resolve) => setImmediate(resolve));
    return !signal.aborted;
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}
