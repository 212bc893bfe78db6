import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calledUrls } from '../../test/builders/called-urls.ts';
import { modelCallUrl, readModelAnswer } from './model-call.ts';

describe('the URL of a call', () => {
  it.each(calledUrls)('$what', ({ url, functions, function: name, args, asked }) => {
    const call = modelCallUrl({ endpoint: { url: `http://h:1${url}`, functions }, function: name, args });
    expect(call.url).toBe(asked === undefined ? undefined : `http://h:1${asked}`);
  });

  it.each([
    ['http://[fd00::1]:8080/base/', 'http://[fd00::1]:8080/base/apply?'],
    ['https://model.example', 'https://model.example/apply?'],
    ['HTTP://Model:80', 'http://Model:80/apply?'],
    ['ftp://model', undefined],
    ['model:8080', undefined],
    ['', undefined],
    ['http:///', undefined],
    ['http://', 'http://apply/?'],
    ['http://mo del:1', undefined],
    ['http://model:99999', undefined],
    ['http://model:x', undefined],
  ])('of the endpoint %j is %j', (url, asked) => {
    expect(modelCallUrl({ endpoint: { url, functions: {} } }).url).toBe(asked);
  });

  it('carries every argument so that a server reads what was meant', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 8 });
    fc.assert(
      fc.property(fc.dictionary(text, text, { maxKeys: 30 }), (args) => {
        const { url = '' } = modelCallUrl({
          endpoint: { url: 'http://h', functions: {} },
          args: Object.entries(args),
        });
        expect(url).toMatch(/^[!-~]*$/);
        expect(Object.fromEntries(new URL(url).searchParams)).toEqual(args);
      }),
    );
  });

  it('is one that a request can be made of, or a problem, whatever a registration holds', () => {
    const odd = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[/.?#%a-z0-9 äß]{0,20}$/));
    fc.assert(
      fc.property(odd, odd, (path, tail) => {
        const { url, problem } = modelCallUrl({
          endpoint: { url: `http://h:1/${tail}`, functions: { apply: path } },
          args: [['k', 'v']],
        });
        if (url === undefined) expect(problem).toBeTypeOf('string');
        else expect(new URL(url).host).toBe('h:1');
      }),
    );
  });
});

describe('what Stellar makes of an answer', () => {
  const read = (status: number, body: string | Uint8Array) =>
    readModelAnswer({ status, body: typeof body === 'string' ? new TextEncoder().encode(body) : body });

  it.each([
    ['{"is_malicious":"legit"}', { is_malicious: 'legit' }, '{"is_malicious":"legit"}'],
    [' {} ', {}, '{}'],
    [
      '{"a":1.50,"b":[true,null,{"c":"ä\\n"}]}',
      { a: 1.5, b: [true, null, { c: 'ä\n' }] },
      '{"a":1.50,"b":[true,null,{"c":"ä\\n"}]}',
    ],
    ['{"a":12345678901234567890}', { a: Number('12345678901234567890') }, '{"a":12345678901234567890}'],
    ['{"a":1,"a":2}', { a: 2 }, '{"a":2}'],
    ['{"a":1} and more', { a: 1 }, '{"a":1}'],
  ])('is the map of a 200 with %s', (body, fields, json) => {
    expect(read(200, body)).toEqual({ kind: 'map', fields, json });
  });

  it('keeps a field that is called __proto__ as one like any other', () => {
    const answer = read(200, '{"__proto__":{"x":1}}');
    expect(answer).toMatchObject({ kind: 'map', json: '{"__proto__":{"x":1}}' });
    expect(Object.keys(answer.kind === 'map' ? answer.fields : {})).toEqual(['__proto__']);
  });

  it.each([
    ['', 'the answer is empty'],
    ['legit', 'the answer is not JSON: a value is missing'],
    ['{"a":', 'the answer is not JSON: it ends too early'],
    ["{'a':1}", 'the answer is not JSON: a name in double quotes is missing'],
    ['\ufeff{}', 'the answer is not JSON: a value is missing'],
    ['[]', 'the answer is not a map but: array'],
    ['"text"', 'the answer is not a map but: string'],
    ['null', 'the answer is not a map but: null'],
    ['7', 'the answer is not a map but: number'],
  ])('is null of a 200 with %j', (body, why) => {
    expect(read(200, body)).toEqual({ kind: 'null', why });
  });

  it('replaces what is not UTF-8', () => {
    const body = Uint8Array.from([...Buffer.from('{"a":"'), 0xff, ...Buffer.from('"}')]);
    expect(read(200, body)).toMatchObject({ fields: { a: '\ufffd' } });
  });

  it('does not follow a hostile answer into the depth', () => {
    expect(read(200, `${'{"a":'.repeat(100_000)}1`)).toEqual({
      kind: 'null',
      why: 'the answer is not JSON: it nests too deeply',
    });
    expect(read(200, `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`).kind).toBe('map');
  });

  it.each([204, 205, 304])('is null of a %i, which has no body', (status) => {
    expect(read(status, '')).toEqual({ kind: 'null', why: `status ${status}` });
  });

  it.each([201, 302, 400, 404, 500, 503])('costs the thread of a client with a %i', (status) => {
    expect(read(status, '{"a":1}')).toEqual({ kind: 'thread lost', why: `status ${status}` });
  });
});
