/** How the clients in the field choose an endpoint and call it, against models that are made here. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aRegistration } from '../builders/registration.ts';
import { Chroot } from './chroot.ts';
import { applyModel, enqueue, Load } from './java.ts';

let chroot: Chroot;
beforeAll(async () => {
  chroot = await Chroot.make();
});
afterAll(async () => {
  await chroot[Symbol.asyncDispose]();
});

/** What the model was asked, and what it answers; by default 200 and `{}`. */
let asked: IncomingMessage[];
let answers: ((response: ServerResponse) => void)[];
let server: Server;
let base: string;

const json =
  (body: string, status = 200) =>
  (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };

beforeEach(async () => {
  asked = [];
  answers = [];
  server = createServer((request, response) => {
    asked.push(request);
    (answers.shift() ?? json('{}'))(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  base = `http://127.0.0.1:${portOf(server)}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

function portOf(any: Server | TcpServer): number {
  const address: AddressInfo | string | null = any.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
}

let children = 0;
/** A child of the chroot with these registrations. */
async function registered(...changes: readonly Parameters<typeof aRegistration>[0][]): Promise<string> {
  const child = `calls-${children++}`;
  for (const change of changes) await chroot.register(aRegistration(change), child);
  return chroot.connect(child);
}

test('an endpoint with an IPv6 address is called like any other', async () => {
  const ipv6 = createServer((request, response) => json(JSON.stringify({ asked: request.headers.host }))(response));
  await new Promise<void>((resolve) => {
    ipv6.listen(0, '::1', resolve);
  });
  try {
    const authority = `[::1]:${portOf(ipv6)}`;
    const connect = await registered({ url: `http://${authority}`, functions: { apply: 'apply' } });
    expect(await applyModel(connect, { model: 'dga', args: { host: 'yahoo.com' } })).toMatchObject({
      event: 'answer',
      answer: { asked: authority },
    });
  } finally {
    ipv6.closeAllConnections();
    ipv6.close();
  }
});

test.each([
  ['lines that end with a line feed alone', 'HTTP/1.1 200 OK\nContent-Length: 7\n\n{"a":1}'],
  ['the same length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 7\r\n\r\n{"a":1}'],
  ['no length, and the end of the connection', 'HTTP/1.0 200 OK\n\n{"a":1}'],
])('an answer that is written by hand is read: %s', async (_, answer) => {
  const byHand = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(answer));
  });
  await new Promise<void>((resolve) => {
    byHand.listen(0, '127.0.0.1', resolve);
  });
  try {
    const connect = await registered({ url: `http://127.0.0.1:${portOf(byHand)}`, functions: { apply: 'apply' } });
    expect(await applyModel(connect, { model: 'dga', args: { host: 'a' } })).toMatchObject({
      event: 'answer',
      answer: { a: 1 },
    });
  } finally {
    byHand.close();
  }
});

test('a call is a GET with form-encoded arguments', async () => {
  answers.push(json('{"is_malicious":"legit"}'));
  const connect = await registered({ url: `${base}/base`, functions: { apply: 'v1/apply' } });
  const args = { host: 'yahoo.com', text: 'a b&c=ä' };
  expect(await applyModel(connect, { model: 'dga', args })).toMatchObject({
    event: 'answer',
    endpoint: { url: `${base}/base`, name: 'dga', version: '1.0', 'endpoint:apply': 'v1/apply' },
    answer: { is_malicious: 'legit' },
  });
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({
    method: 'GET',
    url: '/base/v1/apply?host=yahoo.com&text=a+b%26c%3D%C3%A4',
    headers: { accept: 'application/json' },
  });
});

test('without arguments the question mark stays', async () => {
  await applyModel(await registered({ url: base }), { model: 'dga' });
  expect(asked[0]?.url).toBe('/apply?');
});

test.each([
  [{ apply: 'a', score: 's' }, 'score', '/a?'],
  [{ score: 's' }, 'score', '/s?'],
  [{ score: 's' }, undefined, '/apply?'],
  [{}, undefined, '/apply?'],
  [{}, 'score', '/score?'],
])('of the functions %j, %s calls %s', async (functions, name, url) => {
  const connect = await registered({ url: base, functions });
  await applyModel(connect, { model: 'dga', ...(name === undefined ? {} : { function: name }) });
  expect(asked[0]?.url).toBe(url);
});

test.each([
  ['9.0', '10.0'],
  ['1.9', '1.10'],
  ['v2', 'V3'],
  ['2', ''],
])('version %s is higher than %j', async (higher, lower) => {
  const connect = await registered(
    { id: 'a', version: lower, url: `${base}/lower` },
    { id: 'b', version: higher, url: `${base}/higher` },
  );
  await applyModel(connect, { model: 'dga' });
  await applyModel(connect, { model: 'dga', version: lower });
  expect(asked.map((request) => request.url)).toEqual(['/higher/apply?', '/lower/apply?']);
});

test('without an endpoint there is no answer', async () => {
  const connect = await registered({ url: base });
  expect(await applyModel(connect, { model: 'spam' })).toMatchObject({ event: 'answer', endpoint: null, answer: null });
  expect(asked).toEqual([]);
});

test('endpoints share the calls', async () => {
  const connect = await registered({ id: 'a', url: `${base}/a` }, { id: 'b', url: `${base}/b` });
  await using load = await Load.start(connect, { model: 'dga', threads: 2, count: 100 });
  const sum = await load.sum();
  expect(sum).toMatchObject({ answered: 100, failed: 0, unfinished: 0 });
  expect(Object.keys(sum.urls)).toEqual([`${base}/a`, `${base}/b`]);
});

describe('a thread of the client', () => {
  /** Two calls from one thread: what became of the first and of the second. */
  async function twoCalls(first: (response: ServerResponse) => void): Promise<string[]> {
    answers.push(first);
    const connect = await registered({ url: base });
    await using load = await Load.start(connect, { model: 'dga', threads: 1, count: 2 });
    const sum = await load.sum();
    const failed = load.failed.flatMap((line) => ('kind' in line ? [line.kind] : []));
    return [...failed, ...Array<string>(sum.answered).fill('answered')];
  }

  test.each([404, 500, 503])('is broken for good by a %i with a body', async (status) => {
    expect(await twoCalls(json('{"error":"no"}', status))).toEqual(['status', 'broken-thread']);
  });

  test('bears with a 204', async () => {
    expect(await twoCalls((response) => response.writeHead(204).end())).toEqual(['status', 'answered']);
  });

  test('bears with a 304', async () => {
    expect(await twoCalls((response) => response.writeHead(304).end())).toEqual(['status', 'answered']);
  });

  test('follows a redirect', async () => {
    const redirect = (response: ServerResponse) => response.writeHead(302, { location: '/elsewhere' }).end();
    expect(await twoCalls(redirect)).toEqual(['answered', 'answered']);
    expect(asked.map((request) => request.url)).toEqual(['/apply?', '/elsewhere', '/apply?']);
  });

  test.each(['', 'not JSON', '[]', '"text"', 'null'])('bears with a 200 that is %j', async (body) => {
    expect(await twoCalls(json(body))).toEqual(['answer', 'answered']);
  });

  test('asks again on a dropped connection', async () => {
    answers.push(json('{}'), (response) => response.destroy());
    const connect = await registered({ url: base });
    await using load = await Load.start(connect, { model: 'dga', threads: 1, count: 2 });
    expect(await load.sum()).toMatchObject({ answered: 2, failed: 0 });
    expect(asked).toHaveLength(3);
  });

  test('bears with a refused connection', async () => {
    const idle = createServer();
    await new Promise<void>((resolve) => {
      idle.listen(0, '127.0.0.1', resolve);
    });
    const port = portOf(idle);
    await new Promise((resolve) => {
      idle.close(resolve);
    });
    const connect = await registered({ url: `http://127.0.0.1:${port}` });
    await using load = await Load.start(connect, { model: 'dga', threads: 1, count: 3 });
    expect(await load.sum()).toMatchObject({ answered: 0, failed: 3, kinds: { refused: 3 } });
  });

  test('waits without end for a model that is silent', async () => {
    answers.push(() => undefined);
    const connect = await registered({ url: base });
    // Long enough for the call to have begun, also on a busy machine.
    await using load = await Load.start(connect, { model: 'dga', threads: 1, forMs: 3_000 });
    expect(await load.sum()).toMatchObject({ answered: 0, failed: 0, unfinished: 1 });
  });
});

test.each([
  [
    { mode: 'ADD', name: 'dga', version: '1.0', instances: 2, memory: 512, path: '/user/root/models' },
    '{"name":"dga","version":"1.0","numInstances":2,"memory":512,"action":"ADD","path":"/user/root/models"}',
  ],
  [
    { mode: 'REMOVE', name: 'модель', version: '1.0' },
    '{"name":"модель","version":"1.0","numInstances":1,"memory":0,"action":"REMOVE","path":null}',
  ],
  [{ mode: 'LIST' }, 'null'],
])('the old client leaves %j in the queue as %s', async (request, data) => {
  const child = `queue-${children++}`;
  await chroot.nodes.create(`${chroot.path}/${child}`);
  expect(await enqueue(chroot.connect(child), request)).toBe(data);
  const queue = `${chroot.path}/${child}/maas/queue`;
  expect(await chroot.nodes.children(queue)).toEqual(['qn-0000000000']);
  expect(await chroot.nodes.get(`${queue}/qn-0000000000`)).toEqual({ data: Buffer.from(data), owner: '0' });
});
