/** Bringing one file of a payload into place, attempt by attempt, and knowing what of it is worth keeping in between. */
import type { FileHandle } from 'node:fs/promises';
import { MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import type { PinnedFile, PinnedPayload } from '../contracts/payload.ts';
import { mapBounded, type Slots } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import { openBeneath } from './beneath.ts';
import { DigestInOrder } from './digest-in-order.ts';
import { HdfsChecksum } from './hdfs-checksum.ts';
import type { NearPayload, Taken } from './near-payload.ts';
import type { PayloadHdfs } from './payload-hdfs.ts';
import { shown } from './payload-rules.ts';
import {
  type BytesVerdict,
  DataNodes,
  PinnedDigests,
  type PinnedSource,
  readFailure,
  unevenBlocks,
  verdictOn,
} from './pinned-file.ts';
import { beforeGaps, type Cut, type Segment, segmentsOf, withoutGap } from './segments.ts';

/** Where the files come from. */
export type FetchSource = PinnedSource & Pick<PayloadHdfs, 'read'>;

export interface FileFetchOptions {
  readonly source: FetchSource;
  readonly pinned: PinnedPayload;
  readonly file: PinnedFile;
  /** Where the payload goes. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Requests of all files. */
  readonly requests: Slots;
  readonly cut: Cut;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Asked before HDFS, where there is one. */
  readonly near?: NearPayload | undefined;
  /** Told how many bytes of the file are there, each time some came. */
  readonly inPlace: (bytes: number) => void;
}

/** What is there of a file, and what its bytes are told to. */
interface Target {
  readonly handle: FileHandle;
  /** Bytes at its beginning that are kept. */
  readonly there: number;
  readonly inOrder: DigestInOrder;
}

/** Which data nodes an attempt may ask. */
type Asked = ReturnType<DataNodes['next']>;

/** Not an error of HDFS: the next attempt begins with less, or with nothing. */
class LeftoverWrong extends MaasError {}

export class FileFetch {
  /** Bytes that came from HDFS, in all attempts. */
  received = 0;
  readonly #options: FileFetchOptions;
  readonly #path: string;
  readonly #nodes = new DataNodes();
  /** Bytes at the beginning that the next attempt keeps; undefined before the first one. */
  #kept: number | undefined;
  /** Wrong bytes came from several data nodes at once: from one at a time it shows from which. */
  #oneByOne = false;
  /** What is there has bytes that came from near by. */
  #nearBy = false;
  /** The file is given on while it comes. */
  #offered: Taken['offered'];

  constructor(options: FileFetchOptions) {
    this.#options = options;
    this.#path = joinHdfsPath(options.pinned.path, options.file.path);
  }

  /** Brings the file into place and checks it. What failed may be tried again. */
  async attempt(): Promise<void> {
    const { source, pinned, file, directory, signal, inPlace } = this.#options;
    const handle = await openBeneath(directory, file.path);
    try {
      const there = await this.#keepFrom(handle);
      const digests = new PinnedDigests(file);
      inPlace(0);
      const inOrder = await readBack(handle, there, digests, signal);
      inPlace(there);
      try {
        if (there < file.length) await this.#bringRest({ handle, there, inOrder });
      } catch (error) {
        throw await readFailure(source, pinned, file, error, signal);
      } finally {
        await inOrder.end();
      }

      const verdict = await verdictOn(source, pinned, file, digests, signal);
      if (verdict.kind === 'right') return await this.#options.near?.keepUp();
      if (verdict.kind === 'unproved' && there === 0) return;
      if (verdict.kind === 'wrong' && verdict.perhapsUneven && (await this.#fitsItsBlocks(handle))) return;
      throw await this.#refuse(handle, there, verdict);
    } finally {
      await handle.close();
    }
  }

  /** Keeps as much as may be right. @returns what the attempt failed with */
  async #refuse(handle: FileHandle, there: number, verdict: BytesVerdict): Promise<MaasError> {
    const { file, cut, near } = this.#options;
    this.#offered?.withdraw();
    if (this.#nearBy && there === 0) {
      this.#nearBy = false;
      near?.wrong(file);
      await this.#keep(handle, 0);
      return new LeftoverWrong(
        'HDFS_ERROR',
        `The node's cache has other bytes than were pinned for ${shown(file.path)}`,
      );
    }
    if (there > 0 || verdict.kind !== 'wrong') {
      // One that was whole may have gaps near its end only.
      await this.#keep(handle, verdict.kind === 'wrong' && there === file.length ? beforeGaps(there, cut) : 0);
      const problem = `What an earlier attempt left of ${shown(file.path)} cannot be gone on with`;
      return new LeftoverWrong('HDFS_ERROR', problem);
    }
    await this.#keep(handle, 0);
    if (this.#oneByOne || !this.#nodes.several) this.#nodes.blame();
    this.#oneByOne = true;
    const problem = `${shown(this.#path)} came with other bytes than were pinned: ${verdict.problem}`;
    return new MaasError('HDFS_DATA_CORRUPT', problem);
  }

  /** What is there already, as far as it can be gone on with. */
  async #keepFrom(handle: FileHandle): Promise<number> {
    const { length } = this.#options.file;
    const { size } = await handle.stat();
    const kept = Math.min(size, this.#kept ?? (size === length ? length : withoutGap(size, length, this.#options.cut)));
    if (kept !== size) await handle.truncate(kept);
    return kept;
  }

  async #keep(handle: FileHandle, bytes: number): Promise<void> {
    this.#kept = bytes;
    await handle.truncate(bytes);
  }

  /** From near by as far as that goes, then from HDFS. */
  async #bringRest(target: Target): Promise<void> {
    const { near, file, signal } = this.#options;
    if (near === undefined || this.#offered !== undefined) return await this.#download(target);
    const { handle, inOrder } = target;
    const { position, offered } = await near.take(
      file,
      target.there,
      async (chunk, at) => {
        this.#nearBy = true;
        inOrder.offer(chunk, at);
        await writeAll(handle, chunk, at);
        this.#kept = at + chunk.length;
        inOrder.written(this.#kept);
        this.#options.inPlace(this.#kept);
      },
      signal,
    );
    this.#offered = offered;
    offered?.reached(position);
    if (position < file.length) await this.#download({ ...target, there: position });
  }

  /**
   * Two segments alone, of which the second shows how fast a data node is: with the first one, disks begin to turn and
   * the agent's own code to be compiled. Then the others side by side, or block after block.
   */
  async #download(target: Target): Promise<void> {
    const { file, cut, clock } = this.#options;
    const { there } = target;
    const asked = this.#nodes.next();
    if (this.#oneByOne) return this.#fetch([{ offset: there, length: file.length - there }], 1, asked, target);
    const [first, second, ...others] = segmentsOf(file, there, cut);
    if (first !== undefined) await this.#fetch([first], 1, asked, target);
    if (second === undefined) return;
    const begun = clock.monotonic();
    await this.#fetch([second], 1, asked, target);
    const isSlow = second.length / (clock.monotonic() - begun) <= cut.slow;
    const rest = isSlow ? others : segmentsOf(file, endOf(second), { bytes: Math.max(file.blockSize, cut.bytes) });
    if (rest.length > 0) await this.#fetch(rest, isSlow ? cut.atOnce : 1, asked, target);
  }

  /** @param segments each begins where the one before ends, the first where the file is without a gap */
  async #fetch(segments: readonly Segment[], atOnce: number, asked: Asked, { handle, inOrder }: Target): Promise<void> {
    const { signal } = this.#options;
    const start = segments[0]?.offset ?? 0;
    const arrived = segments.map(({ offset }) => offset);
    const over = segments.map(() => Promise.withResolvers<void>());
    let first = 0;
    let inPlace = start;
    /** Where the first gap begins. */
    const front = () => {
      while (first < segments.length - 1 && arrived[first] === endOf(segments[first])) first += 1;
      return arrived[first] ?? start;
    };
    try {
      await mapBounded(
        segments,
        atOnce,
        async (segment, stop) => {
          const index = segments.indexOf(segment);
          try {
            const before = segments[index - atOnce];
            // What segments.ts rests on. And a digest that lags far behind would read from the disk.
            await over[index - atOnce]?.promise;
            stop.throwIfAborted();
            if (before !== undefined) await inOrder.until(before.offset);
            await this.#options.requests.within(() =>
              this.#receive(segment, { handle, asked, stop }, inOrder, (position, bytes) => {
                arrived[index] = position;
                inPlace += bytes;
                inOrder.written(front());
                this.#offered?.reached(front());
                this.#options.inPlace(inPlace);
              }),
            );
          } finally {
            // All before it, too.
            over[index]?.resolve(over[index - 1]?.promise);
          }
        },
        signal,
      );
      await inOrder.until(front());
    } catch (error) {
      await this.#keep(handle, front());
      throw error;
    }
  }

  async #receive(
    { offset, length }: Segment,
    from: { readonly handle: FileHandle; readonly asked: Asked; readonly stop: AbortSignal },
    inOrder: DigestInOrder,
    came: (position: number, bytes: number) => void,
  ): Promise<void> {
    from.stop.throwIfAborted();
    let position = offset;
    const wanted = { offset, length, lent: true, signal: from.stop, ...from.asked };
    for await (const chunk of await this.#options.source.read(this.#path, wanted)) {
      const written = writeAll(from.handle, chunk, position);
      inOrder.offer(chunk, position);
      await written;
      position += chunk.length;
      this.received += chunk.length;
      came(position, chunk.length);
    }
    if (position === offset + length) return;
    const { file } = this.#options;
    throw new MaasError('HDFS_DATA_CORRUPT', `${shown(this.#path)} came as ${position} of ${file.length} bytes`);
  }

  /**
   * Files that were appended to or joined can have short blocks in their middle, which show in the checksum. Where a file
   * is cut so, what was fetched is checked once more along its real blocks.
   */
  async #fitsItsBlocks(handle: FileHandle): Promise<boolean> {
    const { source, file, signal } = this.#options;
    if (file.checksum === undefined) return false;
    const lengths = await unevenBlocks(source, this.#path, file, signal);
    if (lengths === undefined) return false;
    const sum = HdfsChecksum.like(file.checksum, lengths);
    if (sum === undefined) return false;
    await readBack(handle, file.length, sum, signal);
    return sum.matches(file.checksum);
  }
}

function endOf(segment: Segment | undefined): number {
  return segment === undefined ? 0 : segment.offset + segment.length;
}

/** @returns to go on with behind what was read */
async function readBack(
  handle: FileHandle,
  length: number,
  digest: PinnedDigests | HdfsChecksum,
  signal: AbortSignal,
): Promise<DigestInOrder> {
  const inOrder = new DigestInOrder(handle, digest, signal);
  inOrder.written(length);
  await inOrder.until(length);
  return inOrder;
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, written, chunk.length - written, position + written);
    written += bytesWritten;
  }
}
