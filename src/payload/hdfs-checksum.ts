/**
 * HDFS's checksum of a file, made while its bytes pass by: a CRC of each 512 bytes, an MD5 over the CRCs of each
 * block, and an MD5 over those. HDFS takes the last one over its whole buffer, so it is padded with zeros to a power
 * of two of at least 32 bytes.
 */
import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { crc32c, crc32cOfTwo, inWords } from './crc32c.ts';

/** As GETFILECHECKSUM gives it; `bytes` in hex. */
export interface FileChecksum {
  readonly algorithm: string;
  readonly bytes: string;
}

type Crc = (data: Uint8Array, from: number, to: number, crc: number) => number;

const crcs: Record<string, Crc> = {
  CRC32C: crc32c,
  CRC32: (data, from, to, crc) => crc32(data.subarray(from, to), crc) | 0,
};

/** What a checksum's algorithm says of how it was made; undefined for one that cannot be made from the bytes here. */
function parseAlgorithm(algorithm: string): { bytesPerCrc: number; crc: Crc } | undefined {
  const parts = /^MD5-of-\d+MD5-of-([1-9]\d{0,8})(CRC32C?)$/.exec(algorithm);
  const crc = crcs[parts?.[2] ?? ''];
  return crc === undefined ? undefined : { bytesPerCrc: Number(parts?.[1]), crc };
}

/** Computes the checksum of the bytes given to it. */
export class HdfsChecksum {
  readonly #bytesPerCrc: number;
  readonly #crc: Crc;
  readonly #blockSizes: Iterator<number>;
  /** Bytes that the current block still takes. */
  #blockLeft: number;
  /** Bytes in the current CRC, and its value. */
  #crcLength = 0;
  #crcValue = 0;
  #block: Hash = createHash('md5');
  readonly #blockMd5s: Buffer[] = [];
  /** CRCs of the current block that its MD5 has not seen yet. */
  readonly #pending = Buffer.allocUnsafe(4096);
  #pendingLength = 0;
  #empty = true;
  readonly #two = new Int32Array(2);

  /**
   * A checksum to compare with `reference`; undefined when HDFS made that in a way that cannot be repeated.
   * @param blockSizes bytes in each block, or in all of them
   */
  static like(reference: FileChecksum, blockSizes: number | Iterable<number>): HdfsChecksum | undefined {
    const parsed = parseAlgorithm(reference.algorithm);
    if (parsed === undefined || blockSizes === 0) return undefined;
    const sizes = typeof blockSizes === 'number' ? repeat(blockSizes) : blockSizes[Symbol.iterator]();
    return new HdfsChecksum(parsed.bytesPerCrc, parsed.crc, sizes);
  }

  private constructor(bytesPerCrc: number, crc: Crc, blockSizes: Iterator<number>) {
    this.#bytesPerCrc = bytesPerCrc;
    this.#crc = crc;
    this.#blockSizes = blockSizes;
    this.#blockLeft = this.#nextBlockSize();
  }

  update(data: Uint8Array): void {
    if (data.length > 0) this.#empty = false;
    const words = this.#crc === crc32c && this.#bytesPerCrc % 8 === 0 ? inWords(data) : undefined;
    for (let position = 0; position < data.length; ) {
      if (this.#blockLeft === 0) this.#endBlock();
      if (words !== undefined && position % 4 === 0) position = this.#takePairs(words, position);
      if (this.#blockLeft === 0 || position === data.length) continue;
      const take = Math.min(data.length - position, this.#bytesPerCrc - this.#crcLength, this.#blockLeft);
      this.#crcValue = this.#crc(data, position, position + take, this.#crcValue);
      this.#crcLength += take;
      this.#blockLeft -= take;
      position += take;
      if (this.#crcLength === this.#bytesPerCrc) this.#endCrc();
    }
  }

  /** Takes of whole pieces as many as there are, two at a time. Gives the position behind them. */
  #takePairs(words: Int32Array, from: number): number {
    if (this.#crcLength > 0) return from;
    const length = this.#bytesPerCrc;
    const two = this.#two;
    const end = Math.min(4 * words.length, from + this.#blockLeft);
    let position = from;
    for (; position + 2 * length <= end; position += 2 * length) {
      crc32cOfTwo(words, position >>> 2, length >>> 2, two);
      this.#addCrc(two[0] ?? 0);
      this.#addCrc(two[1] ?? 0);
    }
    this.#blockLeft -= position - from;
    return position;
  }

  /** Does the checksum of all bytes so far equal this one? Nothing can be added afterwards. */
  matches(reference: FileChecksum): boolean {
    // Before the MD5 stand the bytes in a CRC (4 bytes) and the CRCs in a block (8).
    return reference.bytes.slice(24, 56).toLowerCase() === this.#digest();
  }

  /** The MD5 over all blocks' MD5s, hex. */
  #digest(): string {
    if (!this.#empty) this.#endBlock();
    let padded = 32;
    while (padded < this.#blockMd5s.length * 16) padded *= 2;
    const all = Buffer.alloc(padded);
    for (const [index, md5] of this.#blockMd5s.entries()) md5.copy(all, index * 16);
    return createHash('md5').update(all).digest('hex');
  }

  #endCrc(): void {
    this.#addCrc(this.#crcValue);
    this.#crcLength = 0;
    this.#crcValue = 0;
  }

  #addCrc(crc: number): void {
    if (this.#pendingLength === this.#pending.length) this.#flush();
    this.#pendingLength = this.#pending.writeInt32BE(crc, this.#pendingLength);
  }

  #flush(): void {
    this.#block.update(this.#pending.subarray(0, this.#pendingLength));
    this.#pendingLength = 0;
  }

  #endBlock(): void {
    if (this.#crcLength > 0) this.#endCrc();
    this.#flush();
    this.#blockMd5s.push(this.#block.digest());
    this.#block = createHash('md5');
    this.#blockLeft = this.#nextBlockSize();
  }

  /** Behind the last block that was named everything is one block, so that too many bytes cannot match. */
  #nextBlockSize(): number {
    const next = this.#blockSizes.next();
    return next.done === true || next.value <= 0 ? Number.POSITIVE_INFINITY : next.value;
  }
}

function* repeat(size: number): Generator<number, void> {
  for (;;) yield size;
}
