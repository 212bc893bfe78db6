/**
 * A ZooKeeper server for tests, on loopback, with a codec of its own: as much of the protocol as a client here speaks,
 * and every way to misbehave that one was seen to. Sessions expire when a test says so, never by themselves.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { FrameSplitter } from '../../src/adapters/zookeeper/frames.ts';

export interface FakeNode {
  data: Buffer;
  version: number;
  owner: string | undefined;
  czxid: bigint;
  mzxid: bigint;
  pzxid: bigint;
  /** Counts the sequential children. */
  made: number;
}

export type FakeRequestType = 'create' | 'delete' | 'exists' | 'get' | 'set' | 'children' | 'multi' | 'ping' | 'close';

export interface FakeRequest {
  readonly type: FakeRequestType;
  readonly path: string | undefined;
  readonly session: string;
}

/**
 * What becomes of a request: carried out and answered; not even carried out, or carried out but not answered, and the
 * connection closed; carried out and never answered; answered with an error; with bytes of the test's choice in place
 * of the answer's body; or with only the first bytes of the answer before the connection is closed.
 */
export type Fate =
  | 'answer'
  | 'drop'
  | 'lose'
  | 'ignore'
  | { readonly error: number }
  | { readonly body: Buffer }
  | { readonly xid: number }
  | { readonly cutAfter: number };

interface Session {
  readonly password: Buffer;
  readonly timeoutMs: number;
}

interface Client {
  readonly socket: Socket;
  readonly frames: FrameSplitter;
  session: string | undefined;
  readonly dataWatches: Set<string>;
  readonly childWatches: Set<string>;
  frozen: boolean;
}

const requestTypes: Readonly<Record<number, FakeRequestType>> = {
  1: 'create',
  2: 'delete',
  3: 'exists',
  4: 'get',
  5: 'set',
  11: 'ping',
  12: 'children',
  14: 'multi',
  [-11]: 'close',
};

class CodedError extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`error ${code}`);
    this.code = code;
  }
}

const errors = { noNode: -101, badVersion: -103, nodeExists: -110, notEmpty: -111 };

export class FakeServer implements AsyncDisposable {
  readonly nodes = new Map<string, FakeNode>();
  /** The sessions that are alive. */
  readonly sessions = new Map<string, Session>();
  /** What clients asked for when they connected, oldest first. */
  readonly handshakes: { readonly session: string; readonly lastZxid: bigint; readonly timeoutMs: number }[] = [];
  /** Everything asked for since. */
  readonly requests: FakeRequest[] = [];
  /** Decides over each request; everything is answered unless a test says otherwise. */
  fate: (request: FakeRequest) => Fate = () => 'answer';
  /** What happens to new connections. */
  greeting: 'answer' | 'stay silent' | 'close' | 'speak HTTP' = 'answer';
  zxid = 0n;
  /** How many connections there have been. */
  accepted = 0;
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  readonly #timeoutMs: number | undefined;
  #sessionCount = 0n;

  private constructor(server: Server, timeoutMs: number | undefined) {
    this.#server = server;
    this.#timeoutMs = timeoutMs;
    this.nodes.set('/', newNode(Buffer.alloc(0), undefined, 0n));
    server.on('connection', (socket) => this.#onConnection(socket));
  }

  /** @param options `timeoutMs` replaces what clients ask for */
  static async start(
    options: { readonly host?: string; readonly port?: number; readonly timeoutMs?: number } = {},
  ): Promise<FakeServer> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
    });
    return new FakeServer(server, options.timeoutMs);
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address.port;
  }

  /** As a connect string names it. */
  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
  }

  get connections(): number {
    return this.#clients.size;
  }

  /** How many of the connections are frozen. */
  get frozen(): number {
    return [...this.#clients].filter((client) => client.frozen).length;
  }

  count(type: FakeRequestType): number {
    return this.requests.filter((request) => request.type === type).length;
  }

  /** As another client would. */
  put(path: string, data: string, owner?: string): void {
    const node = this.nodes.get(path);
    if (node === undefined) this.#create(path, Buffer.from(data), owner);
    else this.#set(path, Buffer.from(data), -1);
  }

  /** As another client would. */
  remove(path: string): void {
    this.#delete(path, -1);
  }

  /** Ends a session with its nodes, and its connections: the client learns it when it comes back. */
  expire(session: string): void {
    this.#endSession(session);
    for (const client of this.#clients) if (client.session === session) client.socket.destroy();
  }

  /** Closes what is connected. */
  disconnect(): void {
    for (const client of this.#clients) client.socket.destroy();
  }

  /** What is connected stays so, but what comes is thrown away and nothing is answered any more. */
  freeze(): void {
    for (const client of this.#clients) client.frozen = true;
  }

  /** Sends bytes to everybody. */
  sendRaw(bytes: Buffer): void {
    for (const client of this.#clients) if (!client.frozen) client.socket.write(bytes);
  }

  /** Sends an event to everybody, whoever watches what. */
  sendEvent(type: number, path: string): void {
    this.sendRaw(event(type, path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.disconnect();
    await closed;
  }

  #onConnection(socket: Socket): void {
    this.accepted += 1;
    const client: Client = {
      socket,
      frames: new FrameSplitter(),
      session: undefined,
      dataWatches: new Set(),
      childWatches: new Set(),
      frozen: this.greeting === 'stay silent',
    };
    this.#clients.add(client);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#clients.delete(client));
    if (this.greeting === 'close') socket.destroy();
    if (this.greeting === 'speak HTTP') socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    socket.on('data', (chunk: Buffer) => {
      for (const frame of client.frames.push(chunk)) {
        if (client.frozen || socket.destroyed) return;
        if (client.session === undefined) this.#onHandshake(client, frame);
        else this.#onRequest(client, client.session, frame);
      }
    });
  }

  #onHandshake(client: Client, frame: Buffer): void {
    const reader = new Reader(frame);
    reader.int();
    const lastZxid = reader.long();
    const asked = reader.int();
    const id = reader.long();
    const password = reader.buffer();
    const session = hex(id);
    this.handshakes.push({ session, lastZxid, timeoutMs: asked });
    if (lastZxid > this.zxid) {
      // As a server does that is behind what the client has seen.
      client.socket.destroy();
      return;
    }
    const known = this.sessions.get(session);
    if (id !== 0n && !(known?.password.equals(password) ?? false)) {
      client.socket.end(new Writer().int(0).int(0).long(0n).buffer(Buffer.alloc(16)).framed());
      return;
    }
    const timeoutMs = known?.timeoutMs ?? this.#timeoutMs ?? asked;
    client.session = known === undefined ? hex(0x100_0000_0000_0001n + this.#sessionCount++) : session;
    const secret = known?.password ?? Buffer.from(`secret-of-${client.session}`).subarray(-16);
    this.sessions.set(client.session, { password: secret, timeoutMs });
    client.socket.write(
      new Writer()
        .int(0)
        .int(timeoutMs)
        .long(BigInt(`0x${client.session}`))
        .buffer(secret)
        .framed(),
    );
  }

  #onRequest(client: Client, session: string, frame: Buffer): void {
    const reader = new Reader(frame);
    const xid = reader.int();
    const type = requestTypes[reader.int()];
    if (type === undefined) throw new Error('a request that the fake server does not know');
    const hasPath = type !== 'ping' && type !== 'close' && type !== 'multi';
    const request: FakeRequest = { type, session, path: hasPath ? new Reader(frame, 8).string() : undefined };
    this.requests.push(request);
    const fate = this.fate(request);
    if (fate === 'drop') {
      client.socket.destroy();
      return;
    }
    if (typeof fate === 'object' && 'error' in fate) {
      client.socket.write(reply(xid, this.zxid, fate.error).framed());
      return;
    }
    let answer: Writer;
    try {
      answer = this.#carryOut(client, session, type, reader, () => reply(xid, this.zxid, 0));
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      answer = reply(xid, this.zxid, error.code);
    }
    if (fate === 'lose') client.socket.destroy();
    else if (fate === 'answer') client.socket.write(answer.framed());
    else if (typeof fate === 'object' && 'body' in fate) {
      client.socket.write(reply(xid, this.zxid, 0).raw(fate.body).framed());
    } else if (typeof fate === 'object' && 'xid' in fate) {
      client.socket.write(reply(fate.xid, this.zxid, 0).framed());
    } else if (typeof fate === 'object') {
      client.socket.end(answer.framed().subarray(0, fate.cutAfter));
    }
    if (type === 'close') client.socket.end();
  }

  #carryOut(client: Client, session: string, type: FakeRequestType, reader: Reader, good: () => Writer): Writer {
    switch (type) {
      case 'ping':
        return reply(-2, this.zxid, 0);
      case 'close':
        this.#endSession(session);
        return good();
      case 'get': {
        const path = reader.string();
        const node = this.#node(path);
        if (reader.boolean()) client.dataWatches.add(path);
        return good().buffer(node.data).raw(this.#stat(path));
      }
      case 'exists': {
        const path = reader.string();
        if (reader.boolean()) client.dataWatches.add(path);
        this.#node(path);
        return good().raw(this.#stat(path));
      }
      case 'children': {
        const path = reader.string();
        this.#node(path);
        if (reader.boolean()) client.childWatches.add(path);
        const names = this.#children(path);
        const answer = good().int(names.length);
        for (const name of names) answer.string(name);
        return answer.raw(this.#stat(path));
      }
      case 'create': {
        const made = this.#createFrom(reader, session);
        return good().string(made);
      }
      case 'delete':
        this.#delete(reader.string(), reader.int());
        return good();
      case 'set': {
        const path = reader.string();
        this.#set(path, reader.buffer(), reader.int());
        return good().raw(this.#stat(path));
      }
      case 'multi':
        return this.#multi(reader, session, good);
    }
  }

  #multi(reader: Reader, session: string, good: () => Writer): Writer {
    const before = new Map([...this.nodes].map(([path, node]) => [path, { ...node }]));
    const told: { type: number; path: string }[] = [];
    const results: { type: number; body: Buffer }[] = [];
    let failed: { at: number; code: number } | undefined;
    let count = 0;
    for (; ; count += 1) {
      const type = reader.int();
      const done = reader.boolean();
      reader.int();
      if (done) break;
      try {
        results.push({ type, body: this.#operation(type, reader, session, failed !== undefined, told) });
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        failed = { at: count, code: error.code };
      }
    }
    const answer = good();
    if (failed === undefined) {
      for (const { type, body } of results) answer.int(type).boolean(false).int(-1).raw(body);
      for (const { type, path } of told) this.#tell(type, path);
    } else {
      this.nodes.clear();
      for (const [path, node] of before) this.nodes.set(path, node);
      for (let at = 0; at < count; at += 1) {
        const code = at < failed.at ? 0 : at === failed.at ? failed.code : -2;
        answer.int(-1).boolean(false).int(code).int(code);
      }
    }
    return answer.int(-1).boolean(true).int(-1);
  }

  /** An operation of a transaction; only read, not carried out, where an earlier one failed. */
  #operation(
    type: number,
    reader: Reader,
    session: string,
    skip: boolean,
    told: { type: number; path: string }[],
  ): Buffer {
    const tell = (kind: number, path: string) => told.push({ type: kind, path });
    const path = reader.string();
    switch (requestTypes[type] ?? type) {
      case 'create': {
        const data = reader.buffer();
        reader.acls();
        const flags = reader.int();
        if (skip) return Buffer.alloc(0);
        return new Writer().string(this.#make(path, data, flags, session, tell)).body();
      }
      case 'delete': {
        const version = reader.int();
        if (!skip) this.#delete(path, version, tell);
        return Buffer.alloc(0);
      }
      case 'set': {
        const data = reader.buffer();
        const version = reader.int();
        if (skip) return Buffer.alloc(0);
        this.#set(path, data, version, tell);
        return this.#stat(path);
      }
      case 13: {
        const version = reader.int();
        if (!skip) checkVersion(this.#node(path), version);
        return Buffer.alloc(0);
      }
      default:
        throw new Error(`the fake server knows no operation ${type}`);
    }
  }

  #createFrom(reader: Reader, session: string): string {
    const path = reader.string();
    const data = reader.buffer();
    reader.acls();
    return this.#make(path, data, reader.int(), session, (type, where) => this.#tell(type, where));
  }

  #make(path: string, data: Buffer, flags: number, session: string, tell: (type: number, path: string) => void) {
    const parent = this.nodes.get(parentOf(path));
    if (parent === undefined) throw new CodedError(errors.noNode);
    const made = (flags & 2) === 0 ? path : `${path}${String(parent.made).padStart(10, '0')}`;
    return this.#create(made, data, (flags & 1) === 0 ? undefined : session, tell);
  }

  #create(
    path: string,
    data: Buffer,
    owner: string | undefined,
    tell = (type: number, where: string) => this.#tell(type, where),
  ): string {
    const parent = this.nodes.get(parentOf(path));
    if (parent === undefined) throw new CodedError(errors.noNode);
    if (this.nodes.has(path)) throw new CodedError(errors.nodeExists);
    this.zxid += 1n;
    parent.made += 1;
    parent.pzxid = this.zxid;
    this.nodes.set(path, newNode(data, owner, this.zxid));
    tell(1, path);
    tell(4, parentOf(path));
    return path;
  }

  #set(
    path: string,
    data: Buffer,
    version: number,
    tell = (type: number, where: string) => this.#tell(type, where),
  ): void {
    const node = this.#node(path);
    checkVersion(node, version);
    this.zxid += 1n;
    node.data = data;
    node.version += 1;
    node.mzxid = this.zxid;
    tell(3, path);
  }

  #delete(path: string, version: number, tell = (type: number, where: string) => this.#tell(type, where)): void {
    checkVersion(this.#node(path), version);
    if (this.#children(path).length > 0) throw new CodedError(errors.notEmpty);
    this.zxid += 1n;
    this.nodes.delete(path);
    const parent = this.nodes.get(parentOf(path));
    if (parent !== undefined) parent.pzxid = this.zxid;
    tell(2, path);
    tell(4, parentOf(path));
  }

  #endSession(session: string): void {
    this.sessions.delete(session);
    for (const [path, node] of [...this.nodes]) if (node.owner === session) this.#delete(path, -1);
  }

  #node(path: string): FakeNode {
    const node = this.nodes.get(path);
    if (node === undefined) throw new CodedError(errors.noNode);
    return node;
  }

  #children(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.nodes.keys()]
      .filter((key) => key !== '/' && key.startsWith(prefix) && !key.slice(prefix.length).includes('/'))
      .map((key) => key.slice(prefix.length));
  }

  #stat(path: string): Buffer {
    const node = this.#node(path);
    return new Writer()
      .long(node.czxid)
      .long(node.mzxid)
      .long(1_000n)
      .long(2_000n)
      .int(node.version)
      .int(node.made)
      .int(0)
      .long(node.owner === undefined ? 0n : BigInt(`0x${node.owner}`))
      .int(node.data.length)
      .int(this.#children(path).length)
      .long(node.pzxid)
      .body();
  }

  #tell(type: number, path: string): void {
    for (const client of this.#clients) {
      const watched =
        type === 4
          ? client.childWatches.delete(path)
          : [client.dataWatches.delete(path), type === 2 && client.childWatches.delete(path)].includes(true);
      if (watched && !client.frozen) client.socket.write(event(type, path));
    }
  }
}

function newNode(data: Buffer, owner: string | undefined, zxid: bigint): FakeNode {
  return { data, version: 0, owner, czxid: zxid, mzxid: zxid, pzxid: zxid, made: 0 };
}

function checkVersion(node: FakeNode, version: number): void {
  if (version !== -1 && version !== node.version) throw new CodedError(errors.badVersion);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function hex(id: bigint): string {
  return BigInt.asUintN(64, id).toString(16).padStart(16, '0');
}

function reply(xid: number, zxid: bigint, error: number): Writer {
  return new Writer().int(xid).long(zxid).int(error);
}

function event(type: number, path: string): Buffer {
  return reply(-1, -1n, 0).int(type).int(3).string(path).framed();
}

class Writer {
  readonly #parts: Buffer[] = [];

  int(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return this.raw(bytes);
  }

  long(value: bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt.asUintN(64, value));
    return this.raw(bytes);
  }

  boolean(value: boolean): this {
    return this.raw(Buffer.from([value ? 1 : 0]));
  }

  buffer(value: Buffer): this {
    return this.int(value.length).raw(value);
  }

  string(value: string): this {
    return this.buffer(Buffer.from(value));
  }

  raw(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }

  body(): Buffer {
    return Buffer.concat(this.#parts);
  }

  framed(): Buffer {
    return new Writer().buffer(this.body()).body();
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  int(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  long(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  boolean(): boolean {
    this.#at += 1;
    return this.#bytes.readUInt8(this.#at - 1) === 1;
  }

  buffer(): Buffer {
    const length = Math.max(0, this.int());
    this.#at += length;
    return Buffer.from(this.#bytes.subarray(this.#at - length, this.#at));
  }

  string(): string {
    return this.buffer().toString();
  }

  acls(): void {
    for (let left = this.int(); left > 0; left -= 1) {
      this.int();
      this.string();
      this.string();
    }
  }
}
