/** The part of the `node-zookeeper-client` package that is used: its codec. It has no types of its own. */
declare module 'node-zookeeper-client/lib/jute/index.js' {
  export interface JuteRecord {
    byteLength(): number;
    /** Returns the number of bytes written. */
    serialize(buffer: Buffer, offset: number): number;
    /** Returns the number of bytes that the record claims to have, which may be more than there are. */
    deserialize(buffer: Buffer, offset: number): number;
  }

  export type JuteClass<Fields, Args extends readonly unknown[]> = new (...args: Partial<Args>) => JuteRecord & Fields;

  /** A long is a buffer of 8 bytes, big endian. */
  export interface JuteStat {
    czxid: Buffer;
    mzxid: Buffer;
    ctime: Buffer;
    mtime: Buffer;
    version: number;
    cversion: number;
    aversion: number;
    ephemeralOwner: Buffer;
    dataLength: number;
    numChildren: number;
    pzxid: Buffer;
  }

  export type JuteResult =
    | { type: 1; path: string }
    | { type: 2 | 13 }
    | { type: 5; stat: JuteStat }
    | { type: -1; err: number };

  export interface JuteAcl {
    toRecord(): JuteRecord;
  }

  export type JuteOperation =
    | { type: 1; path: string; data: Buffer; acls: readonly JuteAcl[]; mode: number }
    | { type: 2; path: string; version: number }
    | { type: 5; path: string; data: Buffer; version: number }
    | { type: 13; path: string; version: number };

  const jute: {
    PROTOCOL_VERSION: number;
    XID_NOTIFICATION: number;
    XID_PING: number;
    OP_CODES: {
      CREATE: 1;
      DELETE: 2;
      EXISTS: 3;
      GET_DATA: 4;
      SET_DATA: 5;
      PING: 11;
      GET_CHILDREN2: 12;
      CHECK: 13;
      MULTI: 14;
      CLOSE_SESSION: -11;
      ERROR: -1;
    };
    /** With its frame's length. */
    Request: new (
      header: JuteRecord | null,
      payload: JuteRecord | null,
    ) => { toBuffer(): Buffer };
    TransactionRequest: new (operations: readonly JuteOperation[]) => JuteRecord;
    TransactionResponse: new () => JuteRecord & { results: JuteResult[] };
    protocol: {
      ConnectRequest: JuteClass<
        object,
        [protocolVersion: number, lastZxid: Buffer, timeout: number, sessionId: Buffer, password: Buffer]
      >;
      ConnectResponse: JuteClass<{ timeOut: number; sessionId: Buffer; passwd: Buffer | undefined }, []>;
      RequestHeader: JuteClass<object, [xid: number, type: number]>;
      ReplyHeader: JuteClass<{ xid: number; zxid: Buffer; err: number }, []>;
      WatcherEvent: JuteClass<{ type: number; state: number; path: string | undefined }, []>;
      CreateRequest: JuteClass<object, [path: string, data: Buffer, acl: readonly JuteRecord[], flags: number]>;
      CreateResponse: JuteClass<{ path: string | undefined }, []>;
      DeleteRequest: JuteClass<object, [path: string, version: number]>;
      ExistsRequest: JuteClass<object, [path: string, watch: boolean]>;
      ExistsResponse: JuteClass<{ stat: JuteStat }, []>;
      GetDataRequest: JuteClass<object, [path: string, watch: boolean]>;
      GetDataResponse: JuteClass<{ data: Buffer | undefined; stat: JuteStat }, []>;
      SetDataRequest: JuteClass<object, [path: string, data: Buffer, version: number]>;
      SetDataResponse: JuteClass<{ stat: JuteStat }, []>;
      GetChildren2Request: JuteClass<object, [path: string, watch: boolean]>;
      GetChildren2Response: JuteClass<{ children: string[] | undefined; stat: JuteStat }, []>;
    };
  };
  export default jute;
}

declare module 'node-zookeeper-client/lib/ACL.js' {
  import type { JuteAcl } from 'node-zookeeper-client/lib/jute/index.js';

  const acl: { OPEN_ACL_UNSAFE: readonly JuteAcl[] };
  export default acl;
}
