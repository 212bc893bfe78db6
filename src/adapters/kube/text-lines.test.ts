import fc from 'fast-check';
import { expect, it } from 'vitest';
import { textLines } from './text-lines.ts';

async function linesOf(chunks: readonly Buffer[], limit?: number): Promise<string[]> {
  async function* stream() {
    yield* chunks;
  }
  const lines: string[] = [];
  for await (const line of textLines(stream(), limit)) lines.push(line);
  return lines;
}

it('gives the lines, however the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(200)), async (texts, cuts) => {
      const lines = texts.map((text) => text.replace(/[\r\n]/g, ''));
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
      const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      expect(await linesOf(chunks)).toEqual(lines);
    }),
  );
});

it.each<[string, string, string[]]>([
  ['ends of Windows', 'a\r\nb\r\n', ['a', 'b']],
  ['a rest', 'a\nb', ['a', 'b']],
  ['nothing', '', []],
  ['a line that is too long', '0123456789ab\nc', ['01234', '56789', 'ab', 'c']],
])('takes %s', async (_, text, lines) => {
  expect(
    await linesOf(
      [...text].map((letter) => Buffer.from(letter)),
      5,
    ),
  ).toEqual(lines);
});
