import { expect, it } from 'vitest';
import { ratioOf, shownSpread, spreadOf, table } from './figures.ts';

it.each([
  [[3], { median: 3, least: 3, most: 3, rounds: 1 }],
  [[3, 1, 2], { median: 2, least: 1, most: 3, rounds: 3 }],
  [[4, 1, 3, 2], { median: 2.5, least: 1, most: 4, rounds: 4 }],
])('the spread of %j', (values, spread) => {
  expect(spreadOf(values)).toEqual(spread);
});

it('there is no spread of nothing', () => {
  expect(() => spreadOf([])).toThrow('at least one');
});

it('ratios are taken pair by pair', () => {
  expect(ratioOf([2, 40, 9], [1, 10, 3])).toEqual({ median: 3, least: 2, most: 4, rounds: 3 });
  expect(() => ratioOf([1, 2], [1])).toThrow('as many');
});

it('what is printed', () => {
  expect(shownSpread(spreadOf([1, 2, 4]), 1, ' s')).toBe('2.0 s (1.0 s to 4.0 s)');
  expect(table(['what', 'seen'], [['a', '1']])).toBe('| what | seen |\n|---|---|\n| a | 1 |');
});
