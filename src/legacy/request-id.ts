/**
 * What tells a request from every other, for good: the path of its node, and the transaction and the time that made it.
 * The path alone does not, because the numbers begin again where the queue was made anew; nor do path and transaction,
 * because a ZooKeeper that was restored from a backup gives the same transactions out again.
 */

export interface RequestNode {
  /** Of the node, `qn-0000000007`. */
  readonly name: string;
  /** Absolute, of the node. */
  readonly path: string;
  readonly czxid: bigint;
  /** Milliseconds since 1970, by the server's clock. */
  readonly ctime: number;
}

export function requestId({ path, czxid, ctime }: RequestNode): string {
  return `${path}#${czxid.toString(16)}.${ctime.toString(16)}`;
}

/** When the request was made, milliseconds since 1970. @param id of `requestId` */
export function requestTime(id: string): number {
  return Number.parseInt(id.slice(id.lastIndexOf('.') + 1), 16);
}

/**
 * How many ids a resource remembers. A crash needs the last one only, because the requests of a model are done in
 * their order; the others are for a restored ZooKeeper, in which requests that were done long ago are there again.
 */
const remembered = 32;

/** The ids that a resource's annotation holds; none where it cannot be read. */
export function parseRequestIds(annotation: string | undefined): readonly string[] {
  if (annotation === undefined) return [];
  try {
    const ids: unknown = JSON.parse(annotation);
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

/** The annotation with one id more; the oldest ones go. */
export function encodeRequestIds(before: readonly string[], id: string): string {
  return JSON.stringify([...before, id].slice(-remembered));
}
