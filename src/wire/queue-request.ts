/**
 * Requests of the old deploy client, as they lie in its queue: one node each below the queue's path, named `qn-` and a
 * number that ZooKeeper counts up, with a JSON object as data. They are read by the rules of the original's library:
 * what it could not read is unreadable here, what it could read is a request.
 */

import { quoted } from '../kernel/shown-text.ts';
import { type JsonValue, readJavaJson } from './java-json.ts';

export interface QueueRequest {
  /** Null where the option was not given. */
  readonly name: string | null;
  readonly version: string | null;
  /** A 32-bit integer; 0 where the field is missing. */
  readonly instances: number;
  /** Megabytes (2^20 bytes) an instance; 0 where the field is missing. */
  readonly memoryMb: number;
  readonly action: 'ADD' | 'REMOVE' | null;
  /** The payload's directory in HDFS. */
  readonly path: string | null;
}

export type RequestReading =
  | { readonly kind: 'request'; readonly request: QueueRequest }
  /** The literal `null`, which the old LIST leaves behind. */
  | { readonly kind: 'empty' }
  /** `why` is the end of a sentence that begins with the request. */
  | { readonly kind: 'unreadable'; readonly why: string };

/** The longest real request is one HDFS path; what is longer is not looked at. */
const longestBytes = 65_536;

/** Never throws. */
export function readQueueRequest(bytes: Uint8Array): RequestReading {
  if (bytes.length > longestBytes) return unreadable(`is longer than ${longestBytes} bytes`);
  const reading = readJavaJson(bytes);
  if (!reading.ok) return unreadable(`is not JSON: ${reading.reason} (byte ${reading.offset})`);
  if (reading.value.kind === 'null') return { kind: 'empty' };
  if (reading.value.kind !== 'object') return unreadable('is not a JSON object');

  let request: QueueRequest = { name: null, version: null, instances: 0, memoryMb: 0, action: null, path: null };
  for (const { name, value } of reading.value.members) {
    const field = fields[name];
    if (field === undefined || !Object.hasOwn(fields, name)) {
      return unreadable(`has a field that the original does not know: ${quoted(name)}`);
    }
    const change = field(value);
    if (typeof change === 'string') return unreadable(`has ${change} as ${name}`);
    request = { ...request, ...change };
  }
  return { kind: 'request', request };
}

/**
 * The number in the name of a request's node, undefined where it is no request's. It is negative once ZooKeeper has
 * counted beyond 32 bits; the original takes such a one first, as the smallest.
 */
export function requestNumber(node: string): number | undefined {
  const digits = /^qn-(\d{10}|-\d{9,10})$/.exec(node)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** What a new request's node is called before ZooKeeper adds the number. */
export const requestPrefix = 'qn-';

/** What is wrong with the value, or the change that it means. */
type Field = (value: JsonValue) => Partial<QueueRequest> | string;

const fields: Readonly<Record<string, Field>> = {
  name: (value) => withText(value, (name) => ({ name })),
  version: (value) => withText(value, (version) => ({ version })),
  numInstances: (value) => withInteger(value, (instances) => ({ instances })),
  memory: (value) => withInteger(value, (memoryMb) => ({ memoryMb })),
  action: (value) => {
    if (value.kind === 'null') return { action: null };
    if (value.kind !== 'string') return shown(value);
    return value.value === 'ADD' || value.value === 'REMOVE' ? { action: value.value } : shown(value);
  },
  path: (value) => withText(value, (path) => ({ path })),
};

/** The library takes any scalar for a text. */
function withText(value: JsonValue, change: (text: string | null) => Partial<QueueRequest>) {
  switch (value.kind) {
    case 'null':
      return change(null);
    case 'string':
      return change(value.value);
    case 'number':
      return change(value.text);
    case 'boolean':
      return change(String(value.value));
    default:
      return shown(value);
  }
}

/** The library cuts fractions off, takes `"2"` for 2, and null and the empty text for 0. */
function withInteger(value: JsonValue, change: (integer: number) => Partial<QueueRequest>) {
  if (value.kind === 'null' || (value.kind === 'string' && value.value.trim() === '')) return change(0);
  const integer =
    value.kind === 'number'
      ? Math.trunc(Number(value.text))
      : value.kind === 'string' && /^[+-]?\d+$/.test(value.value.trim())
        ? Number(value.value)
        : Number.NaN;
  return integer >= -(2 ** 31) && integer < 2 ** 31 ? change(integer) : shown(value);
}

function shown(value: JsonValue): string {
  switch (value.kind) {
    case 'string':
      return quoted(value.value);
    case 'number':
      return quoted(value.text);
    case 'boolean':
      return String(value.value);
    case 'null':
      return 'null';
    case 'array':
    case 'object':
      return `an ${value.kind}`;
  }
}

function unreadable(why: string): RequestReading {
  return { kind: 'unreadable', why };
}
