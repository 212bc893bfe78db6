import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerCache, cacheKey, mayBeShared } from './answer-cache.ts';

const body = (text: string) => Buffer.from(text);
const answer = (text: string, headers: readonly string[] = []) => ({ headers, body: body(text) });
const textOf = (cache: AnswerCache, key: string, at: number) => {
  const found = cache.get(key, at);
  return found === undefined ? undefined : Buffer.from(found.body).toString();
};

describe('kept answers', () => {
  it('are served for their time, counted from when the model was asked', () => {
    const cache = new AnswerCache({ bytes: 100_000, timeToLiveMs: 1_000 });
    cache.put('a', answer('1'), 500);
    expect([textOf(cache, 'a', 1_499), textOf(cache, 'a', 1_500)]).toEqual(['1', undefined]);
    expect([cache.entries, cache.bytes]).toEqual([0, 0]);
  });

  it('are served for less, where the model says so, and never for more', () => {
    const cache = new AnswerCache({ bytes: 100_000, timeToLiveMs: 5_000 });
    cache.put('short', answer('1', ['Cache-Control', 'public, max-age=2']), 0);
    cache.put('long', answer('1', ['Cache-Control', 'max-age=60']), 0);
    cache.put('none', answer('1', ['Cache-Control', 'max-age=0']), 0);
    expect(['short', 'long', 'none'].map((key) => textOf(cache, key, 2_000))).toEqual([undefined, '1', undefined]);
    expect(textOf(cache, 'long', 5_000)).toBeUndefined();
  });

  it('make room for new ones, the least recently used first', () => {
    const cache = new AnswerCache({ bytes: 2_600, timeToLiveMs: 1_000 });
    for (const key of ['a', 'b', 'c', 'd']) cache.put(key, answer(key), 0);
    cache.get('a', 1);
    cache.put('e', answer('e'), 0);
    cache.put('f', answer('x'.repeat(800)), 0);
    expect(['a', 'b', 'c', 'd', 'e', 'f'].filter((key) => cache.get(key, 1))).toEqual(['a', 'e', 'f']);
    cache.put('large', answer('x'.repeat(3_000)), 0);
    expect(cache.get('large', 1)).toBeUndefined();
    expect(cache.entries).toBe(3);
  });

  it('keep none of the buffer that they were cut from', () => {
    const cache = new AnswerCache({ bytes: 100_000, timeToLiveMs: 1_000 });
    cache.put('a', { headers: [], body: Buffer.alloc(65_536).subarray(0, 10) }, 0);
    expect(cache.get('a', 0)?.body.buffer.byteLength).toBe(10);
  });

  it('are what was put there last, within the bounds, whatever happens', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.oneof(
      fc.record({ put: key, size: fc.nat({ max: 1_500 }) }),
      fc.record({ get: key }),
      fc.record({ pass: fc.nat({ max: 400 }) }),
      fc.constant('clear' as const),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const cache = new AnswerCache({ bytes: 3_000, timeToLiveMs: 500 });
        const puts = new Map<string, { size: number; at: number }>();
        let at = 0;
        for (const each of steps) {
          if (each === 'clear') {
            cache.clear();
            puts.clear();
          } else if ('pass' in each) at += each.pass;
          else if ('put' in each) {
            cache.put(each.put, answer('x'.repeat(each.size)), at);
            puts.set(each.put, { size: each.size, at });
          } else {
            const found = cache.get(each.get, at);
            const last = puts.get(each.get);
            if (found !== undefined)
              expect([found.body.length, at < (last?.at ?? 0) + 500]).toEqual([last?.size, true]);
          }
          expect(cache.bytes).toBeLessThanOrEqual(3_000);
          expect(cache.bytes > 0).toBe(cache.entries > 0);
        }
      }),
    );
  });
});

describe('what is asked', () => {
  const of = (headers: readonly string[], changes: object = {}) =>
    cacheKey({ method: 'GET', path: '/apply?a=1', headers, hasBody: false, ...changes });

  it('is the same with the same path, query and wishes for the form of the answer', () => {
    expect(of(['Accept', 'application/json', 'Host', 'a'])).toBe(of(['accept', 'application/json', 'X-Other', '1']));
    expect(of(['Accept', 'application/json'])).not.toBe(of(['Accept', 'text/html']));
    expect(of(['Accept-Encoding', 'gzip'])).not.toBe(of(['Accept-Language', 'gzip']));
    expect(of([])).not.toBe(of([], { path: '/apply?a=2' }));
  });

  it.each([
    [['Authorization', 'x'], {}],
    [['Cookie', 'x'], {}],
    [['Range', 'bytes=0-1'], {}],
    [['If-None-Match', '"1"'], {}],
    [['Cache-Control', 'no-cache'], {}],
    [[], { method: 'POST' }],
    [[], { method: 'HEAD' }],
    [[], { hasBody: true }],
  ])('with %j and %j is nobody else’s', (headers, changes) => {
    expect(of(headers, changes)).toBeUndefined();
  });

  it.each([
    [200, [], true],
    [200, ['Vary', 'Accept, Accept-Encoding'], true],
    [200, ['Vary', 'X-User'], false],
    [200, ['Vary', '*'], false],
    [200, ['Set-Cookie', 'a=1'], false],
    [200, ['Cache-Control', 'max-age=60'], true],
    [200, ['Cache-Control', 'no-store'], false],
    [200, ['cache-control', 'Private, max-age=60'], false],
    [204, [], false],
    [206, [], false],
    [500, [], false],
  ])('and answered with %i and %j may be shared: %s', (status, headers, shared) => {
    expect(mayBeShared({ status, headers })).toBe(shared);
  });
});
