/**
 * How Stellar calls a model: the URL that MAAS_MODEL_APPLY asks for, and what it makes of the answer. The rules are those
 * of the functions in the field (MaaSFunctions, RESTUtil), of Java's URL, and of their HTTP client; test/stellar holds
 * the table here against them.
 */
import { type JsonValue, jsonText, membersOf, plainJson, readJavaJson } from './java-json.ts';

export interface CalledEndpoint {
  readonly url: string;
  /** What clients may call -> path below the URL. */
  readonly functions: Readonly<Record<string, string>>;
}

/** A value of null is sent as its name alone. */
export type ModelArguments = Iterable<readonly [name: string, value: string | null]>;

export interface ModelCall {
  readonly endpoint: CalledEndpoint;
  /** The second argument of MAAS_MODEL_APPLY, where it is given. */
  readonly function?: string | undefined;
  /** In the order in which they are written. */
  readonly args?: ModelArguments | undefined;
}

/** `problem`: Stellar asks nothing and gives null. */
export type CallUrl =
  | { readonly url: string; readonly problem?: undefined }
  | { readonly url?: undefined; readonly problem: string };

/**
 * The URL of the request: absolute, ASCII, without a fragment. The request is a GET. Dots in the path stay; `new URL`
 * would resolve them.
 */
export function modelCallUrl({ endpoint, function: name, args = [] }: ModelCall): CallUrl {
  const base = endpoint.url.endsWith('/') ? endpoint.url.slice(0, -1) : endpoint.url;
  const path = functionPath(endpoint.functions, name);
  return requestUrl(`${base}/${path.startsWith('/') ? path.slice(1) : path}`, formEncoded(args));
}

/** What Stellar sends besides the URL. */
export const modelCallHeaders = { accept: 'application/json' } as const;

/** A function that the model does not name is a path itself, and one that is called `apply` comes before every other. */
export function functionPath(functions: Readonly<Record<string, string>>, name = 'apply'): string {
  for (const known of ['apply', name]) {
    if (Object.hasOwn(functions, known)) return functions[known] ?? known;
  }
  return name;
}

/**
 * Stellar's `{'a': x, 'b': y}` is a HashMap, so the arguments come in the order of the hashes of their names, and of a
 * name that is written twice the first one counts.
 */
function formEncoded(args: ModelArguments): string {
  const written = [...args].reverse();
  const values = new Map(written);
  return hashMapOrder([...values.keys()])
    .map((name) => {
      const value = values.get(name);
      return value === null || value === undefined ? encoded(name) : `${encoded(name)}=${encoded(value)}`;
    })
    .join('&');
}

/** Of keys in the order in which they were put there. */
function hashMapOrder(keys: readonly string[]): readonly string[] {
  let buckets = 16;
  while (keys.length > buckets * 0.75) buckets *= 2;
  const bucketOf = (key: string) => {
    const hash = javaHash(key);
    return (hash ^ (hash >>> 16)) & (buckets - 1);
  };
  return keys.toSorted((one, other) => bucketOf(one) - bucketOf(other));
}

/** String.hashCode. */
function javaHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(31, hash) + text.charCodeAt(at)) | 0;
  return hash;
}

/** As a form in UTF-8: the same letters stay, in Java and in URLSearchParams; what is no character is a `?` in Java. */
function encoded(text: string): string {
  const sound = text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '?');
  return new URLSearchParams([['', sound]]).toString().slice(1);
}

/** scheme, authority, and the rest up to the query and the fragment, as java.net.URL takes them apart. */
const parts = /^(https?):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/is;
const authorityPattern = /^(?:[^@]*@)?(\[[0-9a-f:.%]+\]|[a-z0-9._-]+)(?::([0-9]*))?$/i;
/** What java.net.URI accepts: other characters than ASCII's, but no spaces and controls. */
const inPath = /^(?:[\w\-.!~*'();/:@&=+$,]|%[0-9a-f]{2}|[^\p{ASCII}\p{Z}\p{Cc}])*$/iu;
const inQuery = /^(?:[\w\-.!~*'();/:@&=+$,?[\]]|%[0-9a-f]{2}|[^\p{ASCII}\p{Z}\p{Cc}])*$/iu;

function requestUrl(address: string, query: string): CallUrl {
  const match = parts.exec(address);
  if (match === null) return { problem: 'the URL of its endpoint is neither http nor https' };
  const [, scheme = '', authority = '', path = '', ownQuery = '', fragment] = match;
  const port = authorityPattern.exec(authority);
  if (port === null || Number(port[2] ?? 0) > 65_535) return { problem: 'the URL of its endpoint has no usable host' };
  // What stands behind a # is not sent, and that is where the arguments end up then.
  const asked = fragment !== undefined ? ownQuery : ownQuery === '' ? `?${query}` : `${ownQuery}?${query}`;
  if (!inPath.test(path)) return { problem: 'the path of the function holds characters that a URL cannot have' };
  if (!inQuery.test(asked.slice(1)))
    return { problem: 'the path of the function holds a query that a URL cannot have' };
  const whole = `${path.replace(/^\/*/, '/')}${asked}`;
  return { url: `${scheme.toLowerCase()}://${authority}${ascii(whole)}` };
}

function ascii(text: string): string {
  return text.normalize('NFC').replace(/[^\p{ASCII}]/gu, (character) => encodeURIComponent(character));
}

/** Statuses that the client follows, with a Location; more than 50 in a row, or one in a circle, give null. */
export const redirectStatuses: readonly number[] = [301, 302, 303, 307];
/** These have no body for the client; every other one has, of no bytes too. */
const bodiless: readonly number[] = [204, 205, 304];

/**
 * What MAAS_MODEL_APPLY makes of an answer.
 *
 * - `map`: it gives this map.
 * - `null`: it gives null, and the next call is as if nothing had happened.
 * - `thread lost`: it gives null, and the client's only connection is never given back: every later call from this
 *   thread, of any model, gives null.
 */
export type ModelAnswer =
  | {
      readonly kind: 'map';
      readonly fields: Readonly<Record<string, unknown>>;
      /** The same as JSON on one line, numbers as the model wrote them. */
      readonly json: string;
    }
  | { readonly kind: 'null' | 'thread lost'; readonly why: string };

/** @param body as it came, not more than somebody wants to hold */
export function readModelAnswer({ status, body }: { readonly status: number; readonly body: Uint8Array }): ModelAnswer {
  if (status !== 200) {
    return bodiless.includes(status)
      ? { kind: 'null', why: `status ${status}` }
      : { kind: 'thread lost', why: `status ${status}` };
  }
  const reading = readJavaJson(asRead(body), maxAnswerDepth);
  if (!reading.ok) {
    return {
      kind: 'null',
      why: body.length === 0 ? 'the answer is empty' : `the answer is not JSON: ${reading.reason}`,
    };
  }
  if (membersOf(reading.value) === undefined) {
    return { kind: 'null', why: `the answer is not a map but: ${reading.value.kind}` };
  }
  return { kind: 'map', fields: fieldsOf(reading.value), json: jsonText(reading.value) };
}

/** Deeper ones would be a map to Java too; this keeps a hostile model from exhausting the stack. */
const maxAnswerDepth = 500;

/** What is not UTF-8 is replaced, as Java's reader does. A byte order mark is not expected there, and no JSON. */
function asRead(body: Uint8Array): Uint8Array {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(body);
  return new TextEncoder().encode(text.startsWith('\ufeff') ? `?${text}` : text);
}

function fieldsOf(value: JsonValue): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...(membersOf(value) ?? [])].map(([name, field]) => [name, plainJson(field)]));
}
