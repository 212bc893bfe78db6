import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { agentServer, listenOnFirst } from './http-server.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function agent(answers: { ready?: boolean; live?: boolean } = {}): Promise<string> {
  const server = agentServer({
    status: () => '{"stage":"Registered"}',
    ready: () => answers.ready ?? true,
    modelIsLive: () => answers.live ?? true,
    metrics: () => 'maas_agent_registered 1\n',
  });
  servers.push(server);
  return `http://127.0.0.1:${await listenOnFirst(server, [0])}`;
}

describe('agentServer', () => {
  it.each([
    ['/status', {}, 200, '{"stage":"Registered"}'],
    ['/status?verbose', {}, 200, '{"stage":"Registered"}'],
    ['/readyz', { ready: true }, 200, 'ready\n'],
    ['/readyz', { ready: false }, 503, 'not ready\n'],
    ['/livez/model', { live: true }, 200, 'live\n'],
    ['/livez/model', { live: false }, 503, 'to be restarted\n'],
    ['/metrics', {}, 200, 'maas_agent_registered 1\n'],
    ['/', {}, 404, 'not found\n'],
  ])('%s %j', async (path, answers, status, body) => {
    const response = await fetch(`${await agent(answers)}${path}`);
    expect({ status: response.status, body: await response.text() }).toEqual({ status, body });
  });

  it('changes nothing', async () => {
    const url = await agent();
    expect((await fetch(`${url}/status`, { method: 'POST', body: 'x' })).status).toBe(405);
    const head = await fetch(`${url}/status`, { method: 'HEAD' });
    expect(await head.text()).toBe('');
  });

  it('survives what is not HTTP', async () => {
    const url = await agent();
    await new Promise<void>((resolve) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write('\u0000garbage\r\n\r\n'));
      socket.resume();
      socket.on('close', () => resolve());
    });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });
});

describe('listenOnFirst', () => {
  it('takes the next port where one is taken, and says when all are', async () => {
    const other = createServer();
    servers.push(other);
    const taken = (await listenOnFirst(other, [0])) ?? 0;
    const server = createServer();
    servers.push(server);
    expect(await listenOnFirst(server, [taken])).toBeUndefined();
    expect(await listenOnFirst(server, [taken, 0])).not.toBe(taken);
  });
});
