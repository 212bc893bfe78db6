import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type CallBounds, callModel, modelConnections } from './model-call.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

let asked: string[] = [];
async function serve(answer: RequestListener): Promise<string> {
  asked = [];
  const made = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.accept}`);
    answer(request, response);
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`;
}

const bounds: CallBounds = { timeoutMs: 5_000, maxBytes: 100 };
const call = (url: string, more: Partial<CallBounds> = {}) =>
  callModel(modelConnections('maas-test'), url, { ...bounds, ...more });
const text = (body: Uint8Array) => Buffer.from(body).toString();

describe('a call of a model', () => {
  it('asks for the path as it is written', async () => {
    const url = await serve((_, response) => response.end('{}'));
    await call(`${url}/base/../apply?a=%2E&b=`);
    await call(`${url}/apply?`);
    expect(asked).toEqual(['GET /base/../apply?a=%2E&b= application/json', 'GET /apply? application/json']);
  });

  it.each([200, 204, 404, 503])('takes a %i as an answer', async (status) => {
    const url = await serve((_, response) => response.writeHead(status).end(status === 204 ? '' : 'body'));
    const outcome = await call(url);
    expect(outcome).toMatchObject({ kind: 'answered', status, cut: false });
    expect(outcome.kind === 'answered' && text(outcome.body)).toBe(status === 204 ? '' : 'body');
  });

  it('reads no more than it is told', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200);
      const more = () => {
        while (response.write('x'.repeat(10_000)));
        response.once('drain', more);
      };
      more();
    });
    const outcome = await call(url);
    expect(outcome).toMatchObject({ kind: 'answered', cut: true });
    expect(outcome.kind === 'answered' && outcome.body.length).toBe(100);
  });

  it('follows redirects, but not in a circle and not for ever', async () => {
    const url = await serve(({ url: path = '' }, response) => {
      const to = { '/one': '/two?x', '/two?x': '/end', '/round': '/round' }[path];
      const next = path.startsWith('/n') ? `/n${path.length}${path.slice(2)}x` : to;
      if (next === undefined) response.end('end');
      else response.writeHead(302, { location: next }).end();
    });
    expect(await call(`${url}/one`)).toMatchObject({ kind: 'answered', status: 200 });
    expect(await call(`${url}/round`)).toMatchObject({ kind: 'lost', problem: 'it is redirected in a circle' });
    expect(await call(`${url}/n`)).toMatchObject({ kind: 'lost', problem: 'it is redirected more than 50 times' });
  });

  it('waits no longer than it is told, for the head and for the rest', async () => {
    const head = await serve(() => {});
    expect(await call(head, { timeoutMs: 50 })).toMatchObject({ kind: 'late', problem: 'no answer within 50 ms' });
    server?.closeAllConnections();
    server?.close();
    const rest = await serve((_, response) => response.writeHead(200, { 'content-length': '9' }).write('x'));
    expect(await call(rest, { timeoutMs: 50 })).toMatchObject({ kind: 'late' });
  });

  it('tells nobody there from somebody who hangs up', async () => {
    expect(await call('http://127.0.0.1:1/')).toMatchObject({ kind: 'unreached' });
    const url = await serve((request) => request.socket.destroy());
    expect(await call(url)).toMatchObject({ kind: 'dropped' });
    server?.close();
    const early = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '9' }).write('x', () => response.destroy());
    });
    expect(await call(early)).toMatchObject({ kind: 'dropped' });
  });

  it('is given up with the reason of the signal', async () => {
    const url = await serve(() => stop.abort(new Error('enough')));
    const stop = new AbortController();
    await expect(call(url, { signal: stop.signal })).rejects.toThrow('enough');
  });
});
