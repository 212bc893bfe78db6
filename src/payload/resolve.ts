/**
 * From a directory in HDFS to a pinned payload: which files there are, and HDFS's checksum of each, under one digest.
 */

import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { hasCode, MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import {
  type PinnedFile,
  type PinnedPayload,
  type UploadManifest,
  uploadManifest,
  uploadManifestName,
} from '../contracts/payload.ts';
import { fitPin } from '../contracts/pin-content.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { readJson } from '../kernel/schema-json.ts';
import { compareTexts } from '../kernel/text-order.ts';
import type { FileChecksum } from './hdfs-checksum.ts';
import { type ListSource, listPayload, type SourceFile, type SourceStatus } from './list-payload.ts';
import { checkPayloadPaths, shown } from './payload-rules.ts';
import { checkListFits, tooManyFiles } from './payload-size.ts';

/** Where payloads come from. */
export interface PayloadSource extends ListSource {
  checksum(path: string, signal?: AbortSignal): Promise<FileChecksum>;
  read(
    path: string,
    options?: { length?: number; signal?: AbortSignal | undefined },
  ): Promise<AsyncIterable<Uint8Array>>;
}

/** Files whose checksums are asked for at a time. */
export const checksumParallelism = 8;
const maxManifestBytes = 32 * 1024 * 1024;
/** How often files may change under the hands of one resolving. */
const maxLooks = 3;
/**
 * A directory without the manifest of a whole upload counts as complete once nothing in it was written for so long:
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
    const script = checkPayloadPaths(
      shown(directory),
      found.map(({ path }) => path),
    );
    checkComposed(directory, found);
    const lengths = found.map(({ path, status: { length } }) => ({ path, length }));
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
      const sha256s = agreeing(manifest, found);
      if (sha256s === undefined) checkQuiet(directory, found, completeAt, now());
      return pin({ nameservice, directory, script, files: found, sums, sha256s });
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

/** Is this the very file that was pinned, not written since? A forged modification time aside. */
export function isSameFile(pinned: PinnedFile, status: SourceStatus): boolean {
  return (
    status.type === 'FILE' &&
    status.fileId === pinned.fileId &&
    status.length === pinned.length &&
    status.modificationTime === pinned.modificationTime
  );
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
function checkComposed(directory: string, files: readonly SourceFile[]): void {
  const wrong = files.find(({ path }) => path !== path.normalize('NFC'));
  if (wrong === undefined) return;
  throw new MaasError(
    'PAYLOAD_NAME_INVALID',
    `The name ${shown(wrong.path)} in ${shown(directory)} is stored with decomposed letters, which WebHDFS cannot open`,
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
    const { algorithm, bytes } = await source.checksum(joinHdfsPath(directory, path), signal);
    return status.length === 0 ? undefined : { algorithm, bytes };
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
      return (
        other?.path === path &&
        other.status.fileId === status.fileId &&
        other.status.length === status.length &&
        other.status.modificationTime === status.modificationTime
      );
    })
  );
}

interface Findings {
  readonly nameservice: string;
  readonly directory: string;
  readonly script: string;
  readonly files: readonly SourceFile[];
  readonly sums: readonly (FileChecksum | undefined)[];
  readonly sha256s: ReadonlyMap<string, string> | undefined;
}

function pin({ nameservice, directory, script, files, sums, sha256s }: Findings): PinnedPayload {
  const pinnedFiles = files.map((file, index) => pinnedFile(file, sums[index], sha256s?.get(file.path)));
  const pinned: PinnedPayload = {
    path: directory,
    nameservice,
    script,
    bytes: files.reduce((sum, { status }) => sum + status.length, 0),
    digest: payloadDigest(pinnedFiles),
    files: pinnedFiles,
  };
  const fit = fitPin(pinned);
  if ('bytes' in fit) throw tooManyFiles(shown(directory), files.length, fit.bytes);
  return fit.payload;
}

/** A file as it was found, in the form of a pin. */
export function pinnedFile(
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

/** The manifest's sha256s by path, when it describes exactly these files; otherwise somebody changed them since. */
function agreeing(manifest: UploadManifest | undefined, files: readonly SourceFile[]): Map<string, string> | undefined {
  if (manifest === undefined || manifest.files.length !== files.length) return undefined;
  const listed = new Map(manifest.files.map((file) => [file.path, file]));
  const agrees = files.every(({ path, status }) => listed.get(path)?.length === status.length);
  const valid = manifest.files.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256));
  return agrees && valid ? new Map(manifest.files.map(({ path, sha256 }) => [path, sha256])) : undefined;
}

/**
 * The manifest that an upload left in a directory. One that cannot be read as such is not an upload's and counts as
 * absent: it may be any user's file.
 */
export async function readManifest(
  source: Pick<PayloadSource, 'status' | 'read'>,
  directory: string,
  signal?: AbortSignal,
): Promise<UploadManifest | undefined> {
  return await readManifestAs(uploadManifest, source, directory, signal);
}

/** The same, with what `schema` knows of it besides. */
export async function readManifestAs<T>(
  schema: z.ZodType<T>,
  source: Pick<PayloadSource, 'status' | 'read'>,
  directory: string,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const path = joinHdfsPath(directory, uploadManifestName);
  const status = await source.status(path, signal);
  if (status?.type !== 'FILE' || status.length === 0 || status.length > maxManifestBytes) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of await source.read(path, { length: status.length, signal })) chunks.push(chunk);
  return readJson(Buffer.concat(chunks).toString('utf8'), schema).value;
}
