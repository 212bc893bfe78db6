/**
 * Sends files to HDFS, a few at a time, and compares each with what HDFS then holds. Makes their directories before.
 */
import { createHash, type Hash } from 'node:crypto';
import { MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import type { TransferProgress } from '../contracts/payload.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { type FileChecksum, HdfsChecksum } from './hdfs-checksum.ts';
import type { PayloadHdfs } from './payload-hdfs.ts';
import { shown } from './payload-rules.ts';
import { TransferTally } from './transfer-tally.ts';

/** Where files go. */
type SendTarget = Pick<PayloadHdfs, 'put' | 'checksum' | 'status'>;

export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each file and mebibyte; must not throw. */
  readonly progress?: ((progress: TransferProgress) => void) | undefined;
}

/**
 * Files under way at once, and so requests: one of small files waits for HDFS most of its time. More of them hardly make
 * it faster, and take from others who use it.
 */
export const filesAtOnce = 8;
const hdfsAlgorithm = 'MD5-of-0MD5-of-512CRC32C';
const comparableAlgorithm = /^MD5-of-\d+MD5-of-512CRC32C$/;

/**
 * Makes the directories of files that are to be sent. With them there, no file's sending has to make any, and none that
 * was given up can bring the directory back after it was taken away.
 *
 * @param directory absolute
 * @param paths of the files, relative to it
 */
export async function makeDirectories(
  hdfs: Pick<PayloadHdfs, 'mkdirs'>,
  directory: string,
  paths: readonly string[],
  options: { readonly permission?: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  await hdfs.mkdirs(directory, options);
  const parents = new Set(
    paths.filter((path) => path.includes('/')).map((path) => path.slice(0, path.lastIndexOf('/'))),
  );
  // Those above come with those below.
  const above = new Set([...parents].flatMap(directoriesAbove));
  const deepest = [...parents].filter((path) => !above.has(path));
  const make = (path: string) => hdfs.mkdirs(joinHdfsPath(directory, path), options);
  await mapBounded(deepest, filesAtOnce, make, options.signal);
}

function directoriesAbove(path: string): string[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
}

/**
 * Sends all files with a function that sends one.
 *
 * @param send `sent` is told how many bytes of the file have been sent so far; fewer than before when it begins again
 * @returns what `send` gave, in the order of the files
 */
export async function sendFiles<F extends { readonly length: number }, R>(
  { files, bytes }: { readonly files: readonly F[]; readonly bytes: number },
  { signal, progress }: SendOptions,
  send: (file: F, signal: AbortSignal, sent: (bytes: number) => void) => Promise<R>,
): Promise<R[]> {
  const tally = new TransferTally({ files: files.length, bytes }, (now) => progress?.(now));
  return await mapBounded(
    files,
    filesAtOnce,
    async (file, either) => {
      const result = await send(file, either, tally.file());
      tally.fileDone();
      return result;
    },
    signal,
  );
}

export interface FileToSend {
  /** Bytes. */
  readonly length: number;
  /** Bytes in an HDFS block of the new file, a multiple of 512. */
  readonly blockSize: number;
  /** Gives the content from its beginning each time it is called: a write that failed half-way begins anew. */
  readonly read: () => AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  readonly sent: (bytes: number) => void;
}

/**
 * Writes one file over what is at the path, in a directory that is there, and compares what HDFS holds then.
 *
 * @returns the SHA-256 of what was sent, hex; and HDFS's checksum of what it holds, where that was asked for to compare
 * @throws HDFS_DATA_CORRUPT, HDFS_* codes, what `read` throws
 */
export async function sendFile(
  hdfs: SendTarget,
  path: string,
  { length, blockSize, read, signal, sent }: FileToSend,
): Promise<{ readonly sha256: string; readonly checksum: FileChecksum | undefined }> {
  let sha256: Hash = createHash('sha256');
  let hdfsSum: HdfsChecksum | undefined;
  const source = async function* (): AsyncGenerator<Uint8Array, void> {
    sha256 = createHash('sha256');
    hdfsSum = HdfsChecksum.like({ algorithm: hdfsAlgorithm, bytes: '' }, blockSize);
    let position = 0;
    sent(0);
    for await (const chunk of read()) {
      sha256.update(chunk);
      hdfsSum?.update(chunk);
      position += chunk.length;
      yield chunk;
      sent(position);
    }
  };
  await hdfs.put(path, source, { length, overwrite: true, createParent: false, blockSize, signal });
  const checksum = await comparedChecksum(hdfs, path, { length, blockSize, ours: hdfsSum, signal });
  return { sha256: sha256.digest('hex'), checksum };
}

interface Sent {
  readonly length: number;
  readonly blockSize: number;
  readonly ours: HdfsChecksum | undefined;
  readonly signal: AbortSignal;
}

/**
 * HDFS makes its checksums of what it received, so this finds what was altered on the way, or is not there at all. Only
 * where it does not come out as ours, HDFS is asked for more: a file that is encrypted or striped, or that a site cut
 * into other blocks than it was told to, cannot be compared so; then the length has to do.
 */
async function comparedChecksum(hdfs: SendTarget, path: string, sent: Sent): Promise<FileChecksum | undefined> {
  const { length, ours, signal } = sent;
  let theirs: FileChecksum | undefined;
  let failure: unknown;
  try {
    theirs = length === 0 ? undefined : await hdfs.checksum(path, signal);
  } catch (error) {
    failure = error;
  }
  if (theirs !== undefined && ours?.matches(theirs) === true) return theirs;

  const there = await hdfs.status(path, signal);
  if (there?.length !== length) {
    const problem = `${shown(path)} has ${there?.length ?? 'no'} bytes in HDFS after ${length} were sent`;
    throw new MaasError('HDFS_DATA_CORRUPT', problem);
  }
  if (there.opaqueChecksum || there.blockSize !== sent.blockSize) return undefined;
  if (failure !== undefined) throw failure;
  if (theirs === undefined || !comparableAlgorithm.test(theirs.algorithm)) return theirs;
  throw new MaasError('HDFS_DATA_CORRUPT', `${shown(path)} holds other bytes in HDFS than were sent`, {
    next: 'Send it again; if it happens again, check the network and the disks of HDFS.',
  });
}
