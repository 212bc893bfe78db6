/** The cache over HTTP; see src/contracts/payload-cache.ts for what is said. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cachePaths, leaseHeader, sha256Pattern } from '../contracts/payload-cache.ts';
import type { PayloadCache, Reading } from './payload-cache.ts';

/** Connections on which nothing moves are closed; longer than anybody is kept waiting for a file. */
const idleMs = 15_000;
/** Agents ask for eight files at a time. */
const mostConnections = 2_000;
const bufferBytes = 256 * 1024;
/** With more readers than this, each has a smaller buffer, so that their number does not fill the memory. */
const readersAtEase = 64;
const smallBufferBytes = 64 * 1024;

const status = { stored: 201, 'no lease': 409, refused: 422 } as const;

export interface ServedCache {
  readonly port: number;
  close(): Promise<void>;
}

/** @param port 0 takes a free one */
export async function serveCache(cache: PayloadCache, port: number): Promise<ServedCache> {
  const readers = { now: 0 };
  const server = createServer(
    {
      maxHeaderSize: 8_192,
      requestTimeout: 0,
      headersTimeout: 10_000,
      keepAliveTimeout: 60_000,
      highWaterMark: bufferBytes,
    },
    (request, response) => {
      serve(cache, readers, request, response).catch(() => response.destroy());
    },
  );
  server.timeout = idleMs;
  server.maxConnections = mostConnections;
  server.listen(port);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Asked {
  readonly sha256: string;
  readonly doubt: boolean;
  readonly query: URLSearchParams;
}

function fileAsked(url: URL): Asked | undefined {
  if (!url.pathname.startsWith(cachePaths.files)) return undefined;
  const rest = url.pathname.slice(cachePaths.files.length);
  const doubt = rest.endsWith(cachePaths.doubt);
  const sha256 = doubt ? rest.slice(0, -cachePaths.doubt.length) : rest;
  return sha256Pattern.test(sha256) ? { sha256, doubt, query: url.searchParams } : undefined;
}

async function serve(
  cache: PayloadCache,
  readers: { now: number },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://cache');
  const answer = (code: number, text = '') => void response.writeHead(code).end(text);
  if (url.pathname === cachePaths.health) return answer(200, 'ok\n');
  if (url.pathname === cachePaths.metrics) return answer(200, cache.metrics());
  const asked = fileAsked(url);
  if (asked === undefined) return answer(404, `try ${cachePaths.health} or ${cachePaths.metrics}\n`);
  if (asked.doubt) {
    if (request.method !== 'POST') return answer(405);
    void cache.doubt(asked.sha256);
    return answer(202);
  }
  if (request.method === 'PUT') return await take(cache, asked, request, response);
  if (request.method !== 'GET') return answer(405);
  await give(cache, asked, readers, response);
}

function wholeNumber(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

async function give(
  cache: PayloadCache,
  { sha256, query }: Asked,
  readers: { now: number },
  response: ServerResponse,
): Promise<void> {
  const bytes = wholeNumber(query.get('bytes'));
  const offset = wholeNumber(query.get('offset') ?? '0');
  if (bytes === undefined || offset === undefined || offset >= bytes) return void response.writeHead(400).end();
  const found = await cache.ask({ sha256, bytes });
  if (found.kind !== 'bytes') {
    response.writeHead(404, found.kind === 'bring' ? { [leaseHeader]: found.lease } : {}).end();
    return;
  }
  readers.now += 1;
  try {
    const most = readers.now > readersAtEase ? smallBufferBytes : bufferBytes;
    await send(found.reading, offset, Math.min(most, bytes - offset), response);
  } finally {
    readers.now -= 1;
    await found.reading.close();
  }
}

/** Through one buffer, which is used again when the system has taken its bytes. */
async function send(reading: Reading, offset: number, most: number, response: ServerResponse): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(most);
  response.writeHead(200, { 'content-length': reading.bytes - offset });
  response.flushHeaders();
  for (let position = offset; position < reading.bytes && !response.destroyed; ) {
    const count = await reading.read(buffer, position);
    // Told as well where the other side has gone.
    await new Promise<void>((resolve) => response.write(buffer.subarray(0, count), () => resolve()));
    position += count;
  }
  response.end();
}

async function take(
  cache: PayloadCache,
  { sha256, query }: Asked,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const bytes = wholeNumber(request.headers['content-length']);
  if (bytes === undefined || bytes === 0) return void response.writeHead(411, { connection: 'close' }).end();
  const brought = await cache.bring({ sha256, bytes }, query.get('lease') ?? '', request);
  response.writeHead(status[brought], brought === 'stored' ? {} : { connection: 'close' }).end();
}
