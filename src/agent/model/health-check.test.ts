import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { isHealthy } from './health-check.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function model(answer: (respond: (status: number) => void) => void): Promise<number> {
  const server = createServer((_, response) => answer((status) => response.writeHead(status).end('a body')));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
const check = (port: number, timeoutMs = 2_000) =>
  isHealthy({ scheme: 'http', host: '127.0.0.1', port, path: '/health', timeoutMs });

describe('isHealthy', () => {
  it.each([
    [200, true],
    [204, true],
    [302, false],
    [404, false],
    [503, false],
  ])('%i: %s', async (status, healthy) => {
    expect(await check(await model((respond) => respond(status)))).toBe(healthy);
  });

  it('does not wait for ever', async () => {
    const asked = performance.now();
    expect(await check(await model(() => {}), 100)).toBe(false);
    expect(performance.now() - asked).toBeLessThan(2_000);
  });

  it('is false where nothing listens', async () => {
    const port = await model(() => {});
    servers.splice(0).forEach((server) => {
      server.close();
    });
    expect(await check(port)).toBe(false);
  });
});
