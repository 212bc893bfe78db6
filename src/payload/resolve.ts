/**
 * From a directory in HDFS to a pinned payload: which files there are, and HDFS's checksum of each, under one digest;
 * and what has changed of a pinned one since.
 */

import { createHash } from 'node:crypto';
import { hasCode, MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import type { PinnedFile, PinnedPayload } from '../contracts/payload.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { compareTexts } from '../kernel/text-order.ts';
import type { FileChecksum } from './hdfs-checksum.ts';
import { listPayload, type SourceFile } from './list-payload.ts';
import type { PayloadHdfs, SourceStatus } from './payload-hdfs.ts';
import { checkPayloadPaths, shown } from './payload-rules.ts';
import { checkListFits, fittingPin } from './payload-size.ts';
import { hashesOf, readManifest } from './upload-manifest.ts';

/** Where payloads come from. */
export type PayloadSource = Pick<PayloadHdfs, 'status' | 'list' | 'checksum' | 'read'>;

/** Files whose checksums are asked for at a time. */
export const checksumParallelism = 8;
/** How often files may change under the hands of one resolving. */
const maxLooks = 3;
/**
 * A directory without the manifest of a whole upload counts as complete once nothing in it was written for this long:
 * files that are put there one after the other look whole after each of them.
 */
const quietMs = 5_000;

/**
 * Resolves the payload in a directory.
 *
 * @param where `directory` is absolute and normalised; `completeAt`, by the clock of HDFS, in milliseconds since the
 *   epoch: what was written until then is whole, as somebody knows who put it there
 * @param now milliseconds since the epoch. Where the clocks of HDFS and of this machine differ by more than a few
 *   seconds, a directory that is being filled may be taken for complete.
 * @throws HDFS_PATH_MISSING while nothing is there, PAYLOAD_INCOMPLETE while it is being written, the other PAYLOAD_*
 *   codes when it is not a payload, HDFS_* codes of the source
 */
export async function resolvePayload(
  source: PayloadSource,
  where: { nameservice: string; directory: string; completeAt?: number | undefined },
  now: () => number,
  signal?: AbortSignal,
): Promise<PinnedPayload> {
  const { nameservice, directory, completeAt = Number.NEGATIVE_INFINITY } = where;
  let found = await listPayload(source, directory, signal);
  for (let look = 1; ; look++) {
    const lengths = found.map(({ path, status: { length } }) => ({ path, length }));
    const paths = lengths.map(({ path }) => path);
    const script = checkPayloadPaths(shown(directory), paths);
    checkComposed(directory, paths);
    checkListFits(shown(directory), directory, lengths);
    const manifest = await readManifest(source, directory, signal);
    const sums = await mapBounded(
      found,
      checksumParallelism,
      (file, either) => checksumOf(source, directory, file, either),
      signal,
    );
    const again = await listPayload(source, directory, signal);
    if (sameFiles(found, again)) {
      const sha256s = hashesOf(manifest, found);
      if (sha256s === undefined) checkQuiet(directory, found, completeAt, now());
      const files = found.map((file, index) => pinnedFileOf(file, sums[index], sha256s?.get(file.path)));
      const bytes = files.reduce((sum, { length }) => sum + length, 0);
      return fittingPin({ path: directory, nameservice, script, bytes, digest: payloadDigest(files), files });
    }
    if (look >= maxLooks) throw new MaasError('PAYLOAD_INCOMPLETE', `The files in ${shown(directory)} keep changing`);
    found = again;
  }
}

function checkQuiet(directory: string, files: readonly SourceFile[], completeAt: number, now: number): void {
  const later = files.filter(({ status }) => status.modificationTime > completeAt);
  const ages = later.map(({ status }) => Math.abs(now - status.modificationTime));
  if (Math.min(...ages) >= quietMs) return;
  throw new MaasError(
    'PAYLOAD_INCOMPLETE',
    `${shown(directory)} was written to just now: it counts as complete when nothing was for ${quietMs / 1_000} s`,
  );
}

/**
 * What is no longer as it was pinned, as a sentence; undefined when every byte is the same. Files that were only
 * touched, or uploaded again with the same content, are no change.
 *
 * @throws HDFS_* codes of the source, PAYLOAD_* codes of listing
 */
export async function payloadChange(
  source: PayloadSource,
  pinned: PinnedPayload,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const listed = await listAgain(source, pinned.path, pinned.files, signal);
  if (typeof listed === 'string') return listed;
  const suspects = listed.filter(([file, now]) => !isSameFile(file, now.status));
  const changed = await mapBounded(
    suspects,
    checksumParallelism,
    async ([file, now], either) => !isSameChecksum(file.checksum, await checksumOf(source, pinned.path, now, either)),
    signal,
  );
  const first = suspects[changed.indexOf(true)];
  return first === undefined ? undefined : `${shown(first[0].path)} has other content`;
}

/**
 * The files of a payload beside what a directory has now under their names, in the order of the payload; or, as a
 * sentence, what is gone, longer, shorter or new there. The bytes are not looked at.
 *
 * @throws HDFS_* codes of the source, PAYLOAD_* codes of listing
 */
export async function listAgain(
  source: PayloadSource,
  directory: string,
  files: readonly PinnedFile[],
  signal: AbortSignal | undefined,
): Promise<string | readonly (readonly [PinnedFile, SourceFile])[]> {
  let found: SourceFile[];
  try {
    found = await listPayload(source, directory, signal);
  } catch (error) {
    if (hasCode(error, 'HDFS_PATH_MISSING', 'PAYLOAD_NOT_A_DIRECTORY')) return error.message;
    throw error;
  }
  const left = new Map(found.map((file) => [file.path.normalize('NFC'), file]));
  const pairs: [PinnedFile, SourceFile][] = [];
  for (const file of files) {
    const now = left.get(file.path);
    if (now === undefined) return `${shown(file.path)} is gone from ${shown(directory)}`;
    left.delete(file.path);
    if (now.status.length !== file.length)
      return `${shown(file.path)} has ${now.status.length} bytes, it had ${file.length}`;
    pairs.push([file, now]);
  }
  const [added] = left.keys();
  return added === undefined ? pairs : `${shown(added)} is new in ${shown(directory)}`;
}

/** Is this the very file that was there before, not written since? A forged modification time aside. */
export function isSameFile(
  before: Pick<PinnedFile, 'fileId' | 'length' | 'modificationTime'>,
  { type, fileId, length, modificationTime }: SourceStatus,
): boolean {
  const isSame = fileId === before.fileId && length === before.length && modificationTime === before.modificationTime;
  return type === 'FILE' && isSame;
}

export function isSameChecksum(one: FileChecksum | undefined, other: FileChecksum | undefined): boolean {
  return one?.algorithm === other?.algorithm && one?.bytes === other?.bytes;
}

/** `sha256:` and hex, over path, length and checksum of each file in the order of their paths. */
export function payloadDigest(files: readonly PinnedFile[]): string {
  const hash = createHash('sha256');
  for (const { path, length, checksum } of files.toSorted((one, other) => compareTexts(one.path, other.path))) {
    // As JSON, so that no path can look like the end of one entry and the beginning of another.
    hash.update(`${JSON.stringify([path, length, checksum?.algorithm ?? '', checksum?.bytes ?? ''])}\n`);
  }
  return `sha256:${hash.digest('hex')}`;
}

/** WebHDFS composes every name that it is asked for, so a file that is stored decomposed cannot be opened. */
function checkComposed(directory: string, paths: readonly string[]): void {
  const wrong = paths.find((path) => path !== path.normalize('NFC'));
  if (wrong === undefined) return;
  throw new MaasError(
    'PAYLOAD_NAME_INVALID',
    `The name ${shown(wrong)} in ${shown(directory)} is stored with decomposed letters, which WebHDFS cannot open`,
    { next: 'Upload the file again with `kubectl maas`, or rename it to its composed form (NFC).' },
  );
}

/** @throws PAYLOAD_INCOMPLETE while the file is being written */
export async function checksumOf(
  source: PayloadSource,
  directory: string,
  { path, status }: SourceFile,
  signal: AbortSignal,
): Promise<FileChecksum | undefined> {
  try {
    // Asked for an empty file too: one that is being written has no length until its first block is full.
    const checksum = await source.checksum(joinHdfsPath(directory, path), signal);
    return status.length === 0 ? undefined : checksum;
  } catch (error) {
    if (
      hasCode(error, 'HDFS_PATH_MISSING') ||
      (hasCode(error, 'HDFS_ERROR') && /under construction/i.test(error.message))
    ) {
      throw new MaasError('PAYLOAD_INCOMPLETE', `${shown(path)} in ${shown(directory)} is being written`, {
        cause: error,
      });
    }
    throw error;
  }
}

function sameFiles(before: readonly SourceFile[], now: readonly SourceFile[]): boolean {
  return (
    before.length === now.length &&
    before.every(({ path, status }, index) => {
      const other = now[index];
      return other?.path === path && isSameFile(status, other.status);
    })
  );
}

/** A file as it was found, in the form of a pin. */
export function pinnedFileOf(
  { path, status }: SourceFile,
  checksum: FileChecksum | undefined,
  sha256: string | undefined,
): PinnedFile {
  return {
    path,
    length: status.length,
    fileId: status.fileId,
    modificationTime: status.modificationTime,
    blockSize: status.blockSize,
    ...(checksum === undefined ? {} : { checksum }),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}
