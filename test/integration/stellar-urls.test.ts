/** Our rules of how models are called and what becomes of their answers, held against the clients in the field. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelCallUrl, readModelAnswer } from '../../src/wire/model-call.ts';
import { calledUrls } from '../builders/called-urls.ts';
import { Caller } from './java.ts';

let caller: Caller;
let host: string;
/** What was asked since the last call began, and what is answered. */
let asked: string[] = [];
let answer: (response: ServerResponse) => void = (response) => response.end('{}');

const server = createServer((request: IncomingMessage, response) => {
  asked.push(request.url ?? '');
  answer(response);
});

beforeAll(async () => {
  caller = await Caller.start();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  host = `http://127.0.0.1:${port}`;
});
afterAll(async () => {
  await caller[Symbol.asyncDispose]();
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

test.each(calledUrls)('$what: the same URL', async ({ url, functions, function: name, args = [], asked: path }) => {
  asked = [];
  answer = (response) => response.end('{}');
  const endpoint = { url: `${host}${url}`, functions };
  // Of a name that is written twice the parser keeps the first, and an object of JSON has room for one.
  const once = new Map(args.toReversed());
  await caller.call({ ...endpoint, function: name, args: Object.fromEntries([...once].toReversed()) });
  expect(asked).toEqual(path === undefined ? [] : [path]);
  expect(modelCallUrl({ endpoint, function: name, args }).url).toBe(path === undefined ? undefined : `${host}${path}`);
});

describe('an answer', () => {
  const json = (body: string | Uint8Array, status = 200) => ({ status, body: Buffer.from(body) });

  test.each([
    json('{"is_malicious":"legit"}'),
    json(' {"a":[1,2.50,null,true,{"b":"ä"}]} '),
    json('{"a":1,"a":2}'),
    json('{"a":1} and more'),
    json('{}\n{}'),
    json('{"a":"\ufffd"}'),
    json(Uint8Array.from([...Buffer.from('{"a":"'), 0xff, 0xfe, ...Buffer.from('"}')])),
    json(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`),
    json(''),
    json('  '),
    json('legit'),
    json('[]'),
    json('"text"'),
    json('null'),
    json('7'),
    json('{"a":'),
    json("{'a':1}"),
    json('{a:1}'),
    json('{"a":01}'),
    json('{"a":NaN}'),
    json('{"a":1,}'),
    json('/* c */ {}'),
    json('{"a":"\n"}'),
    json('\ufeff{}'),
    json('', 204),
    json('', 205),
    json('', 304),
    json('', 201),
    json('', 404),
    json('', 503),
    json('{"a":1}', 201),
    json('{"a":1}', 404),
    json('{"error":"no"}', 500),
  ])('of $status with %o is read the same', async ({ status, body }) => {
    answer = (response) => {
      response.writeHead(status, status === 204 || status === 304 ? {} : { 'content-length': body.length }).end(body);
    };
    const line = await caller.call({ url: host, functions: {}, args: {} });
    const read = readModelAnswer({ status, body });
    expect(line).toMatchObject(read.kind === 'map' ? { event: 'answer', answer: read.fields } : { event: 'failed' });
    // The next call of the same thread tells whether its connection is lost.
    answer = (response) => response.end('{"next":true}');
    const next = await caller.call({ url: host, functions: {}, args: {}, sameThread: true });
    expect(next).toMatchObject(read.kind === 'thread lost' ? { kind: 'broken-thread' } : { answer: { next: true } });
  });
});
