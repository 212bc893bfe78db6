import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../test/builders/manual-clock.ts';
import { readinessProbe } from '../contracts/agent-http.ts';
import { AgentServer, type Answers } from './http-server.ts';

const servers: { close(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

type Given = { ready?: boolean; live?: boolean };

const answersOf = (given: Given, firstReady: AbortSignal): Answers => ({
  status: () => '{"stage":"Registered"}',
  ready: () => given.ready ?? true,
  firstReady,
  modelIsLive: () => given.live ?? true,
  metrics: () => 'maas_agent_registered 1\n',
});

async function served(clock = new ManualClock()): Promise<{ server: AgentServer; url: string }> {
  const server = new AgentServer(clock);
  servers.push(server);
  return { server, url: `http://127.0.0.1:${await server.listen([0])}` };
}

async function agent(given: Given = {}): Promise<string> {
  const { server, url } = await served();
  server.answer(answersOf(given, AbortSignal.abort()));
  return url;
}

describe('what an agent answers', () => {
  it.each([
    ['/status', {}, 200, '{"stage":"Registered"}'],
    ['/status?verbose', {}, 200, '{"stage":"Registered"}'],
    ['/readyz', { ready: true }, 200, 'ready\n'],
    ['/readyz', { ready: false }, 503, 'not ready\n'],
    ['/readyz/held', { ready: true }, 200, 'ready\n'],
    ['/readyz/held', { ready: false }, 503, 'not ready\n'],
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

it('lets those wait who ask before there is anything to answer', async () => {
  const { server, url } = await served();
  const asked = fetch(`${url}/status`);
  server.answer(answersOf({}, AbortSignal.abort()));
  expect((await asked).status).toBe(200);
});

describe('a probe of an instance that was never ready', () => {
  const held = async () => {
    const clock = new ManualClock();
    const firstReady = new AbortController();
    const given = { ready: false };
    const { server, url } = await served(clock);
    server.answer(answersOf(given, firstReady.signal));
    const probe = () => fetch(`${url}/readyz/held`).then(({ status }) => status);
    const waiting = (count: number) => vi.waitFor(() => expect(clock.sleepers).toBe(count));
    const becomeReady = () => {
      given.ready = true;
      firstReady.abort();
    };
    return { clock, given, url, probe, waiting, becomeReady };
  };

  it('is answered when it becomes ready', async () => {
    const { probe, waiting, becomeReady } = await held();
    const answer = probe();
    await waiting(1);
    becomeReady();
    expect(await answer).toBe(200);
  });

  it('is answered before the kubelet gives up', async () => {
    const { clock, probe, waiting } = await held();
    const answer = probe();
    await waiting(1);
    await clock.advance(readinessProbe.timeoutSeconds * 1_000 - 500);
    expect(await answer).toBe(503);
  });

  it('is forgotten when nobody waits for it any more', async () => {
    const { url, waiting } = await held();
    const gone = new AbortController();
    const answer = fetch(`${url}/readyz/held`, { signal: gone.signal }).catch(() => undefined);
    await waiting(1);
    gone.abort();
    await answer;
    await waiting(0);
  });

  it('does not wait where many do already, nor keeps others waiting', async () => {
    const { url, probe, waiting, becomeReady } = await held();
    const answers = Array.from({ length: 8 }, probe);
    await waiting(8);
    expect(await probe()).toBe(503);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/readyz/held`, { method: 'HEAD' })).status).toBe(503);
    becomeReady();
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 8 }, () => 200));
  });

  it('is answered at once after that, whatever it is then', async () => {
    const { given, probe, becomeReady } = await held();
    becomeReady();
    given.ready = false;
    expect(await probe()).toBe(503);
  });
});

describe('where it listens', () => {
  it('is the next port where one is taken, and nowhere when all are', async () => {
    const { url } = await served();
    const taken = Number(new URL(url).port);
    const server = new AgentServer(new ManualClock());
    servers.push(server);
    expect(await server.listen([taken])).toBeUndefined();
    expect(await server.listen([taken, 0])).not.toBe(taken);
  });

  it('is where it listens already', async () => {
    const { server, url } = await served();
    expect(await server.listen([0])).toBe(Number(new URL(url).port));
  });
});
