import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { failure } from '../../../test/builders/failure.ts';
import { bodyBytes, bodyText } from './body.ts';
import { exchange, type HttpAnswer, type HttpRequest } from './exchange.ts';
import { DirectConnections } from './route.ts';

const content = Buffer.from(Uint8Array.from({ length: 1_500_000 }, (_, i) => (i * 37) % 251));
const head = (length: number, more = '') => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n${more}\r\n`;

/** A server that does with each connection what it is told, once it was asked for something. */
async function serve(answer: (socket: Socket) => void): Promise<URL> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

const connections = new DirectConnections();
const ask = (url: URL, given: Partial<HttpRequest> = {}): Promise<HttpAnswer> =>
  exchange({ method: 'GET', ...connections.to(url), lending: connections.lendingTo(url), ...given });

/** @param pause of the reader after each chunk */
async function readAll(answer: HttpAnswer, pause: () => Promise<void> = async () => {}): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of bodyBytes(answer)) {
    const copy = Buffer.from(chunk);
    await pause();
    // What is lent stays as it is until more is asked for.
    expect(copy.equals(chunk)).toBe(true);
    chunks.push(copy);
  }
  return Buffer.concat(chunks);
}

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe('a lent body', () => {
  it('has all bytes, however they come and however fast they are read', async () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.nat(content.length), pieces, fc.nat(3), fc.nat(3), async (length, sizes, slow, late) => {
        const url = await serve(async (socket) => {
          const all = Buffer.concat([Buffer.from(head(length)), content.subarray(0, length)]);
          for (let at = 0, i = 0; at < all.length; i++) {
            const size = sizes[i % sizes.length] ?? 1;
            socket.write(all.subarray(at, at + size));
            at += size;
            await turns(slow);
          }
          socket.end();
        });
        const got = await readAll(await ask(url), () => turns(late));
        expect(got.equals(content.subarray(0, length))).toBe(true);
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('comes from a head that arrives byte by byte', async () => {
    const url = await serve(async (socket) => {
      socket.setNoDelay(true);
      for (const byte of head(3)) {
        socket.write(byte);
        await turns(1);
      }
      socket.write('abc');
    });
    expect((await readAll(await ask(url))).toString()).toBe('abc');
  });

  it('ends where its head said, whatever comes after', async () => {
    const url = await serve((socket) => socket.write(`${head(3)}abcdef`));
    expect((await readAll(await ask(url))).toString()).toBe('abc');
  });

  it('is not asked for faster than it is read', async () => {
    const { promise: asked, resolve } = Promise.withResolvers<Socket>();
    const url = await serve(resolve);
    const answering = ask(url);
    const socket = await asked;
    socket.write(head(1e9));
    const answer = await answering;
    const chunks = bodyBytes(answer);
    // Until the system's buffers are full, too.
    while (socket.write(Buffer.alloc(1 << 20)) || socket.bytesWritten < 64 << 20) {
      const before = socket.bytesWritten - socket.writableLength;
      await turns(20);
      if (socket.writableLength > 0 && socket.bytesWritten - socket.writableLength === before) break;
    }
    expect(socket.writableLength).toBeGreaterThan(0);
    const first = await chunks.next();
    expect(first.value?.length).toBeLessThanOrEqual(256 * 1024);
    await chunks.return();
  });

  it.each<[string, (socket: Socket) => void]>([
    ['closed', (socket) => socket.end()],
    ['reset', (socket) => socket.resetAndDestroy()],
  ])('that breaks off with a connection %s gives what came, then fails', async (_how, end) => {
    const { promise: asked, resolve } = Promise.withResolvers<Socket>();
    const url = await serve(resolve);
    const answering = ask(url);
    const socket = await asked;
    socket.write(`${head(content.length)}beginning`);
    const chunks = bodyBytes(await answering);
    expect((await chunks.next()).value?.toString()).toBe('beginning');
    end(socket);
    await expect(chunks.next()).rejects.toThrow('ended too early');
  });

  it('that stalls or is given up fails with that', async () => {
    const url = await serve((socket) => socket.write(`${head(10)}abc`));
    await expect(readAll(await ask(url, { deadlines: { stallMs: 30 } }))).rejects.toThrow('sent nothing');
    const stop = new AbortController();
    const chunks = bodyBytes(await ask(url), stop.signal);
    await chunks.next();
    stop.abort(new Error('enough'));
    await expect(chunks.next()).rejects.toThrow('enough');
  });
});

describe('what cannot be lent comes as it always does', () => {
  it.each<[string, string, number, string]>([
    ['a failure', 'HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno!', 404, 'no!'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n', 200, 'abc'],
    ['a length that is not told', 'HTTP/1.0 200 OK\r\n\r\nabc', 200, 'abc'],
    ['an answer that was announced', `HTTP/1.1 100 Continue\r\n\r\n${head(3)}abc`, 200, 'abc'],
  ])('%s', async (_what, text, status, body) => {
    const url = await serve((socket) => socket.end(text));
    const answer = await ask(url);
    expect([answer.status, await bodyText(answer, 100)]).toEqual([status, body]);
  });

  it('and what is no HTTP, or nothing, is a failed exchange', async () => {
    for (const text of ['hello\r\n\r\n', '', 'x'.repeat(300_000)]) {
      const url = await serve((socket) => socket.end(text));
      expect(await failure(ask(url))).toBeInstanceOf(Error);
    }
  });
});
