import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsOf, cutTo, foldTo } from './text-columns.ts';

describe('columnsOf', () => {
  it.each([
    ['dga', 3],
    ['', 0],
    ['модель', 6],
    ['模型', 4],
    ['モデル', 6],
    ['ﾓﾃﾞﾙ', 3],
    ['모델', 4],
    ['모델'.normalize('NFD'), 4],
    ['、。', 4],
    ['Ａ１', 4],
    ['e\u0301', 1],
    ['\u0301', 0],
    ['a\u200bb', 2],
    ['😀', 2],
    ['👨‍👩‍👧', 2],
    ['🇩🇪', 2],
    ['✔', 1],
    ['❤️', 2],
  ])('%j', (text, columns) => {
    expect(columnsOf(text)).toBe(columns);
  });
});

const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc
    .array(fc.constantFrom('dga', '模型', 'e\u0301', '😀', ' ', 'http://10.0.0.1:1500'), { maxLength: 12 })
    .map((parts) => parts.join('')),
);

describe('cutTo', () => {
  it('says that there was more', () => {
    expect(cutTo(5, 'phishing')).toBe('phis…');
    expect(cutTo(4, '模型模型')).toBe('模…');
    expect(cutTo(8, 'phishing')).toBe('phishing');
  });

  it('never takes more columns than there are', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 40 }), (text, columns) => {
        expect(columnsOf(cutTo(columns, text))).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

describe('foldTo', () => {
  it('breaks between words, and in those that are too long', () => {
    expect(foldTo(9, 'the script ended')).toEqual(['the', 'script', 'ended']);
    expect(foldTo(10, 'the script ended')).toEqual(['the script', 'ended']);
    expect(foldTo(4, 'a 1234567 b')).toEqual(['a', '1234', '567', 'b']);
  });

  it('loses nothing and fits', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 2, max: 40 }), (text, columns) => {
        const lines = foldTo(columns, text);
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
        for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });
});
