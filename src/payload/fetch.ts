/**
 * Copies a pinned payload from HDFS into a directory: with bounded memory, a few files at a time, going on where an
 * earlier attempt stopped, and believing no byte before its file's digest was compared with the pin.
 */

import type { FileHandle } from 'node:fs/promises';
import { asMaasError, hasCode, MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import type { FetchProgress, PinnedFile, PinnedPayload } from '../contracts/payload.ts';
import { backOffMs } from '../kernel/back-off.ts';
import { mapBounded } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import { openBeneath } from './beneath.ts';
import { HdfsChecksum } from './hdfs-checksum.ts';
import type { PayloadHdfs } from './payload-hdfs.ts';
import { shown } from './payload-rules.ts';
import { DataNodes, PinnedDigests, type PinnedSource, readFailure, unevenBlocks, verdictOn } from './pinned-file.ts';
import { TransferTally } from './transfer-tally.ts';

/** Where the files come from. */
export type FetchSource = PinnedSource & Pick<PayloadHdfs, 'read'>;

export interface FetchOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** From 0 to 1; for jitter. */
  readonly random: () => number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each file, error and mebibyte; must not throw. */
  readonly progress?: ((progress: FetchProgress) => void) | undefined;
  /** Files at a time. */
  readonly concurrency?: number;
}

export interface FetchResult {
  /** Bytes that came from HDFS; the others were there. */
  readonly bytesFetched: number;
}

/** Attempts of one file with wrong bytes before that is reported as final. */
const maxCorrupt = 5;
const pauses = { firstMs: 500, longestMs: 30_000 };
const readBufferBytes = 1024 * 1024;

/**
 * Brings all files of the payload into the directory. What may pass (HDFS away, a standby, a refused connection) is
 * retried for ever, with growing pauses, and told through `progress`.
 *
 * @param directory existing; other files in it are left alone
 * @throws PAYLOAD_CHANGED when a file in HDFS has other bytes than the pinned one, PAYLOAD_NO_SPACE,
 *   HDFS_DATA_CORRUPT when wrong bytes keep coming, HDFS_FORBIDDEN and other codes that do not pass by themselves
 */
export async function fetchPayload(
  source: FetchSource,
  pinned: PinnedPayload,
  directory: string,
  options: FetchOptions,
): Promise<FetchResult> {
  const trouble: Trouble = { lastError: undefined };
  const total = { files: pinned.files.length, bytes: pinned.bytes };
  const tally = new TransferTally(total, (done) => options.progress?.({ ...done, ...trouble }));
  const received = await mapBounded(
    pinned.files,
    options.concurrency ?? 3,
    async (file, signal) => {
      const own = { file, signal, inPlace: tally.file(), nodes: new DataNodes(), received: 0 };
      const job: Job = { source, pinned, directory, options, trouble, tally, ...own };
      await fetchUntilRight(job);
      return job.received;
    },
    options.signal,
  );
  return { bytesFetched: received.reduce((sum, bytes) => sum + bytes, 0) };
}

/** Of all files. */
interface Trouble {
  lastError: MaasError | undefined;
}

interface Job {
  readonly source: FetchSource;
  readonly pinned: PinnedPayload;
  readonly file: PinnedFile;
  readonly directory: string;
  readonly options: FetchOptions;
  readonly signal: AbortSignal;
  readonly trouble: Trouble;
  readonly tally: TransferTally;
  /** Told how many bytes of the file are there. */
  readonly inPlace: (bytes: number) => void;
  readonly nodes: DataNodes;
  /** Bytes that came from HDFS, in all attempts. */
  received: number;
}

async function fetchUntilRight(job: Job): Promise<void> {
  const { file, options, signal, trouble, tally } = job;
  let corrupt = 0;
  for (let failures = 0; ; ) {
    const before = job.received;
    try {
      await fetchFile(job);
      trouble.lastError = undefined;
      return tally.fileDone();
    } catch (error) {
      signal.throwIfAborted();
      const coded = codedFailure(error, file);
      if (coded.code === 'HDFS_DATA_CORRUPT') corrupt += 1;
      if (!coded.transient || corrupt >= maxCorrupt) throw coded;
      failures = job.received > before && coded.code !== 'HDFS_DATA_CORRUPT' ? 1 : failures + 1;
      trouble.lastError = coded;
      tally.tell();
      await options.clock.sleep(backOffMs(pauses, failures - 1, options.random), signal);
    }
  }
}

/** Brings one file into place and checks it. */
async function fetchFile(job: Job): Promise<void> {
  const { source, pinned, file, directory, signal, inPlace, nodes } = job;
  const path = joinHdfsPath(pinned.path, file.path);
  const handle = await openBeneath(directory, file.path);
  try {
    const { size } = await handle.stat();
    const there = size <= file.length ? size : 0;
    if (there !== size) await handle.truncate(0);
    const digests = new PinnedDigests(file);
    inPlace(0);
    await readBack(handle, there, digests, signal);
    inPlace(there);

    try {
      if (there < file.length) await download(job, path, { handle, there, digests });
    } catch (error) {
      throw await readFailure(source, pinned, file, error, signal);
    }

    const verdict = await verdictOn(source, pinned, file, digests, signal);
    const leftover = there > 0;
    if (verdict.kind === 'right' || (verdict.kind === 'unproved' && !leftover)) return;
    if (verdict.kind === 'wrong' && verdict.perhapsUneven && (await fitsItsBlocks(job, path, handle))) return;
    await handle.truncate(0);
    if (leftover || verdict.kind !== 'wrong') {
      throw new LeftoverWrong(
        'HDFS_ERROR',
        `What an earlier attempt left of ${shown(file.path)} cannot be gone on with`,
      );
    }
    nodes.blame();
    const problem = `${shown(path)} came with other bytes than were pinned: ${verdict.problem}`;
    throw new MaasError('HDFS_DATA_CORRUPT', problem);
  } finally {
    await handle.close();
  }
}

async function download(
  job: Job,
  path: string,
  { handle, there, digests }: { handle: FileHandle; there: number; digests: PinnedDigests },
): Promise<void> {
  const { source, file, signal, trouble, inPlace, nodes } = job;
  let position = there;
  const wanted = { offset: there, length: file.length - there, lent: true, signal, ...nodes.next() };
  for await (const chunk of await source.read(path, wanted)) {
    const written = writeAll(handle, chunk, position);
    digests.update(chunk);
    await written;
    position += chunk.length;
    job.received += chunk.length;
    trouble.lastError = undefined;
    inPlace(position);
  }
  if (position !== file.length) {
    throw new MaasError('HDFS_DATA_CORRUPT', `${shown(path)} came as ${position} of ${file.length} bytes`);
  }
}

/** Not an error of HDFS: the next attempt begins with nothing. */
class LeftoverWrong extends MaasError {}

/**
 * Files that were appended to or joined can have short blocks in their middle, which show in the checksum. Where a file
 * is cut so, what was fetched is checked once more along its real blocks.
 */
async function fitsItsBlocks({ source, file, signal }: Job, path: string, handle: FileHandle): Promise<boolean> {
  if (file.checksum === undefined) return false;
  const lengths = await unevenBlocks(source, path, file, signal);
  if (lengths === undefined) return false;
  const sum = HdfsChecksum.like(file.checksum, lengths);
  if (sum === undefined) return false;
  await readBack(handle, file.length, sum, signal);
  return sum.matches(file.checksum);
}

async function readBack(
  handle: FileHandle,
  length: number,
  digests: PinnedDigests | HdfsChecksum,
  signal: AbortSignal,
): Promise<void> {
  if (length === 0) return;
  const buffer = Buffer.allocUnsafe(Math.min(length, readBufferBytes));
  for (let position = 0; position < length; ) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, length - position), position);
    if (bytesRead === 0) throw new MaasError('INTERNAL', 'A file of the payload became shorter while it was read');
    digests.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, written, chunk.length - written, position + written);
    written += bytesWritten;
  }
}

function codedFailure(error: unknown, file: PinnedFile): MaasError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new MaasError('PAYLOAD_NO_SPACE', `There is no room for ${shown(file.path)} (${file.length} bytes)`, {
      cause: error,
    });
  }
  if (code === 'ENAMETOOLONG') {
    return new MaasError('PAYLOAD_NAME_INVALID', `The name ${shown(file.path)} is too long for the node`, {
      cause: error,
    });
  }
  // Gone between looking and opening.
  if (hasCode(error, 'HDFS_PATH_MISSING')) return new MaasError('PAYLOAD_CHANGED', error.message, { cause: error });
  return asMaasError(error);
}
