import { expect, it } from 'vitest';
import { endToEnd, headerOf } from './headers.ts';

it('passes on what is not about one connection, in its order and writing', () => {
  const raw = [
    'Host',
    'a',
    'CONNECTION',
    'close, X-Hop',
    'X-Hop',
    '1',
    'x-a',
    '1',
    'X-A',
    '2',
    'Transfer-Encoding',
    'b',
  ];
  expect(endToEnd(raw, 'host')).toEqual(['x-a', '1', 'X-A', '2']);
  expect(headerOf(raw, 'x-a')).toBe('1');
  expect(headerOf(raw, 'x-b')).toBeUndefined();
});
