/**
 * CRC-32C (Castagnoli), the checksum that HDFS keeps of each 512 bytes. node:zlib knows another polynomial only.
 * Slicing by 16: sixteen tables of 256 entries let one round take 16 bytes.
 */
const polynomial = 0x82f63b78;
const slices = 16;

const tables = makeTables();

function makeTables(): Int32Array {
  const all = new Int32Array(slices * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    all[byte] = value;
  }
  for (let index = 256; index < all.length; index++) {
    const above = entry(all, index - 256);
    all[index] = (above >>> 8) ^ entry(all, above & 0xff);
  }
  return all;
}

// Elements that are known to be there. One function for each type of array: shared, it would be a third slower.
function entry(table: Int32Array, index: number): number {
  return table[index] as number;
}
function byte(data: Uint8Array, index: number): number {
  return data[index] as number;
}

/**
 * @param from first byte
 * @param to behind the last byte
 * @param crc of the bytes before, 0 at the beginning
 * @returns the CRC of all bytes so far, as a signed 32-bit number
 */
export function crc32c(data: Uint8Array, from = 0, to = data.length, crc = 0): number {
  const t = tables;
  let c = ~crc;
  let i = from;
  for (; i + 16 <= to; i += 16) {
    c ^= byte(data, i) | (byte(data, i + 1) << 8) | (byte(data, i + 2) << 16) | (byte(data, i + 3) << 24);
    c =
      entry(t, 3840 + (c & 255)) ^
      entry(t, 3584 + ((c >>> 8) & 255)) ^
      entry(t, 3328 + ((c >>> 16) & 255)) ^
      entry(t, 3072 + (c >>> 24)) ^
      entry(t, 2816 + byte(data, i + 4)) ^
      entry(t, 2560 + byte(data, i + 5)) ^
      entry(t, 2304 + byte(data, i + 6)) ^
      entry(t, 2048 + byte(data, i + 7)) ^
      entry(t, 1792 + byte(data, i + 8)) ^
      entry(t, 1536 + byte(data, i + 9)) ^
      entry(t, 1280 + byte(data, i + 10)) ^
      entry(t, 1024 + byte(data, i + 11)) ^
      entry(t, 768 + byte(data, i + 12)) ^
      entry(t, 512 + byte(data, i + 13)) ^
      entry(t, 256 + byte(data, i + 14)) ^
      entry(t, byte(data, i + 15));
  }
  for (; i < to; i++) c = entry(t, (c ^ byte(data, i)) & 255) ^ (c >>> 8);
  return ~c;
}

/**
 * The CRCs of two pieces that follow each other. Both at once, because the processor looks one up while it waits for the
 * other: half as fast again as one after the other. Of words, so for little-endian processors only; see inWords.
 *
 * @param from first word of the first piece
 * @param length words in each piece, a multiple of 2
 * @param into where the two go
 */
export function crc32cOfTwo(words: Int32Array, from: number, length: number, into: Int32Array): void {
  const t = tables;
  let c = -1;
  let d = -1;
  for (let i = from; i < from + length; i += 2) {
    c ^= entry(words, i);
    const e = entry(words, i + 1);
    d ^= entry(words, i + length);
    const f = entry(words, i + length + 1);
    c =
      entry(t, 1792 + (c & 255)) ^
      entry(t, 1536 + ((c >>> 8) & 255)) ^
      entry(t, 1280 + ((c >>> 16) & 255)) ^
      entry(t, 1024 + (c >>> 24)) ^
      entry(t, 768 + (e & 255)) ^
      entry(t, 512 + ((e >>> 8) & 255)) ^
      entry(t, 256 + ((e >>> 16) & 255)) ^
      entry(t, e >>> 24);
    d =
      entry(t, 1792 + (d & 255)) ^
      entry(t, 1536 + ((d >>> 8) & 255)) ^
      entry(t, 1280 + ((d >>> 16) & 255)) ^
      entry(t, 1024 + (d >>> 24)) ^
      entry(t, 768 + (f & 255)) ^
      entry(t, 512 + ((f >>> 8) & 255)) ^
      entry(t, 256 + ((f >>> 16) & 255)) ^
      entry(t, f >>> 24);
  }
  into[0] = ~c;
  into[1] = ~d;
}

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** The same bytes as words, as many as are whole; undefined where they do not lie so that they can be read as such. */
export function inWords({ buffer, byteOffset, length }: Uint8Array): Int32Array | undefined {
  return littleEndian && byteOffset % 4 === 0 ? new Int32Array(buffer, byteOffset, length >>> 2) : undefined;
}
