/** The payload cache of a node, as its agents ask it; see src/contracts/payload-cache.ts. */
import { lookup } from 'node:dns/promises';
import { cachedFilePath, cachePaths, leaseHeader } from '../contracts/payload-cache.ts';
import { withoutBrackets } from '../kernel/bare-address.ts';
import { bodyBytes, discardBody } from './http/body.ts';
import { CallTime } from './http/call-time.ts';
import { type Deadlines, exchange, type HttpRequest } from './http/exchange.ts';
import { HttpFailure } from './http/failure.ts';
import { DirectConnections } from './http/route.ts';
import type { Upload } from './http/upload.ts';

export interface CachedFile {
  readonly sha256: string;
  readonly length: number;
}

export type CacheAnswer =
  | { readonly kind: 'bytes'; readonly bytes: AsyncIterable<Uint8Array> }
  | { readonly kind: 'bring'; readonly bring: (bytes: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void> }
  | { readonly kind: 'without' };

/**
 * Where its node has no cache, kube-proxy drops the packets of a Service that is local to nodes: a connection on one node
 * is there in a millisecond, or never. The head of an answer waits for another agent to begin to bring the file.
 */
const usualDeadlines = { connectMs: 1_000, firstByteMs: 12_000, stallMs: 12_000, finishMs: 12_000 };
const lookupMs = 3_000;
const leastToLend = 256 * 1024;

export class PayloadCacheClient {
  readonly #url: URL;
  readonly #deadlines: Deadlines;
  readonly #connections = new DirectConnections();
  #address: Promise<URL> | undefined;

  constructor(url: string, deadlines: Deadlines = usualDeadlines) {
    this.#url = new URL(url);
    this.#deadlines = deadlines;
  }

  /** @throws Error where it does not answer, or with something else */
  async ask(file: CachedFile, offset: number, signal: AbortSignal): Promise<CacheAnswer> {
    const { sha256, length } = file;
    const lend = length - offset >= leastToLend;
    const path = cachedFilePath(sha256, { bytes: length, offset });
    const answer = await this.#exchange({ method: 'GET', path, lend, signal });
    if (answer.status === 200) return { kind: 'bytes', bytes: bodyBytes(answer, signal) };
    await discardBody(answer);
    const lease = answer.headers[leaseHeader];
    if (answer.status !== 404) throw new HttpFailure(`status ${answer.status}`, true);
    if (typeof lease !== 'string') return { kind: 'without' };
    return { kind: 'bring', bring: (bytes, stop) => this.#bring(file, lease, bytes, stop) };
  }

  async doubt({ sha256 }: CachedFile): Promise<void> {
    const path = `${cachedFilePath(sha256)}${cachePaths.doubt}`;
    const time = new CallTime(this.#deadlines.firstByteMs ?? 0);
    try {
      await discardBody(await this.#exchange({ method: 'POST', path, signal: time.signal }));
    } finally {
      time.end();
    }
  }

  async #bring(file: CachedFile, lease: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const path = cachedFilePath(file.sha256, { lease });
    const answer = await this.#exchange({ method: 'PUT', path, upload: { bytes, length: file.length }, signal });
    await discardBody(answer);
    if (answer.status !== 201) throw new HttpFailure(`status ${answer.status}`, true);
  }

  async #exchange({
    path,
    lend = false,
    ...request
  }: Pick<HttpRequest, 'method' | 'path' | 'signal'> & { readonly upload?: Upload; readonly lend?: boolean }) {
    const base = await this.#resolved();
    const url = new URL(path, base);
    return await exchange({
      ...request,
      ...this.#connections.to(url),
      lending: lend ? this.#connections.lendingTo(url) : undefined,
      deadlines: this.#deadlines,
    });
  }

  /** Looked up once, apart from connecting, which has to be quick. */
  #resolved(): Promise<URL> {
    this.#address ??= lookUp(this.#url);
    return this.#address;
  }
}

async function lookUp(url: URL): Promise<URL> {
  const time = new CallTime(lookupMs);
  try {
    const late = new Promise<never>((_, reject) => {
      time.signal.addEventListener('abort', () => reject(time.signal.reason), { once: true });
    });
    const found = await Promise.race([lookup(withoutBrackets(url.hostname)), late]);
    const resolved = new URL(url);
    resolved.hostname = found.family === 6 ? `[${found.address}]` : found.address;
    return resolved;
  } finally {
    time.end();
  }
}
