import fc from 'fast-check';
import { expect, test } from 'vitest';
import { oneLine, quoted, seenOnTerminal, visible, visibleLines } from './shown-text.ts';

test.each([
  ['plain "text" \\', '"plain \\"text\\" \\\\"'],
  ['модель 😀', '"модель 😀"'],
  ['\u001b[2J\u009b2J', '"\\u001b[2J\\u009b2J"'],
  ['a\u202eb\u2028', '"a\\u202eb\\u2028"'],
  ['\u{e0041}', '"\\udb40\\udc41"'],
])('%j is shown as %s', (text, shown) => {
  expect(quoted(text)).toBe(shown);
});

test('is cut', () => {
  expect(quoted('x'.repeat(101))).toBe(`"${'x'.repeat(100)}…"`);
});

test('what is shown is one line that JSON can read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
      const shown = quoted(text, 200);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
      expect(JSON.parse(shown)).toBe(text);
    }),
  );
});

/** What kubectl's table printer and the tab writer under it make of a cell. */
function cellOf(text: string): string {
  const [line = ''] = text.split(/[\f\n\r]/, 1);
  return line === text ? (text.split(/[\t\v]/, 1)[0] ?? '') : `${line}...`;
}

test.each([
  ['Traceback:\n  File "x.py"\nKeyError: 1\n', 'Traceback: | File "x.py" | KeyError: 1'],
  ['a\r\nb\rc\fd\ve\u0085f\u2028g', 'a | b | c | d | e | f | g'],
  ['column\tone', 'column one'],
  ['\n\n', ''],
  ['\u001b[2J\u0000\u202e', '\\u001b[2J\\u0000\\u202e'],
  ['модель 😀', 'модель 😀'],
])('%j on one line is %s', (text, line) => {
  expect(oneLine(text, 100)).toBe(line);
});

test('one line is shown whole by kubectl, and cut between characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.integer({ min: 1, max: 60 }), (text, limit) => {
      const line = oneLine(text, limit);
      expect(cellOf(line)).toBe(line);
      expect(line).not.toMatch(/[\p{Cc}\p{Cs}]/u);
      expect([...line].length).toBeLessThanOrEqual(limit);
    }),
  );
});

test.each([
  ['a\nb\r\u001b[2J', 'a b\\u000d\\u001b[2J'],
  ['\u00ad\u200b\u2066x\u{e0041}', '\\u00ad\\u200b\\u2066x\\udb40\\udc41'],
  ['модель 😀\t', 'модель 😀\\u0009'],
])('%j is visible as %s', (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test('lines stay lines', () => {
  expect(visibleLines('{\n  "a": "\u202e"\n}\n')).toBe('{\n  "a": "\\u202e"\n}\n');
});

test.each([
  ['\u001b[31mred\u001b[0m, \u001b[1;32mbold\u001b[m', 'red, bold'],
  ['10%\r20%\rdone', 'done'],
  ['10%\r20%\r', '20%'],
  ['from Windows\r', 'from Windows'],
  ['\u001b]0;title\u0007', '\u001b]0;title\u0007'],
  ['\u001b[2J', '\u001b[2J'],
  ['', ''],
  ['größe 模型', 'größe 模型'],
])('%j is seen on a terminal as %j', (line, seen) => {
  expect(seenOnTerminal(line)).toBe(seen);
});
