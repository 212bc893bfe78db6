import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32c } from './crc32c.ts';

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
