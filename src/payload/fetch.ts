/**
 * Copies a pinned payload from HDFS into a directory: with bounded memory, a few files at a time, going on where an
 * earlier attempt stopped, and believing no byte before its file's digest was compared with the pin.
 */

import type { FileHandle } from 'node:fs/promises';
import { asMaasError, hasCode, MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import type { PinnedFile, PinnedPayload } from '../contracts/payload.ts';
import { backOffMs } from '../kernel/back-off.ts';
import { mapBounded } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import { openBeneath } from './beneath.ts';
import { HdfsChecksum } from './hdfs-checksum.ts';
import { shown } from './payload-rules.ts';
import { checkStillPinned, otherChecksum, PinnedDigests, type PinnedSource, unevenBlocks } from './pinned-file.ts';

/** Where the files come from. */
export interface FetchSource extends PinnedSource {
  read(
    path: string,
    options?: {
      offset?: number;
      length?: number;
      signal?: AbortSignal | undefined;
      exclude?: readonly string[];
      onDataNode?: ((name: string) => void) | undefined;
    },
  ): Promise<AsyncIterable<Uint8Array>>;
}

export interface FetchProgress {
  readonly filesDone: number;
  readonly filesTotal: number;
  /** Bytes in place, those found there at the beginning included. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** What is being retried; undefined again after the next success. */
  readonly lastError: MaasError | undefined;
}

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
const reportEveryBytes = 1024 * 1024;

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
  const tally = new Tally(pinned, options.progress);
  await mapBounded(
    pinned.files,
    options.concurrency ?? 3,
    async (file, signal) => {
      await fetchUntilRight({ source, pinned, file, directory, options, signal, tally });
    },
    options.signal,
  );
  return { bytesFetched: tally.bytesFetched };
}

interface Job {
  readonly source: FetchSource;
  readonly pinned: PinnedPayload;
  readonly file: PinnedFile;
  readonly directory: string;
  readonly options: FetchOptions;
  readonly signal: AbortSignal;
  readonly tally: Tally;
}

async function fetchUntilRight(job: Job): Promise<void> {
  const { file, options, signal, tally } = job;
  /** Data nodes that gave wrong bytes. */
  const exclude: string[] = [];
  let corrupt = 0;
  for (let failures = 0; ; ) {
    const attempt = { exclude, received: 0 };
    try {
      await fetchFile(job, attempt);
      tally.fileDone();
      return;
    } catch (error) {
      signal.throwIfAborted();
      const coded = codedFailure(error, file);
      if (coded.code === 'HDFS_DATA_CORRUPT') corrupt += 1;
      if (!coded.transient || corrupt >= maxCorrupt) throw coded;
      failures = attempt.received > 0 && coded.code !== 'HDFS_DATA_CORRUPT' ? 1 : failures + 1;
      tally.failed(coded);
      await options.clock.sleep(backOffMs(pauses, failures - 1, options.random), signal);
    }
  }
}

/**
 * Brings one file into place and checks it. HDFS is asked what it has at the path only when the bytes do not settle
 * the matter: where their digest is right, it does not matter what became of the file since.
 */
async function fetchFile(job: Job, attempt: { readonly exclude: string[]; received: number }): Promise<void> {
  const { pinned, file, directory, signal, tally } = job;
  const { exclude } = attempt;
  const path = joinHdfsPath(pinned.path, file.path);
  const handle = await openBeneath(directory, file.path);
  try {
    const { size } = await handle.stat();
    const there = size <= file.length ? size : 0;
    if (there !== size) await handle.truncate(0);
    const digests = new PinnedDigests(file);
    tally.begin(file);
    await readBack(handle, there, digests, signal);
    tally.found(file, there);

    const served = new Set<string>();
    try {
      const target = { handle, there, digests };
      if (there < file.length) await download(job, path, target, attempt, (dataNode) => served.add(dataNode));
    } catch (error) {
      // How a file that was replaced looks to one who reads it.
      if (hasCode(error, 'HDFS_DATA_CORRUPT', 'HDFS_PATH_MISSING'))
        await checkStillPinned(job.source, pinned, file, signal);
      throw error;
    }

    const problem = digests.problem();
    if (problem === undefined && digests.any) return;
    const { repeatable } = await checkStillPinned(job.source, pinned, file, signal);
    const leftover = there > 0;
    // With no digest to compare, that the file is still the same one tells that what was read from it now is right.
    if (!leftover && (problem === undefined || (problem === otherChecksum && !repeatable))) return;
    if (repeatable && problem === otherChecksum && (await fitsItsBlocks(job, path, handle))) return;
    await handle.truncate(0);
    if (leftover) {
      throw new LeftoverWrong(
        'HDFS_ERROR',
        `What an earlier attempt left of ${shown(file.path)} cannot be gone on with`,
      );
    }
    exclude.push(...[...served].filter((name) => !exclude.includes(name)));
    throw new MaasError('HDFS_DATA_CORRUPT', `${shown(path)} came with other bytes than were pinned: ${problem}`);
  } finally {
    await handle.close();
  }
}

async function download(
  { source, file, signal, tally }: Job,
  path: string,
  { handle, there, digests }: { handle: FileHandle; there: number; digests: PinnedDigests },
  attempt: { readonly exclude: string[]; received: number },
  onDataNode: (name: string) => void,
): Promise<void> {
  const wanted = { offset: there, length: file.length - there, signal, exclude: attempt.exclude, onDataNode };
  let position = there;
  for await (const chunk of await source.read(path, wanted)) {
    await writeAll(handle, chunk, position);
    digests.update(chunk);
    position += chunk.length;
    attempt.received += chunk.length;
    tally.fetched(file, chunk.length);
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

/** What has been done of all files, for those who watch. */
class Tally {
  bytesFetched = 0;
  readonly #total: { readonly files: number; readonly bytes: number };
  readonly #report: ((progress: FetchProgress) => void) | undefined;
  /** Bytes in place by path. */
  readonly #inPlace = new Map<string, number>();
  #bytesDone = 0;
  #filesDone = 0;
  #unreported = 0;
  #lastError: MaasError | undefined;

  constructor(pinned: PinnedPayload, report: ((progress: FetchProgress) => void) | undefined) {
    this.#total = { files: pinned.files.length, bytes: pinned.bytes };
    this.#report = report;
  }

  begin(file: PinnedFile): void {
    this.#bytesDone -= this.#inPlace.get(file.path) ?? 0;
    this.#inPlace.set(file.path, 0);
  }

  found(file: PinnedFile, bytes: number): void {
    this.#add(file, bytes);
  }

  fetched(file: PinnedFile, bytes: number): void {
    this.bytesFetched += bytes;
    this.#lastError = undefined;
    this.#add(file, bytes);
  }

  fileDone(): void {
    this.#filesDone += 1;
    this.#lastError = undefined;
    this.#tell();
  }

  failed(error: MaasError): void {
    this.#lastError = error;
    this.#tell();
  }

  #add(file: PinnedFile, bytes: number): void {
    this.#bytesDone += bytes;
    this.#inPlace.set(file.path, (this.#inPlace.get(file.path) ?? 0) + bytes);
    this.#unreported += bytes;
    if (this.#unreported >= reportEveryBytes) this.#tell();
  }

  #tell(): void {
    this.#unreported = 0;
    this.#report?.({
      filesDone: this.#filesDone,
      filesTotal: this.#total.files,
      bytesDone: this.#bytesDone,
      bytesTotal: this.#total.bytes,
      lastError: this.#lastError,
    });
  }
}
