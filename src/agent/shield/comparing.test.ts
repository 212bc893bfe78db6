import { expect, it } from 'vitest';
import { saySame } from './comparing.ts';

it.each([
  ['{"a":1,"b":[1,2]}', ' {"b": [1, 2], "a": 1.0}\n', true],
  ['{"a":1}', '{"a":2}', false],
  ['{"a":1}', '{"a":1,"b":null}', false],
  ['[1,2]', '[2,1]', false],
  ['plain', 'plain', true],
  ['plain', 'Plain', false],
  ['', '', true],
  ['{"a":1}', 'plain', false],
])('%s and %s say the same: %s', (one, other, same) => {
  const answer = (text: string, status = 200) => ({ status, body: Buffer.from(text) });
  expect(saySame(answer(one), answer(other))).toBe(same);
  expect(saySame(answer(other), answer(one))).toBe(same);
  expect(saySame(answer(one), answer(one, 500))).toBe(false);
});
