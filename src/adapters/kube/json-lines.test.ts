import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonLines } from './json-lines.ts';

async function* chunks(parts: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* parts;
}
async function collect(parts: Iterable<Buffer>, limit?: number): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of jsonLines(chunks(parts), limit)) values.push(value);
  return values;
}

describe('JSON lines', () => {
  it('come out whole however the bytes were cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        async (values, sizes) => {
          const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
          const parts: Buffer[] = [];
          for (let at = 0; at < bytes.length; ) {
            const size = sizes.next().value ?? 1;
            parts.push(bytes.subarray(at, at + size));
            at += size;
          }
          expect(await collect(parts)).toEqual(JSON.parse(JSON.stringify(values)));
        },
      ),
    );
  });

  it('drop a last line that was cut off', async () => {
    expect(await collect([Buffer.from('{"a":1}\n{"a"')])).toEqual([{ a: 1 }]);
  });

  it('refuse a line that is too long or is not JSON', async () => {
    await expect(collect([Buffer.from('"aaaa'), Buffer.from('aaaaaaaa')], 10)).rejects.toThrow(RangeError);
    await expect(collect([Buffer.from('{"a"\n')])).rejects.toThrow(SyntaxError);
  });
});
