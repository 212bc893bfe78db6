import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutIntoBlocks, plainHdfsChecksum } from '../../test/builders/fake-webhdfs.ts';
import { type FileChecksum, HdfsChecksum } from './hdfs-checksum.ts';

function matches(
  data: Uint8Array,
  reference: FileChecksum,
  blocks: number | number[],
  pieces: number[] = [],
): boolean | undefined {
  const sum = HdfsChecksum.like(reference, blocks);
  let at = 0;
  for (const piece of pieces) {
    sum?.update(data.subarray(at, at + piece));
    at += piece;
  }
  sum?.update(data.subarray(at));
  return sum?.matches(reference);
}

describe('HDFS 3.5.0 gave these checksums', () => {
  it.each([
    [
      Buffer.alloc(3_000_000, 'abc'),
      1024 * 1024,
      { algorithm: 'MD5-of-2048MD5-of-512CRC32C', bytes: '0000020000000000000008008d0b9eddad2c7153222de48ec6a62073' },
    ],
    [
      Buffer.alloc(5_000_001, 'xyz1'),
      128 * 1024 * 1024,
      { algorithm: 'MD5-of-0MD5-of-512CRC32C', bytes: '000002000000000000000000b0e518496952fe8e730a9efb9f141b5c' },
    ],
  ])('%#', (data, blockSize, reference) => {
    expect(matches(data, reference, blockSize)).toBe(true);
    data[17] = (data[17] ?? 0) ^ 1;
    expect(matches(data, reference, blockSize)).toBe(false);
  });
});

describe('any bytes', () => {
  const block = fc.integer({ min: 1, max: 6 }).map((count) => count * 512);
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 20_000, size: 'max' });

  it('have the checksum of the definition, in whatever pieces they come', () => {
    fc.assert(
      fc.property(bytes, block, fc.array(fc.nat(3000)), (data, blockSize, pieces) => {
        expect(matches(data, plainHdfsChecksum(cutIntoBlocks(Buffer.from(data), blockSize)), blockSize, pieces)).toBe(
          true,
        );
      }),
    );
  });

  it('with one bit changed, one byte less or one more have another', () => {
    fc.assert(
      fc.property(bytes, block, fc.nat(), fc.nat(7), (data, blockSize, at, bit) => {
        const reference = plainHdfsChecksum(cutIntoBlocks(Buffer.from(data), blockSize));
        const flipped = Uint8Array.from(data);
        flipped[at % data.length] = (data[at % data.length] ?? 0) ^ (1 << bit);
        expect(matches(flipped, reference, blockSize)).toBe(false);
        expect(matches(data.subarray(1), reference, blockSize)).toBe(false);
        expect(matches(Uint8Array.from([...data, 0]), reference, blockSize)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });
});

it('blocks may have any sizes where files were joined', () => {
  const data = Buffer.alloc(5000, 'joined');
  const reference = plainHdfsChecksum([data.subarray(0, 1000), data.subarray(1000, 3500), data.subarray(3500)]);
  expect(matches(data, reference, [1000, 2500, 1500])).toBe(true);
  expect(matches(data, reference, [1000, 2500, 1500], [999, 2, 2499])).toBe(true);
  expect(matches(data, reference, 1024)).toBe(false);
});

it('the older CRC is known too', () => {
  const data = Buffer.alloc(1000, 'old');
  const crcs = Buffer.alloc(8);
  crcs.writeUInt32BE(crc32(data.subarray(0, 512)), 0);
  crcs.writeUInt32BE(crc32(data.subarray(512)), 4);
  const block = createHash('md5').update(crcs).digest();
  const all = createHash('md5')
    .update(Buffer.concat([block, Buffer.alloc(16)]))
    .digest('hex');
  expect(matches(data, { algorithm: 'MD5-of-0MD5-of-512CRC32', bytes: `${'0'.repeat(24)}${all}` }, 1 << 20)).toBe(true);
});

it.each(['COMPOSITE-CRC32C', 'MD5-of-0MD5-of-512NULL', 'MD5-of-0MD5-of-0CRC32C', '', 'MD5-of-0MD5-of-512toString'])(
  'one made as %s cannot be repeated',
  (algorithm) => {
    expect(HdfsChecksum.like({ algorithm, bytes: '' }, 1024)).toBeUndefined();
  },
);
