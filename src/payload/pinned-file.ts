/** Whether the bytes that came are those of a pinned file, by its digests and by what HDFS has in its place now. */
import { createHash, type Hash } from 'node:crypto';
import { hasCode, MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import type { PinnedFile, PinnedPayload } from '../contracts/payload.ts';
import { HdfsChecksum } from './hdfs-checksum.ts';
import type { PayloadHdfs, ReadOptions } from './payload-hdfs.ts';
import { shown } from './payload-rules.ts';
import { isSameChecksum, isSameFile } from './resolve.ts';

/** What can be asked about pinned files. */
export type PinnedSource = Pick<PayloadHdfs, 'status' | 'checksum' | 'blockLengths'>;

const otherChecksum = "another checksum than HDFS's";

/**
 * The digest of a file that its pin lets us compare: the SHA-256 where that is known, which says all that HDFS's checksum
 * would and more; else that.
 */
export class PinnedDigests {
  readonly any: boolean;
  readonly #file: PinnedFile;
  readonly #sha256: Hash | undefined;
  readonly #hdfs: HdfsChecksum | undefined;

  /** @param blockLengths bytes in each block, where the file is not cut evenly */
  constructor(file: PinnedFile, blockLengths?: readonly number[]) {
    this.#file = file;
    this.#sha256 = file.sha256 === undefined ? undefined : createHash('sha256');
    this.#hdfs =
      file.checksum === undefined || file.sha256 !== undefined
        ? undefined
        : HdfsChecksum.like(file.checksum, blockLengths ?? file.blockSize);
    this.any = this.#sha256 !== undefined || this.#hdfs !== undefined || file.length === 0;
  }

  update(chunk: Uint8Array): void {
    this.#sha256?.update(chunk);
    this.#hdfs?.update(chunk);
  }

  /** What does not fit, undefined when all fits. */
  problem(): string | undefined {
    const { sha256, checksum } = this.#file;
    if (this.#sha256 !== undefined && this.#sha256.digest('hex') !== sha256) return 'another SHA-256';
    if (this.#hdfs !== undefined && checksum !== undefined && !this.#hdfs.matches(checksum)) return otherChecksum;
    return undefined;
  }
}

/**
 * What the bytes that came are worth. HDFS is asked what it has at the path only where the digests do not settle the
 * matter: where they are right, it does not matter what became of the file since.
 *
 * `unproved`: there is no digest to compare, or none that HDFS's checksum can be compared with, but the file is still the
 * one that was pinned, so that what was read from it now is right.
 */
export type BytesVerdict =
  | { readonly kind: 'right' | 'unproved' }
  /** `perhapsUneven`: what is wrong is HDFS's checksum, which goes by how the file is cut; see unevenBlocks. */
  | { readonly kind: 'wrong'; readonly problem: string; readonly perhapsUneven: boolean };

/** @throws PAYLOAD_CHANGED */
export async function verdictOn(
  source: PinnedSource,
  pinned: Pick<PinnedPayload, 'path'>,
  file: PinnedFile,
  digests: PinnedDigests,
  signal: AbortSignal,
): Promise<BytesVerdict> {
  const problem = digests.problem();
  if (problem === undefined && digests.any) return { kind: 'right' };
  const { repeatable } = await checkStillPinned(source, pinned, file, signal);
  const perhapsUneven = problem === otherChecksum;
  if (problem === undefined || (perhapsUneven && !repeatable)) return { kind: 'unproved' };
  return { kind: 'wrong', problem, perhapsUneven };
}

/** A failure to read a file, said better where the file is not the pinned one any more: one that was replaced fails so. */
export async function readFailure(
  source: PinnedSource,
  pinned: Pick<PinnedPayload, 'path'>,
  file: PinnedFile,
  error: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  if (!hasCode(error, 'HDFS_DATA_CORRUPT', 'HDFS_PATH_MISSING')) return error;
  return await checkStillPinned(source, pinned, file, signal).then(
    () => error,
    (changed: unknown) => changed,
  );
}

/** The data nodes of one file: who served the last reading, and who is not to be asked again. */
export class DataNodes {
  readonly #blamed: string[] = [];
  #served = new Set<string>();

  /** Options for the next reading. */
  next(): Pick<ReadOptions, 'exclude' | 'onDataNode'> {
    const served = new Set<string>();
    this.#served = served;
    return { exclude: this.#blamed, onDataNode: (name) => served.add(name) };
  }

  /** The last reading came from more than one. */
  get several(): boolean {
    return this.#served.size > 1;
  }

  /** The last reading gave wrong bytes. */
  blame(): void {
    this.#blamed.push(...[...this.#served].filter((name) => !this.#blamed.includes(name)));
  }
}

/**
 * Is what is in HDFS now what was pinned?
 *
 * @returns `repeatable`: HDFS's checksum is one over the bytes that are read
 * @throws PAYLOAD_CHANGED
 */
async function checkStillPinned(
  source: PinnedSource,
  pinned: Pick<PinnedPayload, 'path'>,
  file: PinnedFile,
  signal: AbortSignal,
): Promise<{ repeatable: boolean }> {
  const path = joinHdfsPath(pinned.path, file.path);
  const changed = (how: string) => new MaasError('PAYLOAD_CHANGED', `${shown(path)} ${how}`);
  const status = await source.status(path, signal);
  if (status === undefined) {
    throw new MaasError('PAYLOAD_CHANGED', `${shown(file.path)} is gone from ${shown(pinned.path)}`);
  }
  const repeatable = !status.opaqueChecksum && status.blockSize === file.blockSize;
  if (isSameFile(file, status)) return { repeatable };
  if (status.type !== 'FILE') throw changed('is no longer a file');
  if (status.length !== file.length) throw changed(`has ${status.length} bytes, it had ${file.length}`);
  // Uploaded again, or touched: the same bytes may be in it.
  if (file.length > 0 && !isSameChecksum(file.checksum, await source.checksum(path, signal))) {
    throw changed('has other content');
  }
  return { repeatable };
}

/** How a file is cut into blocks, where it is not cut evenly: after files were appended to or joined. */
export async function unevenBlocks(
  source: Pick<PinnedSource, 'blockLengths'>,
  path: string,
  file: PinnedFile,
  signal: AbortSignal,
): Promise<readonly number[] | undefined> {
  const lengths = await source.blockLengths(path, signal);
  return lengths?.slice(0, -1).every((length) => length === file.blockSize) ? undefined : lengths;
}
