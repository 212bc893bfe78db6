import fc from 'fast-check';
import { expect, it } from 'vitest';
import { textDiff } from './text-diff.ts';

it('shows what went and came, with what stands around it', () => {
  expect(textDiff('a\nb\nc\nd\ne\nf\ng\nh\ni', 'a\nb\nC\nd\ne\nf\ng\nh\ni\nj', 50)).toEqual([
    ' a',
    ' b',
    '-c',
    '+C',
    ' d',
    ' e',
    '…',
    ' h',
    ' i',
    '+j',
  ]);
  expect(textDiff('same', 'same', 50)).toEqual([]);
});

it('is cut', () => {
  const lines = Array.from({ length: 100 }, (_, at) => `${at}`);
  expect(textDiff('', lines.join('\n'), 10).at(-1)).toBe('… 91 lines more');
});

it('says enough to make the one from the other', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = textDiff(before, after, 1_000);
      if (lines.includes('…')) return;
      const side = (mark: string) =>
        lines.filter((line) => line.startsWith(' ') || line.startsWith(mark)).map((line) => line.slice(1));
      if (before === after) expect(lines).toEqual([]);
      else {
        expect(before).toContain(side('-').join('\n'));
        expect(after).toContain(side('+').join('\n'));
      }
    }),
  );
});

it('does not compare without end', () => {
  const many = (letter: string) => Array.from({ length: 30_000 }, (_, at) => `${letter}${at}`).join('\n');
  expect(textDiff(many('a'), many('b'), 10)).toHaveLength(11);
});
