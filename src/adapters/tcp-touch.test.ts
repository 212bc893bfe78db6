import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { touchTcp } from './tcp-touch.ts';

let server: Server | undefined;
afterEach(async () => {
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

async function listening(host: string): Promise<number> {
  server = createServer();
  await new Promise<void>((resolve) => server?.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('touchTcp', () => {
  it('connects, sends nothing and hangs up', async () => {
    const port = await listening('127.0.0.1');
    const seen = new Promise<number>((resolve) => {
      server?.once('connection', (socket) => {
        let bytes = 0;
        socket.on('data', (chunk) => {
          bytes += chunk.length;
        });
        socket.on('error', () => undefined);
        socket.once('close', () => resolve(bytes));
      });
    });
    expect(await touchTcp('127.0.0.1', port, 5_000)).toEqual({ outcome: 'connected' });
    expect(await seen).toBe(0);
  });

  it('tells a port where nothing listens', async () => {
    const port = await listening('127.0.0.1');
    await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    expect(await touchTcp('127.0.0.1', port, 5_000)).toEqual({
      outcome: 'refused',
      problem: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('tells a name without an address', async () => {
    // Too long for a name, so nobody is asked about it.
    expect(await touchTcp(`${'a'.repeat(64)}.invalid`, 80, 10_000)).toMatchObject({ outcome: 'unresolved' });
  });

  it('gives up in time, whatever it waits for', async () => {
    const port = await listening('127.0.0.1');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const touched = touchTcp('127.0.0.1', port, 50);
      vi.advanceTimersByTime(50);
      expect(await touched).toEqual({ outcome: 'unreachable', problem: 'no connection within 50 ms' });
    } finally {
      vi.useRealTimers();
    }
  });
});
