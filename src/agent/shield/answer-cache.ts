/**
 * Answers that are served again: the least recently used go first when there are too many bytes, and none is served over
 * its time. What may be kept is decided by the rules of HTTP, as far as they only ever keep less.
 */
import { headerOf, type RawHeaders } from './headers.ts';

export interface KeptAnswer {
  readonly headers: RawHeaders;
  readonly body: Uint8Array;
}

interface Entry {
  readonly answer: KeptAnswer;
  readonly bytes: number;
  /** Of the monotonic clock. */
  readonly until: number;
}

/** What an entry takes beside its texts and its body: objects, arrays, the map's own. Measured, rounded up. */
const entryBytes = 512;
const oneMoreHeader = 64;

/** Request headers that an answer may depend on. Of those that are part of the key, any value is fine. */
const inKey = ['accept', 'accept-encoding', 'accept-language'];
const never = ['authorization', 'cookie', 'range', 'if-none-match', 'if-modified-since', 'if-match', 'if-range'];

export interface AnswerCacheOptions {
  readonly bytes: number;
  readonly timeToLiveMs: number;
}

export class AnswerCache {
  readonly #options: AnswerCacheOptions;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(options: AnswerCacheOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get entries(): number {
    return this.#entries.size;
  }

  get(key: string, at: number): KeptAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (at >= entry.until) {
      this.#bytes -= entry.bytes;
      return undefined;
    }
    this.#entries.set(key, entry);
    return entry.answer;
  }

  /** @param askedAt when the model was asked: what it says is not older than that */
  put(key: string, { headers, body }: KeptAnswer, askedAt: number): void {
    this.#drop(key);
    const life = Math.min(this.#options.timeToLiveMs, maxAgeMs(headers) ?? Number.POSITIVE_INFINITY);
    const bytes = bytesOf(key, headers, body);
    if (life <= 0 || bytes > this.#options.bytes) return;
    // In a buffer of its own size: a slice would keep all that it was cut from.
    const own = Buffer.allocUnsafeSlow(body.length);
    own.set(body);
    this.#entries.set(key, { answer: { headers, body: own }, bytes, until: askedAt + life });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#options.bytes) break;
      this.#drop(oldest);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

function bytesOf(key: string, headers: RawHeaders, body: Uint8Array): number {
  return headers.reduce(
    (sum, text) => sum + text.length + oneMoreHeader / 2,
    entryBytes + 2 * key.length + body.length,
  );
}

/** Undefined where an answer to it is nobody else's, or the client wants a new one. */
export function cacheKey(request: {
  readonly method: string;
  readonly path: string;
  readonly headers: RawHeaders;
  readonly hasBody: boolean;
}): string | undefined {
  if (request.method !== 'GET' || request.hasBody) return undefined;
  const values = new Map<string, string>();
  for (let at = 0; at + 1 < request.headers.length; at += 2) {
    const name = request.headers[at]?.toLowerCase() ?? '';
    if (never.includes(name)) return undefined;
    if (name === 'cache-control' || name === 'pragma') return undefined;
    if (inKey.includes(name)) values.set(name, `${values.get(name) ?? ''}${request.headers[at + 1]}`);
  }
  return [request.path, ...inKey.map((name) => values.get(name) ?? '')].join('\n');
}

/** May an answer be given to others who ask the same, at the same time or later? */
export function mayBeShared({ status, headers }: { readonly status: number; readonly headers: RawHeaders }): boolean {
  if (status !== 200 || headerOf(headers, 'set-cookie') !== undefined) return false;
  if (/\b(no-store|no-cache|private)\b/i.test(headerOf(headers, 'cache-control') ?? '')) return false;
  const varies = headerOf(headers, 'vary');
  return varies === undefined || varies.split(',').every((name) => inKey.includes(name.trim().toLowerCase()));
}

function maxAgeMs(headers: RawHeaders): number | undefined {
  const seconds = /\bmax-age=(\d{1,9})\b/i.exec(headerOf(headers, 'cache-control') ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
