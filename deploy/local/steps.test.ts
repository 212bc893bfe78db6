import { expect, test } from 'vitest';
import { seconds } from './steps.ts';

test.each([
  [0, '0.0 s'],
  [3_149, '3.1 s'],
  [59_949, '59.9 s'],
  [59_960, '1 min 0 s'],
  [125_400, '2 min 5 s'],
])('%d ms is %s', (ms, text) => {
  expect(seconds(ms)).toBe(text);
});
