import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bodyBytes, bodyStart, bodyText, discardBody } from './body.ts';
import { CallTime } from './call-time.ts';
import { exchange, type HttpAnswer, type HttpRequest } from './exchange.ts';
import { HttpFailure } from './failure.ts';
import { DirectConnections } from './route.ts';

async function listening(server: Server): Promise<URL> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

const serve = (answer: RequestListener): Promise<URL> => listening(createServer(answer));

/** A server that answers the first request on each connection, and hangs up at the second. */
async function forgetful(): Promise<{ url: URL; seen: string[] }> {
  const seen: string[] = [];
  const url = await listening(
    createTcpServer((socket) => {
      let answered = false;
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        seen.push(chunk.toString().split(' ', 1)[0] ?? '');
        if (answered) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        answered = true;
      });
    }),
  );
  return { url, seen };
}

type Given = Partial<Omit<HttpRequest, 'route' | 'path'>>;

const ask = (url: URL, given: Given = {}, connections = new DirectConnections()): Promise<HttpAnswer> =>
  exchange({ method: 'GET', ...connections.to(url), ...given });

const failure = async (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'no failure',
    (error) => error,
  );

const bytes = (...chunks: string[]) =>
  (async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk);
  })();

describe('an exchange', () => {
  it('gives every status as it is, and follows no redirect', async () => {
    const paths: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    const answer = await ask(new URL('/a?b=c%20d', url));
    expect([answer.status, answer.headers.location, answer.peer]).toEqual([307, '/elsewhere', '127.0.0.1']);
    expect(paths).toEqual(['/a?b=c%20d']);
  });

  it('goes over the connection of the one before, and over another where that was closed just then', async () => {
    const { url, seen } = await forgetful();
    const connections = new DirectConnections();
    for (let i = 0; i < 3; i++) {
      const answer = await ask(url, {}, connections);
      expect(await bodyText(answer, 10)).toBe('ok');
      // The connection is free again a moment after its answer was read.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen).toEqual(['GET', 'GET', 'GET', 'GET', 'GET']);
  });

  it('is not repeated with a body, which the server may have acted on', async () => {
    const { url, seen } = await forgetful();
    const connections = new DirectConnections();
    await discardBody(await ask(url, {}, connections));
    await new Promise((resolve) => setImmediate(resolve));
    const error = await failure(ask(url, { method: 'POST', content: Buffer.from('{}') }, connections));
    expect(error).toMatchObject({ name: 'HttpFailure', reset: true, reached: true });
    expect(seen.filter((method) => method === 'POST')).toHaveLength(1);
  });

  it('says whether the server can have seen it', async () => {
    const url = await serve(() => {});
    const late = await failure(ask(url, { deadlines: { firstByteMs: 50 } }));
    expect(late).toMatchObject({ message: 'no answer within 0.05 s', reached: true, reset: false });
    const nobody = await failure(ask(new URL('http://127.0.0.1:1/')));
    expect(nobody).toMatchObject({ name: 'HttpFailure', reached: false, cause: { code: 'ECONNREFUSED' } });
  });

  it('says what to do where the route knows', async () => {
    const { route, path } = new DirectConnections().to(new URL('http://127.0.0.1:1/'));
    const advice = (error: unknown) => (error instanceof Error && 'code' in error ? `about ${error.code}` : undefined);
    const error = await failure(exchange({ method: 'GET', route: { ...route, advice }, path }));
    expect(error).toMatchObject({ next: 'about ECONNREFUSED' });
  });

  it('ends with the reason of its signal, before it began too', async () => {
    const url = await serve(() => {});
    const stop = new AbortController();
    const asked = failure(ask(url, { signal: stop.signal }));
    const reason = new Error('not wanted any more');
    stop.abort(reason);
    expect(await asked).toBe(reason);
    expect(await failure(ask(url, { signal: stop.signal }))).toBe(reason);
  });

  it('sends an upload as it comes, and the length that was announced', async () => {
    const url = await serve(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      response.writeHead(201).end(`${request.headers['content-length']} ${Buffer.concat(chunks)}`);
    });
    const answer = await ask(url, { method: 'PUT', upload: { bytes: bytes('ab', '', 'cde'), length: 5 } });
    expect([answer.status, await bodyText(answer, 100)]).toEqual([201, '5 abcde']);
    const short = failure(ask(url, { method: 'PUT', upload: { bytes: bytes('ab'), length: 5 } }));
    expect(await short).toMatchObject({ message: 'The source gave 2 of 5 bytes' });
    const long = failure(ask(url, { method: 'PUT', upload: { bytes: bytes('ab', 'cdef'), length: 5 } }));
    expect(await long).toMatchObject({ message: 'The source gave more than 5 bytes' });
  });
});

describe('a body', () => {
  it('is text up to a limit, or its beginning', async () => {
    const url = await serve((_, response) => response.end('grüße'));
    expect(await bodyText(await ask(url), 7)).toBe('grüße');
    expect(await failure(ask(url).then((answer) => bodyText(answer, 6)))).toMatchObject({
      message: 'the answer is longer than 6 bytes',
    });
    expect(await bodyStart(await ask(url), 2)).toBe('gr');
  });

  it('that ends too early is a failure', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '9' }).write('half', () => response.destroy());
    });
    const error = await failure(ask(url).then((answer) => bodyText(answer, 100)));
    expect(error).toMatchObject({ name: 'HttpFailure', message: expect.stringContaining('ended too early') });
  });

  it('that comes to a stop is given up, but not while its reader takes his time', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '9' }).write('half');
    });
    const answer = await ask(url, { deadlines: { stallMs: 50 } });
    const came: string[] = [];
    const reading = (async () => {
      for await (const chunk of bodyBytes(answer)) {
        came.push(chunk.toString());
        await new Promise((resolve) => setTimeout(resolve, 120));
        came.push('read');
      }
    })();
    expect(await failure(reading)).toMatchObject({ message: 'sent nothing for 0.05 s' });
    expect(came).toEqual(['half', 'read']);
  });

  it('ends with the reason of a signal', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '9' }).write('half');
    });
    const stop = new AbortController();
    const reading = failure(ask(url).then((answer) => bodyText(answer, 100, stop.signal)));
    const reason = new Error('not wanted any more');
    stop.abort(reason);
    expect(await reading).toBe(reason);
  });
});

describe('the time of a call', () => {
  it('is over at its deadline, which waits for what is not timed', async () => {
    const time = new CallTime(40);
    onTestFinished(() => time.end());
    const login = new Promise((resolve) => setTimeout(() => resolve('logged in'), 100));
    expect(await time.untimed(login)).toBe('logged in');
    expect(time.signal.aborted).toBe(false);
    await new Promise((resolve) => time.signal.addEventListener('abort', resolve));
    expect(time.signal.reason).toMatchObject({ name: 'HttpFailure', message: 'no answer within 40 ms' });
  });

  it('is over when its caller gives up, whatever is waited for', async () => {
    const stop = new AbortController();
    const time = new CallTime(0, stop.signal);
    const waiting = failure(time.untimed(new Promise(() => {})));
    stop.abort();
    expect(await waiting).toEqual(new HttpFailure('the call was given up', true));
    expect(new CallTime(0, stop.signal).signal.aborted).toBe(true);
  });
});
