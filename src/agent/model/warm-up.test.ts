import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { failure } from '../../../test/builders/failure.ts';
import type { WarmUp } from '../../contracts/pod-contract.ts';
import { parseEndpointFile } from '../../wire/endpoint-file.ts';
import { askedAt } from './local-addresses.ts';
import { callWarmUp, differs } from './warm-up.ts';

const asked: WarmUp = { function: 'apply', arguments: {}, status: 200, fields: {}, timeLimitMs: 5_000 };

describe('an answer to a warm-up', () => {
  it.each<[string, Partial<WarmUp>, number, string, RegExp | undefined]>([
    ['the status alone', {}, 200, 'anything', undefined],
    ['another status', {}, 500, 'oops', /status 500 in place of 200, with "oops"/],
    ['a status that is asked for', { status: 204 }, 204, '', undefined],
    ['a field', { fields: { is_malicious: 'legit' } }, 200, '{"is_malicious":"legit"}', undefined],
    ['a number as text', { fields: { score: '0.5' } }, 200, '{"score":0.5}', undefined],
    ['a boolean as text', { fields: { up: 'true' } }, 200, '{"up":true}', undefined],
    ['a list as JSON', { fields: { all: '[1,2]' } }, 200, '{"all":[1,2]}', undefined],
    ['another value', { fields: { a: 'x' } }, 200, '{"a":"y"}', /where the field "a" is not "x"/],
    ['no such field', { fields: { a: 'x' } }, 200, '{}', /without the field "a"/],
    ['a name of every object', { fields: { constructor: 'x' } }, 200, '{}', /without the field/],
    ['no map', { fields: { a: 'x' } }, 200, '[]', /is not a map/],
    ['no JSON', { fields: { a: 'x' } }, 200, '<html>', /is not JSON/],
    ['nothing', { fields: { a: 'x' } }, 200, '', /with an empty body/],
    ['controls in what is shown', {}, 500, 'a\u001b[31m\nb', /with "a[^\p{Cc}]*b"/u],
  ])('%s', (_name, expected, status, body, problem) => {
    const found = differs({ ...asked, ...expected }, { status, body: Buffer.from(body) });
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });
});

async function served(listener: RequestListener): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const endpointAt = (port: number) =>
  parseEndpointFile(JSON.stringify({ url: `http://localhost:${port}/m`, functions: { apply: 'score' } }));

describe('the warm-up call', () => {
  it('asks for the URL that Stellar asks for', async () => {
    const seen: (string | undefined)[] = [];
    await using server = await served((request, response) => {
      seen.push(request.url, request.headers.accept);
      response.end('{}');
    });
    await callWarmUp({ ...asked, arguments: { host: 'a b&c' } }, endpointAt(server.port), { host: '127.0.0.1' });
    expect(seen).toEqual(['/m/score?host=a+b%26c', 'application/json']);
  });

  it('finds a model that only its shield reaches', async () => {
    await using server = await served((_request, response) => response.end('{}'));
    await callWarmUp(asked, endpointAt(server.port), askedAt(true, '127.0.0.9'));
    const direct = callWarmUp(asked, endpointAt(server.port), askedAt(false, '127.0.0.9'));
    expect(await failure(direct)).toMatchObject({ code: 'WARM_UP_FAILED' });
  });

  it('says that there was no answer in time', async () => {
    await using server = await served(() => {});
    const call = callWarmUp({ ...asked, timeLimitMs: 50 }, endpointAt(server.port), { host: '127.0.0.1' });
    expect(await failure(call)).toMatchObject({
      code: 'WARM_UP_FAILED',
      message: expect.stringContaining('was not answered within 50ms'),
    });
  });

  it('says that the body stayed away', async () => {
    await using server = await served((_request, response) => {
      response.writeHead(200);
      response.flushHeaders();
    });
    const call = callWarmUp({ ...asked, timeLimitMs: 200 }, endpointAt(server.port), { host: '127.0.0.1' });
    expect(await failure(call)).toMatchObject({
      code: 'WARM_UP_FAILED',
      message: expect.stringContaining('was not answered within'),
    });
  });

  it('says why it could not be made', async () => {
    const { port } = await served(() => {}).then(async (server) => {
      await server[Symbol.asyncDispose]();
      return server;
    });
    expect(await failure(callWarmUp(asked, endpointAt(port), { host: '127.0.0.1' }))).toMatchObject({
      code: 'WARM_UP_FAILED',
      message: expect.stringContaining('failed'),
    });
  });
});
