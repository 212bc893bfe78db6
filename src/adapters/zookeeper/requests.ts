/**
 * What is sent to ZooKeeper and what is read from its answers, by the codec of node-zookeeper-client.
 *
 * The codec is all of that library that is used. Its client is not, because each of these would have to be undone: it
 * keeps a partial frame over a reconnection, throws inside a socket's handler on an error or event it does not know,
 * reconnects by itself, never calls back for requests queued while it is disconnected or closing, splits IPv6 hosts at
 * their colons, and its transactions turn version 0 into "any version".
 */
import acl from 'node-zookeeper-client/lib/ACL.js';
import jute, { type JuteOperation, type JuteRecord, type JuteStat } from 'node-zookeeper-client/lib/jute/index.js';
import type { SessionCredentials } from './session-credentials.ts';
import type { Znode, ZnodeOp, ZnodeStat } from './znode.ts';

/** A request, and how to read the answer's body: its frame, and where in it the body begins. */
export interface Request<T> {
  readonly type: number;
  readonly payload: JuteRecord | null;
  readonly decode: (frame: Buffer, offset: number) => T;
}

/** Length of the header of an answer: xid, zxid, error. */
export const replyHeaderLength = 16;
/** A server with default settings drops the connection when a request is longer, so it is not sent. */
const longestRequest = 1_048_575;
const anyVersion = -1;

export function connectRequest(options: {
  readonly lastZxid: bigint;
  readonly timeoutMs: number;
  readonly session: SessionCredentials | undefined;
}): Buffer {
  const zxid = Buffer.alloc(8);
  zxid.writeBigInt64BE(options.lastZxid);
  const { session } = options;
  const id = Buffer.from(session?.id ?? '0000000000000000', 'hex');
  const password = session === undefined ? Buffer.alloc(16) : Buffer.from(session.password, 'base64');
  const payload = new jute.protocol.ConnectRequest(jute.PROTOCOL_VERSION, zxid, options.timeoutMs, id, password);
  return new jute.Request(null, payload).toBuffer();
}

/** The session that the server gave or confirmed; undefined where it says that the session asked for is over. */
export function readConnectResponse(frame: Buffer): SessionCredentials | undefined {
  const { timeOut, sessionId, passwd } = decoded(new jute.protocol.ConnectResponse(), frame, 0);
  if (timeOut <= 0) return undefined;
  if (passwd === undefined) throw new Error('a session without a password');
  return { id: sessionId.toString('hex'), password: passwd.toString('base64'), timeoutMs: timeOut };
}

export interface ReplyHeader {
  readonly xid: number;
  /** The server's latest transaction; 0 or less where it does not say. */
  readonly zxid: bigint;
  readonly error: number;
}

export function readReplyHeader(frame: Buffer): ReplyHeader {
  const { xid, zxid, err } = decoded(new jute.protocol.ReplyHeader(), frame, 0);
  return { xid, zxid: zxid.readBigInt64BE(), error: err };
}

export const notificationXid = jute.XID_NOTIFICATION;
export const pingXid = jute.XID_PING;

/** What a watch says. Types are not judged here: whatever it is, something happened to the node. */
export function readNotification(frame: Buffer): { type: number; path: string | undefined } {
  const { type, path } = decoded(new jute.protocol.WatcherEvent(), frame, replyHeaderLength);
  return { type, path };
}

export function ping(): Buffer {
  return new jute.Request(new jute.protocol.RequestHeader(jute.XID_PING, jute.OP_CODES.PING), null).toBuffer();
}

/** The bytes of a request; undefined where they are more than a server takes. */
export function encode(request: Request<unknown>, xid: number): Buffer | undefined {
  const header = new jute.protocol.RequestHeader(xid, request.type);
  const bytes = new jute.Request(header, request.payload).toBuffer();
  return bytes.length - 4 > longestRequest ? undefined : bytes;
}

export function getData(path: string, watch: boolean): Request<Znode> {
  return {
    type: jute.OP_CODES.GET_DATA,
    payload: new jute.protocol.GetDataRequest(path, watch),
    decode: (frame, offset) => {
      const { data, stat } = decoded(new jute.protocol.GetDataResponse(), frame, offset);
      return { data: data ?? Buffer.alloc(0), stat: readStat(stat) };
    },
  };
}

export function exists(path: string, watch: boolean): Request<ZnodeStat> {
  return {
    type: jute.OP_CODES.EXISTS,
    payload: new jute.protocol.ExistsRequest(path, watch),
    decode: (frame, offset) => readStat(decoded(new jute.protocol.ExistsResponse(), frame, offset).stat),
  };
}

export function getChildren(path: string, watch: boolean): Request<{ children: string[]; stat: ZnodeStat }> {
  return {
    type: jute.OP_CODES.GET_CHILDREN2,
    payload: new jute.protocol.GetChildren2Request(path, watch),
    decode: (frame, offset) => {
      const { children, stat } = decoded(new jute.protocol.GetChildren2Response(), frame, offset);
      return { children: children ?? [], stat: readStat(stat) };
    },
  };
}

export interface CreateMode {
  readonly ephemeral?: boolean | undefined;
  readonly sequential?: boolean | undefined;
}

/** Answers with the path that was made, which for a sequential node ends in its number. */
export function create(path: string, data: Uint8Array, mode: CreateMode): Request<string> {
  return {
    type: jute.OP_CODES.CREATE,
    payload: new jute.protocol.CreateRequest(
      path,
      asBuffer(data),
      acl.OPEN_ACL_UNSAFE.map((entry) => entry.toRecord()),
      flags(mode),
    ),
    decode: (frame, offset) => {
      const made = decoded(new jute.protocol.CreateResponse(), frame, offset).path;
      if (made === undefined) throw new Error('a created node without a path');
      return made;
    },
  };
}

export function setData(path: string, data: Uint8Array, version = anyVersion): Request<ZnodeStat> {
  return {
    type: jute.OP_CODES.SET_DATA,
    payload: new jute.protocol.SetDataRequest(path, asBuffer(data), version),
    decode: (frame, offset) => readStat(decoded(new jute.protocol.SetDataResponse(), frame, offset).stat),
  };
}

export function remove(path: string, version = anyVersion): Request<void> {
  return {
    type: jute.OP_CODES.DELETE,
    payload: new jute.protocol.DeleteRequest(path, version),
    decode: () => undefined,
  };
}

/** Answers with the error of each operation, 0 for those without; nothing was done where any is not 0. */
export function multi(operations: readonly ZnodeOp[]): Request<number[]> {
  return {
    type: jute.OP_CODES.MULTI,
    payload: new jute.TransactionRequest(operations.map(juteOperation)),
    decode: (frame, offset) => {
      const { results } = decoded(new jute.TransactionResponse(), frame, offset);
      if (results.length !== operations.length) throw new Error(`${results.length} results of ${operations.length}`);
      return results.map((result) => (result.type === jute.OP_CODES.ERROR ? result.err : 0));
    },
  };
}

export function closeSession(): Request<void> {
  return { type: jute.OP_CODES.CLOSE_SESSION, payload: null, decode: () => undefined };
}

function juteOperation(operation: ZnodeOp): JuteOperation {
  const { path } = operation;
  switch (operation.type) {
    case 'create':
      return {
        type: jute.OP_CODES.CREATE,
        path,
        data: asBuffer(operation.data),
        acls: acl.OPEN_ACL_UNSAFE,
        mode: flags(operation),
      };
    case 'set':
      return {
        type: jute.OP_CODES.SET_DATA,
        path,
        data: asBuffer(operation.data),
        version: operation.version ?? anyVersion,
      };
    case 'delete':
      return { type: jute.OP_CODES.DELETE, path, version: operation.version ?? anyVersion };
    case 'check':
      return { type: jute.OP_CODES.CHECK, path, version: operation.version ?? anyVersion };
  }
}

function flags({ ephemeral = false, sequential = false }: CreateMode): number {
  return (ephemeral ? 1 : 0) | (sequential ? 2 : 0);
}

/** The codec takes nothing but buffers, and writes any other array as "no data". */
function asBuffer(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function readStat(stat: JuteStat): ZnodeStat {
  const owner = stat.ephemeralOwner.toString('hex');
  return {
    version: stat.version,
    ephemeralOwner: owner === '0000000000000000' ? undefined : owner,
    czxid: stat.czxid.readBigInt64BE(),
    mzxid: stat.mzxid.readBigInt64BE(),
    pzxid: stat.pzxid.readBigInt64BE(),
    ctime: Number(stat.ctime.readBigInt64BE()),
    mtime: Number(stat.mtime.readBigInt64BE()),
    numChildren: stat.numChildren,
  };
}

/** The codec reads on beyond the end of a frame that is too short, so that is checked here. */
function decoded<R extends JuteRecord>(record: R, frame: Buffer, offset: number): R {
  const length = record.deserialize(frame, offset);
  if (offset + length > frame.length) throw new Error('an answer that ends too early');
  return record;
}
