/** Nodes, and what can be done to several of them at once. */

export interface ZnodeStat {
  /** Of the data; 0 when the node is made. */
  readonly version: number;
  /** The session that the node goes with, 16 hexadecimal digits; undefined for a persistent node. */
  readonly ephemeralOwner: string | undefined;
  /** The transaction that made the node: tells it from a successor of the same name. */
  readonly czxid: bigint;
  /** The last transaction that wrote its data. */
  readonly mzxid: bigint;
  /** The last transaction that made or removed a child. */
  readonly pzxid: bigint;
  /** Milliseconds since 1970, by the server's clock. */
  readonly ctime: number;
  readonly mtime: number;
  readonly numChildren: number;
}

export interface Znode {
  /** Empty where the node has none. */
  readonly data: Buffer;
  readonly stat: ZnodeStat;
}

/** A part of a transaction. Without a version it applies to any. Created nodes are open to everybody. */
export type ZnodeOp =
  | {
      readonly type: 'create';
      readonly path: string;
      readonly data: Uint8Array;
      readonly ephemeral?: boolean;
      readonly sequential?: boolean;
    }
  | { readonly type: 'set'; readonly path: string; readonly data: Uint8Array; readonly version?: number }
  | { readonly type: 'delete'; readonly path: string; readonly version?: number }
  | { readonly type: 'check'; readonly path: string; readonly version?: number };
