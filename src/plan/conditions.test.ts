import { expect, it } from 'vitest';
import { conditionFrom, no } from './conditions.ts';

const messageOf = (message: string) => conditionFrom('Ready', no('ScriptEnded', message), undefined, 1, 0).message;

it('has a message of one line: the column MESSAGE of kubectl ends at a line break', () => {
  expect(
    messageOf('1 of 2 registered; dga-1: the script ended; its last lines: Traceback:\n  File "x.py"\nKeyError'),
  ).toBe('1 of 2 registered; dga-1: the script ended; its last lines: Traceback: | File "x.py" | KeyError');
});

it('is cut between characters', () => {
  expect([...messageOf('😀'.repeat(2_000))].length).toBe(1_500);
  expect(messageOf('😀'.repeat(2_000))).not.toMatch(/\p{Cs}/u);
});
