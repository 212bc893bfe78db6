/**
 * Uploads a local payload so that it never looks whole when it is not: into a staging directory beside the target,
 * the files first, each checked, a manifest of them last; then one rename, which fails where something is there.
 */
import { createHash } from 'node:crypto';
import { hasCode, MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import type { UploadManifest } from '../contracts/payload.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { contentDigest } from './content-digest.ts';
import { listPayload } from './list-payload.ts';
import { checkUnchanged, digestLocalFile, type LocalFile, readLocalFile } from './local-file.ts';
import { type LocalPayload, readLocalPayload } from './local-payload.ts';
import type { PayloadHdfs, SourceStatus } from './payload-hdfs.ts';
import { shown, stagingPrefix } from './payload-rules.ts';
import { checkListFits } from './payload-size.ts';
import { filesAtOnce, makeDirectories, type SendOptions, sendFile, sendFiles } from './send-files.ts';
import { type StagingOptions, stagingBeside, withStaging } from './staging.ts';
import { hashesOf, readManifest, writeManifest } from './upload-manifest.ts';
import { uploadNotes } from './upload-notes.ts';

export interface UploadOptions extends SendOptions, StagingOptions {
  /** What is not to be sent: patterns as in a .gitignore, see left-out.ts. */
  readonly exclude?: readonly string[] | undefined;
  /** What the target is named by: the digest of these very files, see content-digest.ts; nothing else may be there. */
  readonly digest?: string | undefined;
}

export interface UploadResult {
  /** `present` when the target held exactly these files already. */
  readonly outcome: 'uploaded' | 'present';
  readonly path: string;
  readonly script: string;
  readonly files: number;
  readonly bytes: number;
}

/** Named in the requests, so that HDFS's checksum of the file can be made while it is sent; HDFS's own default. */
export const blockSize = 128 * 1024 * 1024;

/**
 * @param directory local
 * @param target absolute path in HDFS; the directory that it becomes
 * @throws LOCAL_* and PAYLOAD_* for the local side, HDFS_PATH_EXISTS when the target holds something else,
 *   LOCAL_FILE_CHANGED also when what was sent has another digest,
 *   HDFS_DATA_CORRUPT when HDFS holds other bytes than were sent, HDFS_* codes
 */
export async function uploadPayload(
  hdfs: PayloadHdfs,
  directory: string,
  target: string,
  options: UploadOptions,
): Promise<UploadResult> {
  const { signal } = options;
  if (target === '/') throw new MaasError('HDFS_PATH_INVALID', 'A payload cannot be uploaded to the root of HDFS');
  const local = await readLocalPayload(directory, options.exclude);
  checkListFits(shown(directory), target, local.files);
  for (const note of await uploadNotes(local, 'excludes')) options.warn?.(note);
  const result = (outcome: UploadResult['outcome']): UploadResult => ({
    outcome,
    path: target,
    script: local.script,
    files: local.files.length,
    bytes: local.bytes,
  });
  if (await isPresent(hdfs, local, target, options)) return result('present');

  try {
    return await withStaging(hdfs, stagingBeside(target), options, async (staging) => {
      const manifest = await uploadFiles(hdfs, local, staging, options);
      checkDigest(directory, manifest, options.digest);
      await writeManifest(hdfs, manifest, staging, signal);
      await moveInto(hdfs, staging, target, signal);
      return result('uploaded');
    });
  } catch (error) {
    // Somebody else may have uploaded the same in the meantime.
    if (hasCode(error, 'HDFS_PATH_EXISTS') && (await isPresent(hdfs, local, target, options))) return result('present');
    throw error;
  }
}

/**
 * Does the target hold these very files? False when nothing is there, or an empty directory.
 * @throws HDFS_PATH_EXISTS when it holds something else
 */
async function isPresent(
  hdfs: PayloadHdfs,
  local: LocalPayload,
  target: string,
  { digest, signal, ...options }: UploadOptions,
): Promise<boolean> {
  const status = await hdfs.status(target, signal);
  if (status === undefined) return false;
  const taken = (why: string) =>
    new MaasError('HDFS_PATH_EXISTS', `${shown(target)} is in HDFS already and ${why}`, {
      next: 'Upload every version to a path of its own, or give --immutable, which does; or remove what is there.',
    });
  if (status.type !== 'DIRECTORY') throw taken('is no directory');
  if ((await hdfs.list(target, { limit: 1, signal })).length === 0) return false;
  const manifest = await readManifest(hdfs, target, signal);
  if (manifest === undefined) throw taken('was not put there by an upload of this kind');

  const { files } = local;
  const there = await listPayload(hdfs, target, signal);
  const hashes = hashesOf(manifest, there);
  if (digest !== undefined) {
    // The files were read for it, so nothing is read again; the manifest has what was sent.
    if (hashes === undefined || contentDigest(manifest.files) !== digest) throw taken('holds other files');
    await keepYoung(hdfs, target, status, { ...options, signal });
    return true;
  }
  const lengths = new Map(there.map(({ path, status }) => [path, status.length]));
  const same = files.length === there.length && files.every(({ path, length }) => lengths.get(path) === length);
  if (hashes === undefined || !same) throw taken('holds other files');
  const compare = async (file: LocalFile, either: AbortSignal) => {
    const hash = await digestLocalFile(file, createHash('sha256'), either);
    if (hash.digest('hex') !== hashes.get(file.path)) throw taken(`holds another ${shown(file.path)}`);
  };
  await mapBounded(files, filesAtOnce, compare, signal);
  return true;
}

/** The name of the target is said before the first byte is sent: files may change between the two. */
function checkDigest(directory: string, { files }: UploadManifest, digest: string | undefined): void {
  if (digest === undefined || contentDigest(files) === digest) return;
  throw new MaasError('LOCAL_FILE_CHANGED', `${shown(directory)} was written to after its digest was taken`);
}

const youngMs = 60 * 60 * 1_000;

/**
 * Nothing may refer yet to what is about to be deployed once more, and whoever clears up leaves alone what was changed
 * lately; a directory's time moves with what is made in it. Who may not write there goes on without.
 */
async function keepYoung(
  hdfs: Pick<PayloadHdfs, 'mkdirs' | 'delete'>,
  target: string,
  { modificationTime }: SourceStatus,
  { now, id, signal }: StagingOptions,
): Promise<void> {
  if (now() - modificationTime < youngMs) return;
  const mark = joinHdfsPath(target, `${stagingPrefix}seen-${id}`);
  try {
    await hdfs.mkdirs(mark, { signal });
    await hdfs.delete(mark, { recursive: false, signal });
  } catch (error) {
    if (!hasCode(error, 'HDFS_FORBIDDEN')) throw error;
  }
}

export async function uploadFiles(
  hdfs: PayloadHdfs,
  local: { readonly files: readonly LocalFile[]; readonly bytes: number },
  staging: string,
  options: SendOptions,
): Promise<UploadManifest> {
  const paths = local.files.map(({ path }) => path);
  await makeDirectories(hdfs, staging, paths, { signal: options.signal });
  const files = await sendFiles(local, options, async (file, signal, sent) => {
    const { sha256 } = await sendFile(hdfs, joinHdfsPath(staging, file.path), {
      length: file.length,
      blockSize,
      read: () => readLocalFile(file, signal),
      signal,
      sent,
    });
    await checkUnchanged(file);
    return { path: file.path, length: file.length, sha256 };
  });
  return { maasManifest: 1, files };
}

export async function moveInto(
  hdfs: PayloadHdfs,
  staging: string,
  target: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await hdfs.rename(staging, target, signal);
  } catch (error) {
    if (!hasCode(error, 'HDFS_PATH_EXISTS')) throw error;
    const status = await hdfs.status(target, signal);
    if (status?.type !== 'DIRECTORY' || (await hdfs.list(target, { limit: 1, signal })).length > 0) throw error;
    // An empty directory that somebody made beforehand is in nobody's way; HDFS removes it only if it is still empty.
    await hdfs.delete(target, { recursive: false, signal });
    await hdfs.rename(staging, target, signal);
  }
}
