/**
 * What is remembered of requests beyond the resources that they changed: the data of one ConfigMap in the operator's
 * namespace, so that everybody who may look there can list it with kubectl. Pure: each function gives a merge patch of
 * that data, in which null removes a key.
 *
 * `rejected.*` has one entry for each rejected request, `null-requests` the count of the literal `null`s that the old
 * LIST leaves (each would otherwise push a real entry out), `removals` which resource was deleted for which request.
 */

import { z } from 'zod';
import { readJson } from '../kernel/schema-json.ts';
import { quoted } from '../kernel/shown-text.ts';
import { byText } from '../kernel/text-order.ts';
import type { Rejection } from './plan-request.ts';
import { type RequestNode, requestId } from './request-id.ts';

export const recordConfigMap = 'maas-operator-queue';

export type RecordData = Readonly<Record<string, string>>;
export type RecordPatch = Readonly<Record<string, string | null>>;

const rejectedPrefix = 'rejected.';
const emptyKey = 'null-requests';
const removalsKey = 'removals';

const longestRejected = 100;
const longestRemovals = 64;
/** Characters of a rejected request that are kept. */
const longestRequest = 512;

const rejectedEntry = z.object({
  id: z.string(),
  /** When it was rejected, RFC 3339. */
  at: z.string(),
  code: z.string(),
  why: z.string(),
  /** The request's text, escaped and cut. */
  request: z.string(),
});
type RejectedRequest = z.infer<typeof rejectedEntry>;

const emptyEntry = z.object({ count: z.int(), last: z.string(), at: z.string() });
const removals = z.array(z.object({ id: z.string(), uid: z.string() }));

/** Is it known that this request was rejected, or was one of the nulls? */
export function wasRejected(data: RecordData, node: RequestNode): boolean {
  const id = requestId(node);
  return read(rejectedEntry, data[rejectedKey(node)])?.id === id || read(emptyEntry, data[emptyKey])?.last === id;
}

/** The UID of the resource that was to be deleted for this request. */
export function removalOf(data: RecordData, id: string): string | undefined {
  return read(removals, data[removalsKey])?.find((removal) => removal.id === id)?.uid;
}

/** @param now milliseconds since 1970 */
export function withRejection(
  data: RecordData,
  node: RequestNode & { readonly data: Uint8Array },
  { code, why }: Rejection,
  now: number,
): RecordPatch {
  const text = new TextDecoder().decode(node.data.subarray(0, 4 * longestRequest));
  const entry: RejectedRequest = {
    id: requestId(node),
    at: new Date(now).toISOString(),
    code,
    why,
    request: quoted(text, longestRequest),
  };
  const others = Object.keys(data)
    .filter((key) => key.startsWith(rejectedPrefix) && key !== rejectedKey(node))
    // What cannot be read goes first.
    .map((key) => ({ key, at: read(rejectedEntry, data[key])?.at ?? '' }))
    .sort(byText(({ at }) => at));
  const surplus = others.slice(0, Math.max(0, others.length + 1 - longestRejected));
  return {
    ...Object.fromEntries(surplus.map(({ key }) => [key, null])),
    [rejectedKey(node)]: JSON.stringify(entry),
  };
}

/** @param now milliseconds since 1970 */
export function withEmpty(data: RecordData, node: RequestNode, now: number): RecordPatch {
  const count = (read(emptyEntry, data[emptyKey])?.count ?? 0) + 1;
  return { [emptyKey]: JSON.stringify({ count, last: requestId(node), at: new Date(now).toISOString() }) };
}

export function withRemoval(data: RecordData, id: string, uid: string): RecordPatch {
  const before = (read(removals, data[removalsKey]) ?? []).filter((removal) => removal.id !== id);
  return { [removalsKey]: JSON.stringify([...before, { id, uid }].slice(-longestRemovals)) };
}

/** Sorts as the requests came, in one ZooKeeper. */
function rejectedKey({ name, czxid }: RequestNode): string {
  return `${rejectedPrefix}${czxid.toString(16).padStart(16, '0')}.${name}`;
}

/** Undefined for what somebody else wrote there. */
function read<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  return text === undefined ? undefined : readJson(text, schema).value;
}
