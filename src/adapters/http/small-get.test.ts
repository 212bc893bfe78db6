import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { smallGet } from './small-get.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
});

async function serve(answer: RequestListener): Promise<string> {
  const made = createServer(answer);
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}/status`;
}

describe('a small GET', () => {
  it('gives the text of an answer', async () => {
    const url = await serve((_, response) => response.end('grüße'));
    expect(await smallGet(url, 2_000)).toBe('grüße');
  });

  it.each<[string, RequestListener]>([
    ['any other status', (_, response) => response.writeHead(503).end('no')],
    ['a redirect', (_, response) => response.writeHead(302, { location: '/' }).end()],
    ['an answer without end', (_, response) => response.end('x'.repeat(70_000))],
    ['an answer that breaks off', (_, response) => response.writeHead(200, { 'content-length': '9' }).end('x')],
  ])('refuses %s', async (_what, answer) => {
    await expect(smallGet(await serve(answer), 2_000)).rejects.toThrow();
  });

  it('waits no longer than it is told, and not for nobody', async () => {
    const url = await serve(() => {});
    await expect(smallGet(url, 50)).rejects.toThrow();
    await expect(smallGet('http://127.0.0.1:1/', 2_000)).rejects.toThrow();
  });
});
