import { expect, it } from 'vitest';
import { byText, compareTexts } from './text-order.ts';

it('compares code unit by code unit, whatever the locale', () => {
  const sorted = ['b', 'a', 'B', 'ä', '10', '9', '😀', '\uffff', ''].toSorted(compareTexts);
  expect(sorted).toEqual(['', '10', '9', 'B', 'a', 'b', 'ä', '😀', '\uffff']);
  expect(compareTexts('a', 'a')).toBe(0);
});

it('sorts by what is asked for, and leaves equals where they are', () => {
  const items = [
    { name: 'b', at: 1 },
    { name: 'a', at: 2 },
    { name: 'b', at: 3 },
  ];
  expect(items.toSorted(byText(({ name }) => name)).map(({ at }) => at)).toEqual([2, 1, 3]);
});
