import { expect, it } from 'vitest';
import { messageOf } from './message-of.ts';

it.each<[unknown, string]>([
  [new Error('refused'), 'refused'],
  [
    new AggregateError([new Error('refused by 10.0.0.7'), new Error('refused by fd00::7')]),
    'refused by 10.0.0.7; refused by fd00::7',
  ],
  [new AggregateError([], 'none'), 'none'],
  ['text', 'text'],
])('says why %s', (error, reason) => {
  expect(messageOf(error)).toBe(reason);
});
