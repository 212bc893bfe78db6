import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoted } from './shown-text.ts';

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
