/** A real shield before a real server, over loopback: what is on the wire, and what was counted. */
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Answering, listening, type Shielded, shielded, Wire } from '../../../test/builders/shielded-model.ts';
import { ShieldServer } from './shield-server.ts';
import { heldBytes } from './upstream.ts';

const until = (check: () => unknown) => vi.waitFor(check, { timeout: 10_000, interval: 5 });

const json =
  (body: string, status = 200, headers: Record<string, string> = {}): Answering =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});
async function standing(...given: Parameters<typeof shielded>): Promise<Shielded> {
  const made = await shielded(...given);
  open.push(made);
  return made;
}
function wire(port: number): Wire {
  const made = new Wire(port);
  open.push({ [Symbol.asyncDispose]: async () => void made.socket.destroy() });
  return made;
}

/** What fetch makes of it: of another method than GET, say. */
async function ask(
  { port }: Shielded,
  options: { method?: string; path?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
  return await new Promise((resolve, reject) => {
    const { body, ...rest } = options;
    const call = request({ host: '127.0.0.1', port, path: '/apply?host=a', agent: false, ...rest }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}

const results = ({ shield }: Shielded): Record<string, number> => {
  const found = [...shield.metrics().matchAll(/^maas_model_requests_total\{.*result="(\w+)"\} (\d+)$/gm)];
  return Object.fromEntries(found.filter(([, , count]) => count !== '0').map(([, name = '', n]) => [name, Number(n)]));
};

describe('an answer of the model', () => {
  it('of 200 is passed on as it is, over connections that are kept on both sides', async () => {
    const sockets = new Set<unknown>();
    const world = await standing((asked, response) => {
      sockets.add(asked.socket);
      json('{"is_malicious":"legit"}', 200, { 'x-own': '1', connection: 'keep-alive' })(asked, response);
    });
    const client = wire(world.port).get('/apply?host=a+b%26c');
    await until(() => expect(client.read).toContain('legit"}'));
    expect(client.read).toMatch(/^HTTP\/1.1 200 OK\r\ncontent-type: application\/json\r\nx-own: 1\r\n/);
    client.get('/apply?host=again');
    await until(() => expect(client.read.match(/legit/g)).toHaveLength(2));
    expect(client.ended).toBe(false);
    expect(sockets.size).toBe(1);
    expect(world.asked[0]).toMatchObject({
      ...{ method: 'GET', url: '/apply?host=a+b%26c' },
      headers: { host: 'models.example:8098', accept: 'application/json', 'x-forwarded-for': '127.0.0.1' },
    });
    expect(results(world)).toEqual({ answered: 2 });
  });

  it.each([201, 301, 400, 404, 418, 500, 503])(
    'of %i with a body becomes 204, and the next call is served',
    async (status) => {
      const answers = [json('{"error":"the model is \u001b[31msad"}', status), json('{}')];
      const world = await standing((...given) => answers.shift()?.(...given));
      const client = wire(world.port).get('/apply?');
      await until(() => expect(client.read).toMatch(/^HTTP\/1.1 204 No Content\r\n[^{]*\r\n\r\n$/));
      expect(client.read).toContain(`X-MaaS-Error: the model answered ${status}`);
      client.get('/apply?');
      await until(() => expect(client.read).toMatch(/200 OK[\s\S]*\{\}$/));
      expect(results(world)).toEqual({ status: 1, answered: 1 });
      expect(world.shield.metrics()).toContain(`code="${status}"} 1`);
      expect(world.shield.status().lastError).toMatchObject({ result: 'status' });
      expect(world.shield.status().lastError?.message).toContain('the model is \\u001b[31msad');
    },
  );

  it.each([204, 304])('of %i stays what it is', async (status) => {
    const world = await standing((_, response) => void response.writeHead(status, { etag: '"1"' }).end());
    const client = wire(world.port).get('/apply?');
    await until(() => expect(client.read).toMatch(new RegExp(`^HTTP/1.1 ${status} .*etag: "1".*\r\n\r\n$`, 's')));
    expect(results(world)).toEqual({ answered: 1 });
  });

  it('that redirects to itself is passed on without its body', async () => {
    const world = await standing((asked, response) =>
      json('moved', 308, { location: `http://127.0.0.1:${world.modelPort}/there?x=1` })(asked, response),
    );
    const client = wire(world.port).get('/apply?');
    await until(() => expect(client.read).toMatch(/^HTTP\/1.1 307 [\s\S]*\r\n\r\n$/));
    expect(client.read).toContain('Location: /there?x=1\r\nContent-Length: 0\r\n');
  });

  it('flows while it comes, if it is large, and arrives whole', async () => {
    let more = () => {};
    const large = Buffer.alloc(3 * heldBytes, 'a');
    const world = await standing((_, response) => {
      response.writeHead(200, { 'content-length': String(large.length + 3) });
      response.write(large);
      more = () => response.end('end');
    });
    const answer = ask(world);
    const client = wire(world.port).get('/apply?');
    await until(() => expect(client.read.length).toBeGreaterThan(large.length));
    more();
    await until(() => expect(client.read.endsWith('aend')).toBe(true));
    expect(world.shield.status()).toMatchObject({ inFlight: 1 });
    world.model.closeAllConnections();
    await expect(answer).rejects.toThrow();
    await until(() => expect(results(world)).toEqual({ answered: 1, closed: 1 }));
    expect(world.shield.status()).toMatchObject({ inFlight: 0 });
  });

  it('to a HEAD has no body', async () => {
    const world = await standing(json('{"a":1}', 200, { 'content-length': '7' }));
    expect(await ask(world, { method: 'HEAD' })).toMatchObject({
      ...{ status: 200, body: '', headers: { 'content-length': '7' } },
    });
  });
});

describe('a model', () => {
  it('that closes before its answer, or within it, is answered in its place', async () => {
    const breaking: Answering[] = [
      (asked) => asked.socket.destroy(),
      (asked) => asked.socket.destroy(),
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"cut', () => response.destroy());
      },
    ];
    const world = await standing((...given) => (breaking.shift() ?? json('{}'))(...given));
    const client = wire(world.port);
    for (const count of [1, 2]) {
      client.get('/apply?');
      await until(() => expect(client.read.match(/^HTTP\/1.1 204 /gm)).toHaveLength(count));
    }
    client.get('/apply?');
    await until(() => expect(client.read).toContain('200 OK'));
    expect(results(world)).toEqual({ closed: 2, answered: 1 });
  });

  it('that closes without an answer is asked once more, as the client would', async () => {
    let calls = 0;
    const world = await standing((asked, response) => {
      calls += 1;
      if (calls === 2) asked.socket.destroy();
      else json('{}')(asked, response);
    });
    const client = wire(world.port).get('/apply?');
    await until(() => expect(client.read).toContain('200 OK'));
    client.get('/apply?');
    await until(() => expect(client.read.match(/200 OK/g)).toHaveLength(2));
    expect(calls).toBe(3);
  });

  it('that does not answer is given up at the time limit, and its connection with it', async () => {
    const world = await standing(() => undefined, { timeLimitMs: 700 });
    const client = wire(world.port).get('/apply?');
    await until(() => expect(world.asked).toHaveLength(1));
    world.timer.pass(600);
    expect(world.shield.status()).toMatchObject({ inFlight: 1 });
    world.timer.pass(700);
    await until(() =>
      expect(client.read).toMatch(/^HTTP\/1.1 204 [\s\S]*X-MaaS-Error: no whole answer within 700 ms\r\n/),
    );
    await until(() => expect(world.asked[0]?.socket.destroyed).toBe(true));
    expect(results(world)).toEqual({ timeout: 1 });
    expect(world.timer.waits).toEqual([]);
  });

  it('that stops within a large answer is given up at the time limit, too', async () => {
    const world = await standing((_, response) => void response.writeHead(200).write(Buffer.alloc(2 * heldBytes, 'a')));
    const client = wire(world.port).get('/apply?');
    await until(() => expect(client.read.length).toBeGreaterThan(heldBytes));
    world.timer.pass(60_000);
    await until(() => expect(client.ended).toBe(true));
    expect(results(world)).toEqual({ timeout: 1 });
  });

  it('at whose port nobody listens is told so', async () => {
    const world = await standing(json('{}'));
    const idle = createServer();
    idle.listen(0, '127.0.0.1');
    await until(() => expect(idle.listening).toBe(true));
    const address = idle.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await new Promise((resolve) => idle.close(resolve));
    world.follow({ endpoint: { scheme: 'http', port, path: '', functions: {}, otherHost: undefined } });
    expect(await ask(world)).toMatchObject({ status: 204 });
    world.follow({ endpoint: undefined });
    expect(await ask(world)).toMatchObject({ status: 204 });
    expect(results(world)).toEqual({ refused: 1, unavailable: 1 });
  });

  it('that does not speak HTTP is told so', async () => {
    const world = await standing((asked) => void asked.socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    expect(await ask(world)).toMatchObject({ status: 204 });
    expect(results(world)).toEqual({ closed: 1 });
  });

  it('that wants to speak something else than HTTP from now on is not waited for', async () => {
    const world = await standing(
      (asked) =>
        void asked.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    );
    const client = wire(world.port).get('/apply?');
    await until(() => expect(client.read).toContain('X-MaaS-Error: the model answered 101'));
    expect(results(world)).toEqual({ status: 1 });
  });

  it.each([
    ['what is to come later before it', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n'],
    ['a head of 40 KB', `HTTP/1.1 200 OK\r\nX-Large: ${'a'.repeat(40_000)}\r\n`],
  ])('that answers with %s is passed on', async (_name, head) => {
    const world = await standing((asked) => void asked.socket.write(`${head}Content-Length: 2\r\n\r\n{}`));
    const client = wire(world.port).get('/apply?');
    await until(() => expect(client.read).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*\{\}$/));
  });

  it('whose answer is followed by another one that nobody asked for is asked over a new connection', async () => {
    const world = await standing((asked, response) => {
      if (asked.url !== '/odd') json('"asked"')(asked, response);
      else
        asked.socket.write(
          'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad',
        );
    });
    const client = wire(world.port).get('/odd');
    await until(() => expect(client.read).toContain('{}'));
    client.get('/next');
    await until(() => expect(client.read).toContain('"asked"'));
    expect(client.read).not.toContain('bad');
  });

  it('that is started anew ends what is in flight and what waits, and is asked from then on', async () => {
    let hang = true;
    const world = await standing((...given) => hang || json('{}')(...given), { maxInFlight: 1 });
    const clients = [1, 2].map(() => wire(world.port).get('/apply?'));
    await until(() => expect(world.shield.status()).toMatchObject({ inFlight: 1, queued: 1 }));
    hang = false;
    world.follow({ mark: 'second' });
    for (const client of clients) await until(() => expect(client.read).toContain('204 No Content'));
    expect(results(world)).toEqual({ restarted: 2 });
    expect(world.shield.status()).toMatchObject({ inFlight: 0, queued: 0 });
    expect(await ask(world)).toMatchObject({ status: 200 });
  });
});

describe('the bound on calls in flight', () => {
  it('lets some wait, in their order, and sends the rest away', async () => {
    const answers: ServerResponse[] = [];
    const world = await standing((_, response) => void answers.push(response), { maxInFlight: 1, maxQueued: 2 });
    const clients: Wire[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      clients.push(wire(world.port).get(`/${name}`));
      const { length } = clients;
      await until(() =>
        expect(world.shield.status().queued + world.shield.status().inFlight).toBe(Math.min(length, 3)),
      );
    }
    await until(() => expect(clients[3]?.read).toContain('204 No Content'));
    for (const [at, path] of ['/a', '/b', '/c'].entries()) {
      await until(() => expect(answers).toHaveLength(at + 1));
      expect(world.asked[at]?.url).toBe(path);
      answers[at]?.end(path);
      await until(() => expect(clients[at]?.read).toContain('200 OK'));
    }
    expect(results(world)).toEqual({ answered: 3, rejected: 1 });
  });

  it('lets nobody wait longer than the queue time', async () => {
    const world = await standing(() => undefined, { maxInFlight: 1, queueTimeMs: 300 });
    wire(world.port).get('/a');
    await until(() => expect(world.asked).toHaveLength(1));
    const second = wire(world.port).get('/b');
    await until(() => expect(world.shield.status()).toMatchObject({ queued: 1 }));
    world.timer.pass(300);
    await until(() => expect(second.read).toContain('X-MaaS-Error: no place within 300 ms'));
    expect(world.shield.status()).toMatchObject({ inFlight: 1, queued: 0 });
  });

  it('gives the place of a client that leaves to the next, and breaks its call off', async () => {
    const world = await standing((asked, response) => asked.url === '/a' || json('{}')(asked, response), {
      ...{ maxInFlight: 1 },
    });
    const [first, second, third] = [wire(world.port).get('/a'), wire(world.port), wire(world.port)];
    await until(() => expect(world.asked).toHaveLength(1));
    second.get('/b');
    await until(() => expect(world.shield.status()).toMatchObject({ queued: 1 }));
    third.get('/c');
    await until(() => expect(world.shield.status()).toMatchObject({ queued: 2 }));
    second.socket.destroy();
    await until(() => expect(world.shield.status()).toMatchObject({ queued: 1 }));
    first.socket.destroy();
    await until(() => expect(third.read).toContain('200 OK'));
    await until(() => expect(world.asked[0]?.socket.destroyed).toBe(true));
    expect(world.asked.map(({ url }) => url)).toEqual(['/a', '/c']);
    expect(results(world)).toEqual({ gone: 2, answered: 1 });
  });
});

describe('with onError: Close', () => {
  it('a client gets a closed connection, but for a time-out, after which it would only ask again', async () => {
    const world = await standing((asked, response) => asked.url === '/hang' || json('no', 500)(asked, response), {
      onError: 'Close',
    });
    const failing = wire(world.port).get('/apply?');
    await until(() => expect(failing.ended).toBe(true));
    expect(failing.read).toBe('');
    const hanging = wire(world.port).get('/hang');
    await until(() => expect(world.asked).toHaveLength(2));
    world.timer.pass(60_000);
    await until(() => expect(hanging.read).toContain('204 No Content'));
  });
});

describe('what Stellar never sends', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    '%s reaches the model with its body, and gets its own answer',
    async (method) => {
      const bodies: string[] = [];
      const world = await standing((asked, response) => {
        asked.setEncoding('utf8').on('data', (text) => bodies.push(text));
        asked.on('end', () => json('{"error":"no"}', 422)(asked, response));
      });
      expect(await ask(world, { method, body: 'x=1', headers: { 'content-length': '3' } })).toMatchObject({
        ...{ status: 422, body: '{"error":"no"}' },
      });
      expect(bodies).toEqual(['x=1']);
      world.follow({ endpoint: undefined });
      expect(await ask(world, { method })).toMatchObject({
        status: 503,
        headers: { 'x-maas-error': expect.anything() },
      });
    },
  );

  it('a GET with a body in chunks is still one request', async () => {
    const bodies: string[] = [];
    const world = await standing((asked, response) => {
      asked.setEncoding('utf8').on('data', (text) => bodies.push(text));
      asked.on('end', () => json('{}')(asked, response));
    });
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    const client = wire(world.port);
    client.socket.write(
      `GET /apply HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    );
    await until(() => expect(client.read).toContain('200 OK'));
    expect(bodies.join('')).toBe(smuggled);
    expect(world.asked.map(({ url }) => url)).toEqual(['/apply']);
  });

  it('a client that expects to be told to go on is told so, and other expectations are none', async () => {
    const world = await standing((asked, response) => {
      asked.resume();
      asked.on('end', () => json(JSON.stringify(asked.headers))(asked, response));
    });
    const client = wire(world.port);
    client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n');
    await until(() => expect(client.read).toBe('HTTP/1.1 100 Continue\r\n\r\n'));
    client.socket.write('x');
    await until(() => expect(client.read).toContain('200 OK'));
    expect(client.read).not.toContain('"expect"');
    const other = wire(world.port);
    other.socket.write('GET / HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n\r\n');
    await until(() => expect(other.read).toContain('200 OK'));
  });

  it('an upgrade is a request like any other, and a CONNECT is refused', async () => {
    const world = await standing((asked, response) => json(JSON.stringify(asked.headers))(asked, response));
    const client = wire(world.port).get('/apply?', 'Upgrade: websocket');
    await until(() => expect(client.read).toContain('200 OK'));
    expect(client.read).not.toContain('websocket');
    const tunnel = wire(world.port);
    tunnel.socket.write('CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n');
    await until(() => expect(tunnel.ended).toBe(true));
    expect(tunnel.read).toBe('');
  });

  it('requests that come at once are answered in their order, within the bounds', async () => {
    const world = await standing((asked, response) => json(`"${asked.url}"`)(asked, response), {
      maxInFlight: 2,
      maxQueued: 9,
    });
    const client = wire(world.port);
    for (const name of ['a', 'b', 'c', 'd']) client.get(`/${name}`);
    await until(() => expect(client.read.match(/"\/.*?"/g)).toEqual(['"/a"', '"/b"', '"/c"', '"/d"']));
  });

  it('a head that is too large gets a 204, and what is no HTTP a closed connection', async () => {
    const world = await standing(json('{}'));
    const large = wire(world.port).get(`/apply?text=${'a'.repeat(70_000)}`);
    await until(() => expect(large.ended).toBe(true));
    expect(large.read).toMatch(/^HTTP\/1.1 204 No Content\r\n[\s\S]*Connection: close\r\n\r\n$/);
    const garbage = wire(world.port);
    garbage.socket.write('garbage\r\n\r\n');
    await until(() => expect(garbage.ended).toBe(true));
    expect(garbage.read).toBe('');
    expect(world.asked).toEqual([]);
  });

  it('a request without a Host, or with a whole URL, is one of HTTP, too', async () => {
    const world = await standing(json('{}'));
    const bare = wire(world.port);
    bare.socket.write('GET /bare HTTP/1.0\r\n\r\n');
    await until(() => expect(bare.read).toContain('200 OK'));
    const whole = wire(world.port);
    whole.socket.write('GET http://models.example:8098/whole?a=1 HTTP/1.1\r\nHost: models.example:8098\r\n\r\n');
    await until(() => expect(whole.read).toContain('200 OK'));
    expect(world.asked.map(({ url }) => url)).toEqual(['/bare', '/whole?a=1']);
  });

  it('headers about one connection go no further', async () => {
    const world = await standing(
      (_, response) =>
        void response.writeHead(200, { 'keep-alive': 'timeout=1', connection: 'x-mine', 'x-mine': '1' }).end('{}'),
    );
    const client = wire(world.port);
    client.socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nTE: trailers\r\n\r\n');
    await until(() => expect(client.ended).toBe(true));
    expect(Object.keys(world.asked[0]?.headers ?? {})).not.toEqual(expect.arrayContaining(['x-hop']));
    expect(client.read).not.toMatch(/x-mine|timeout=1/i);
  });

  it('an answer that Node reads and does not write ends the connection, and nothing else', async () => {
    const world = await standing((asked) => void asked.socket.end('HTTP/1.1 042 Odd\r\nContent-Length: 0\r\n\r\n'));
    await expect(ask(world, { method: 'POST' })).rejects.toThrow();
    expect(await ask(world)).toMatchObject({ status: 204 });
    expect(results(world)).toEqual({ closed: 1, status: 1 });
  });

  it('a body that does not come to its end is a client that left', async () => {
    const world = await standing((asked) => void asked.resume());
    const client = wire(world.port);
    client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx');
    await until(() => expect(world.asked).toHaveLength(1));
    client.socket.destroy();
    await until(() => expect(world.asked[0]?.socket.destroyed).toBe(true));
    await until(() => expect(results(world)).toEqual({ gone: 1 }));
  });

  it('a head that comes too slowly is not waited for, and nothing is said about it', async () => {
    const server = new ShieldServer(() => undefined, 1_000, 100);
    const slow = wire((await server.listen([0])) ?? 0);
    slow.socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
    await until(() => expect(slow.ended).toBe(true));
    expect(slow.read).toBe('');
    await server.close();
  });
});

describe('a shield that is left', () => {
  it('closes idle connections, and the others with the end of what they are at', async () => {
    const answers: ServerResponse[] = [];
    const world = await standing((_, response) => void answers.push(response));
    const idle = wire(world.port).get('/a');
    await until(() => expect(answers).toHaveLength(1));
    answers[0]?.end('{}');
    await until(() => expect(idle.read).toContain('200 OK'));
    const busy = wire(world.port).get('/b');
    await until(() => expect(answers).toHaveLength(2));
    world.follow({ leaving: true });
    await until(() => expect(idle.ended).toBe(true));
    answers[1]?.end('{}');
    await until(() => expect(busy.ended).toBe(true));
    expect(busy.read).toMatch(/200 OK[\s\S]*Connection: close[\s\S]*\{\}$/);
    // New ones are served until it is closed.
    const late = wire(world.port).get('/c');
    await until(() => expect(answers).toHaveLength(3));
    answers[2]?.end('{}');
    await until(() => expect(late.read).toContain('200 OK'));
  });

  it('lets what is in flight end when it is closed, and takes nothing new', async () => {
    const answers: ServerResponse[] = [];
    const world = await standing((_, response) => void answers.push(response));
    const busy = wire(world.port).get('/a');
    await until(() => expect(answers).toHaveLength(1));
    const closed = world.shield.close();
    const late = wire(world.port).get('/b');
    await until(() => expect(late.ended).toBe(true));
    answers[0]?.end('{}');
    await until(() => expect(busy.read).toContain('200 OK'));
    await closed;
    expect(world.asked).toHaveLength(1);
  });
});

describe('the cache', () => {
  const cache = { bytes: 1_000_000, timeToLiveMs: 60_000 };

  it('answers the same query again, and asks for another', async () => {
    const world = await standing((asked, response) => json(`"${asked.url}"`)(asked, response), { cache });
    const client = wire(world.port);
    for (const path of ['/a?x=1', '/a?x=1', '/a?x=2']) {
      const count = client.read.split('200 OK').length;
      client.get(path);
      await until(() => expect(client.read.split('200 OK')).toHaveLength(count + 1));
    }
    expect(world.asked.map(({ url }) => url)).toEqual(['/a?x=1', '/a?x=2']);
    expect(client.read.match(/"\/.*?"/g)).toEqual(['"/a?x=1"', '"/a?x=1"', '"/a?x=2"']);
    expect(results(world)).toEqual({ answered: 2, cached: 1 });
    // The model sent them in chunks over a connection that it described.
    const heads = client.read.split(/"\/.*?"/).map((head) => head.replace(/^Date: .*\r\n/im, ''));
    expect(new Set(heads.slice(0, 3)).size).toBe(1);
    expect(heads[0]).toMatch(/^HTTP\/1.1 200 OK\r\ncontent-type: application\/json\r\nContent-Length: 8\r\n/);
    expect(world.shield.status()).toMatchObject({ cache: { entries: 2, served: 1 } });
  });

  it('asks once for what many ask at the same time, also when the first of them leaves', async () => {
    const answers: ServerResponse[] = [];
    const world = await standing((_, response) => void answers.push(response), { cache, maxInFlight: 1, maxQueued: 0 });
    const clients = Array.from({ length: 5 }, () => wire(world.port).get('/a'));
    await until(() => expect(world.shield.metrics()).toMatch(/maas_model_connections\{.*\} 5\n/));
    await until(() => expect(answers).toHaveLength(1));
    const after = wire(world.port).get('/a');
    await until(() => expect(world.shield.metrics()).toMatch(/maas_model_connections\{.*\} 6\n/));
    clients[0]?.socket.destroy();
    await until(() => expect(results(world)).toEqual({ gone: 1 }));
    answers[0]?.end('{"one":1}');
    for (const client of [...clients.slice(1), after]) await until(() => expect(client.read).toContain('{"one":1}'));
    expect(world.asked).toHaveLength(1);
  });

  it('keeps no failure and nothing private, and then everybody gets an answer of his own', async () => {
    const answers: ServerResponse[] = [];
    const world = await standing((_, response) => void answers.push(response), { cache });
    const clients = [1, 2].map(() => wire(world.port).get('/a'));
    await until(() => expect(answers).toHaveLength(1));
    await until(() => expect(world.shield.metrics()).toMatch(/maas_model_connections\{.*\} 2\n/));
    await new Promise((resolve) => setImmediate(resolve));
    answers[0]?.writeHead(200, { 'set-cookie': 'who=first' }).end('first');
    await until(() => expect(answers).toHaveLength(2));
    answers[1]?.writeHead(500).end('no');
    const read = () => clients.map((client) => client.read).sort();
    await until(() => expect(read()).toEqual([expect.stringContaining('first'), expect.stringContaining('204 No')]));
    expect(world.shield.status()).toMatchObject({ cache: { entries: 0, bytes: 0 } });
  });

  it('is empty after the model was started anew, and an answer of the one before stays out', async () => {
    const answers: ServerResponse[] = [];
    const world = await standing((_, response) => void answers.push(response), { cache });
    const client = wire(world.port).get('/a');
    await until(() => expect(answers).toHaveLength(1));
    answers[0]?.end('"old"');
    await until(() => expect(world.shield.status()).toMatchObject({ cache: { entries: 1 } }));
    wire(world.port).get('/b');
    await until(() => expect(answers).toHaveLength(2));
    world.follow({ mark: 'second' });
    answers[1]?.end('"old"');
    expect(world.shield.status()).toMatchObject({ cache: { entries: 0, bytes: 0 } });
    client.get('/a');
    await until(() => expect(answers).toHaveLength(3));
    answers[2]?.end('"new"');
    await until(() => expect(client.read).toContain('"new"'));
    expect(world.shield.status()).toMatchObject({ cache: { entries: 1 } });
  });
});

describe('the mirror', () => {
  const mirrored = (percent: number) => ({ mirror: { version: '2.0', percent } });

  it('copies a share of the calls, compares the answers, and holds nobody up', async () => {
    const seen: IncomingMessage[] = [];
    let held: ServerResponse | undefined;
    const { createServer: createHttpServer } = await import('node:http');
    const other = createHttpServer((asked, response) => {
      seen.push(asked);
      if (asked.url?.includes('slow')) held = response;
      else json(asked.url?.includes('x=1') ? '{ "a": 1, "b": 2 }' : '{"a":3}')(asked, response);
    });
    const port = await listening(other);
    open.push({
      [Symbol.asyncDispose]: async () => {
        other.closeAllConnections();
        other.close();
      },
    });
    const target = { url: `http://127.0.0.1:${port}/base/`, functions: { apply: 'v2/apply' } };
    const world = await standing(json('{"b":2,"a":1}'), mirrored(50), { targets: () => [target], random: () => 0.4 });
    const client = wire(world.port);
    for (const [at, query] of ['x=1', 'x=2', 'slow'].entries()) {
      client.get(`/apply?${query}`);
      await until(() => expect(client.read.match(/200 OK/g)).toHaveLength(at + 1));
      await until(() => expect(seen).toHaveLength(at + 1));
    }
    await until(() => expect(world.shield.status().mirror).toMatchObject({ targets: 1, same: 1, different: 1 }));
    expect(world.shield.status().mirror?.lastDifference).toContain('x=2');
    expect(seen.map(({ url }) => url)).toEqual(['/base/v2/apply?x=1', '/base/v2/apply?x=2', '/base/v2/apply?slow']);
    expect(held).toBeDefined();
    world.timer.pass(60_000);
    await until(() => expect(world.shield.status().mirror).toMatchObject({ failed: 1 }));
    expect(results(world)).toEqual({ answered: 3 });
    expect(world.shield.metrics()).toContain('maas_model_mirrored_total{model="dga",version="1.0",result="same"} 1\n');
  });

  it('counts a copy of a call whose client left as one that was not compared', async () => {
    const world = await standing(
      (asked, response) => asked.url === '/apply?hang' || json('{}')(asked, response),
      {
        ...mirrored(100),
      },
      { targets: () => [{ url: `http://127.0.0.1:${world.modelPort}`, functions: { apply: 'other' } }] },
    );
    const client = wire(world.port).get('/apply?hang');
    await until(() => expect(world.asked.map(({ url }) => url).sort()).toEqual(['/apply?hang', '/other?hang']));
    client.socket.destroy();
    await until(() =>
      expect(world.shield.status().mirror).toMatchObject({ same: 0, different: 0, failed: 0, skipped: 1 }),
    );
    expect(results(world)).toEqual({ gone: 1 });
  });

  it('copies no copy, nothing with a body, and nothing without an instance to copy to', async () => {
    const world = await standing(json('{}'), mirrored(100));
    const { status } = await ask(world, { path: '/apply' });
    expect([status, world.shield.status().mirror]).toMatchObject([200, { targets: 0, skipped: 1 }]);
    await ask(world, { path: '/apply', headers: { 'x-maas-mirror': '1' } });
    await ask(world, { path: '/apply', method: 'POST', body: 'x' });
    expect(world.shield.status().mirror).toMatchObject({ skipped: 1 });
  });
});

it('tells of errors of a kind once, and how many were like it later', async () => {
  const world = await standing(json('no', 500));
  for (let at = 0; at < 3; at++) await ask(world);
  await until(() => expect(results(world)).toEqual({ status: 3 }));
  expect(world.log.warnings).toEqual(['a call to the model failed']);
});
