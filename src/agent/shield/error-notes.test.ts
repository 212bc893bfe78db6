import { expect, it } from 'vitest';
import { ErrorNotes } from './error-notes.ts';

it('tells the first of a kind, and half a minute later the next with the number of those between', () => {
  const notes = new ErrorNotes();
  expect([0, 1, 29_999, 30_000, 30_001].map((at) => notes.note('timeout', at))).toEqual([
    ...[0, undefined, undefined, 2, undefined],
  ]);
  expect(notes.note('refused', 5)).toBe(0);
});
