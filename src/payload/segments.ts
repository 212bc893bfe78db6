/**
 * How a file is cut into segments that are fetched side by side, and what can be trusted of one that was left half-way.
 *
 *     segment i begins once all up to segment i - atOnce are complete
 *  => no byte is written at or behind  front + window,  front: end of what has come without a gap, window = atOnce * bytes
 *  => of a file of n bytes, whatever killed its writer, the first n - window have come
 *
 * so that the length of the file on disk is all that has to be known to go on with it.
 */
export interface Cut {
  /** Longest segment. */
  readonly bytes: number;
  /** Segments of one file that are under way. */
  readonly atOnce: number;
  /** A data node that gives fewer bytes in a millisecond is helped out by others; a faster one costs least alone. */
  readonly slow: number;
}

/**
 * Long enough that asking for a segment costs little beside it; and few enough that the kernel still has in memory what is
 * to be read back for the digest, within the memory limit of an agent's container, which counts that as well. Slow is
 * what gives less than an idle disk or half a gigabit of network.
 */
export const usualCut: Cut = { bytes: 16 * 1024 * 1024, atOnce: 4, slow: 60_000 };

export interface Segment {
  readonly offset: number;
  readonly length: number;
}

/**
 * Segments of a file from an offset to its end, in their order. None reaches over the end of an HDFS block: a data node
 * that lacks the next one would have it sent by another first.
 */
export function segmentsOf(
  { length, blockSize }: { length: number; blockSize: number },
  from: number,
  cut: Pick<Cut, 'bytes'>,
) {
  const segments: Segment[] = [];
  const endOf = (unit: number, offset: number) => (Math.floor(offset / unit) + 1) * unit;
  for (let offset = from; offset < length; ) {
    const blockEnd = blockSize > cut.bytes ? endOf(blockSize, offset) : length;
    const end = Math.min(length, endOf(cut.bytes, offset), blockEnd);
    segments.push({ offset, length: end - offset });
    offset = end;
  }
  return segments;
}

/**
 * How many bytes of a file, from its beginning, have surely been written.
 * @param size of what is there
 * @param length of the whole file
 */
export function withoutGap(size: number, length: number, cut: Cut): number {
  if (size > length) return 0;
  return length <= cut.bytes ? size : beforeGaps(size, cut);
}

/** The same of a file that is there in its whole length, but proved to be wrong. */
export function beforeGaps(size: number, { bytes, atOnce }: Cut): number {
  return Math.max(0, size - atOnce * bytes);
}
