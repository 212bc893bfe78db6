import { describe, expect, it } from 'vitest';
import { driftOf } from './drift.ts';

describe('driftOf', () => {
  it.each<[string, unknown, unknown, string | undefined]>([
    ['the same', { a: 1 }, { a: 1 }, undefined],
    ['defaults that the server added', { a: { b: 1 } }, { a: { b: 1, c: 2 }, d: 3 }, undefined],
    ['another value', { a: { b: 1 } }, { a: { b: 2 } }, 'a.b'],
    ['a missing value', { a: { b: 1 } }, {}, 'a'],
    ['a longer list', { l: [1] }, { l: [1, 2] }, 'l'],
    ['another item', { l: [{ x: 1 }] }, { l: [{ x: 2 }] }, 'l[0].x'],
    ['one amount in two writings', { requests: { memory: '1024Mi' } }, { requests: { memory: '1Gi' } }, undefined],
    ['another amount', { limits: { cpu: '1' } }, { limits: { cpu: '1100m' } }, 'limits.cpu'],
    ['an amount elsewhere is a text', { value: '1024Mi' }, { value: '1Gi' }, 'value'],
    ['an empty text that is not stored', { env: [{ name: 'A', value: '' }] }, { env: [{ name: 'A' }] }, undefined],
    ['an empty list that is not stored', { l: [] }, {}, undefined],
    ['an empty object that is not stored', { o: {} }, {}, undefined],
    ['undefined means nothing was asked', { a: undefined }, { a: 1 }, undefined],
  ])('%s', (_name, applied, live, expected) => {
    expect(driftOf(applied, live)).toBe(expected);
  });
});
