import { describe, expect, it } from 'vitest';
import { mostTelling } from './most-telling.ts';

const told = (texts: string) => mostTelling(texts.split(' '), 4, ([kind = '']) => kind).join(' ');

describe('the instances that are told of', () => {
  it.each([
    ['a1 a2 a3 a4 a5 a6', 'a1 a2 a3 a4'],
    ['a1 a2 a3 a4 a5 b1', 'a1 a2 a3 b1'],
    ['a1 a2 b1 b2 c1 c2', 'a1 a2 b1 c1'],
    ['a1 b1', 'a1 b1'],
    ['a1 b1 c1 d1 e1', 'a1 b1 c1 d1'],
  ])('%s: %s', (all, some) => {
    expect(told(all)).toBe(some);
  });
});
