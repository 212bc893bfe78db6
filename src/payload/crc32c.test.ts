import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32c, crc32cOfTwo, inWords } from './crc32c.ts';

/** From the definition, bit by bit. */
function plain(data: Uint8Array): number {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc;
}

it.each([
  ['', 0],
  ['123456789', 0xe3069283],
  ['\0'.repeat(32), 0x8a9136aa],
  ['ÿ'.repeat(32), 0x62a8ab43],
])('gives the published values (%#)', (text, value) => {
  expect(crc32c(Buffer.from(text, 'latin1')) >>> 0).toBe(value);
});

it('equals its definition for any bytes, whole or in pieces', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), fc.nat(200), (data, one, other) => {
      const from = Math.min(one, other, data.length);
      const to = Math.min(Math.max(one, other), data.length);
      expect(crc32c(data)).toBe(plain(data));
      expect(crc32c(data, from, to)).toBe(plain(data.subarray(from, to)));
      expect(crc32c(data, to, data.length, crc32c(data, 0, to))).toBe(plain(data));
    }),
  );
});

it('two pieces at once have the same values, wherever they lie', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 64, maxLength: 400 }),
      fc.nat(3),
      fc.integer({ min: 1, max: 4 }),
      (data, from, pairs) => {
        const words = inWords(data);
        const two = new Int32Array(2);
        const length = 2 * pairs;
        const [first, second, end] = [4 * from, 4 * (from + length), 4 * (from + 2 * length)];
        fc.pre(end <= data.length);
        if (words !== undefined) crc32cOfTwo(words, from, length, two);
        expect([...two]).toEqual([plain(data.subarray(first, second)), plain(data.subarray(second, end))]);
      },
    ),
  );
});

it('bytes that do not lie at a whole word are not read as words', () => {
  const data = new Uint8Array(16);
  expect(inWords(data.subarray(1))).toBeUndefined();
  expect(inWords(data.subarray(4, 15))).toHaveLength(2);
});
