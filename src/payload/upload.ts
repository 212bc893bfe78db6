/**
 * Uploads a local payload so that it never looks whole when it is not: into a staging directory beside the target,
 * the files first, each checked, a manifest of them last; then one rename, which fails where something is there.
 */
import { createHash } from 'node:crypto';
import { hasCode, MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import { type UploadManifest, uploadManifestName } from '../contracts/payload.ts';
import { listPayload, type SourceStatus } from './list-payload.ts';
import { checkUnchanged, readLocalFile } from './local-file.ts';
import { type LocalPayload, readLocalPayload } from './local-payload.ts';
import { shown, stagingPrefix } from './payload-rules.ts';
import { checkListFits } from './payload-size.ts';
import { readManifest } from './resolve.ts';
import { makeDirectories, type SendOptions, type SendTarget, sendFile, sendFiles } from './send-files.ts';
import { uploadNotes } from './upload-notes.ts';

/** Where payloads go. */
export interface UploadTarget extends SendTarget {
  status(path: string, signal?: AbortSignal): Promise<SourceStatus | undefined>;
  list(path: string, options?: { limit?: number; signal?: AbortSignal | undefined }): Promise<readonly SourceStatus[]>;
  read(
    path: string,
    options?: { length?: number; signal?: AbortSignal | undefined },
  ): Promise<AsyncIterable<Uint8Array>>;
  rename(from: string, to: string, signal?: AbortSignal): Promise<void>;
  delete(path: string, options: { recursive: boolean; signal?: AbortSignal | undefined }): Promise<boolean>;
}

export interface UploadOptions extends SendOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Names this upload's staging directory; letters and digits, never used before. */
  readonly id: string;
  /** What is not to be sent: patterns as in a .gitignore, see left-out.ts. */
  readonly exclude?: readonly string[];
  /** Told of what should be known and stops nothing: what is left out, what failed while cleaning up. */
  readonly warn?: ((message: string) => void) | undefined;
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
const blockSize = 128 * 1024 * 1024;
/** An upload is at work on its staging directory much more often than this. */
const abandonedAfterMs = 24 * 60 * 60 * 1000;
const cleanupTimeoutMs = 30_000;

/**
 * @param directory local
 * @param target absolute path in HDFS; the directory that it becomes
 * @throws LOCAL_* and PAYLOAD_* for the local side, HDFS_PATH_EXISTS when the target holds something else,
 *   HDFS_DATA_CORRUPT when HDFS holds other bytes than were sent, HDFS_* codes
 */
export async function uploadPayload(
  hdfs: UploadTarget,
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
  if (await isPresent(hdfs, local, target, signal)) return result('present');

  const { parent, prefix } = stagingOf(target);
  await removeAbandoned(hdfs, parent, prefix, options);
  const staging = joinHdfsPath(parent, `${prefix}${options.id}`);
  const missing = await missingAbove(hdfs, staging, signal);
  try {
    const manifest = await uploadFiles(hdfs, local, staging, options);
    await writeManifest(hdfs, manifest, staging, signal);
    await moveInto(hdfs, staging, target, signal);
    return result('uploaded');
  } catch (error) {
    await removeStaging(hdfs, staging, options, missing);
    // Somebody else may have uploaded the same in the meantime.
    if (hasCode(error, 'HDFS_PATH_EXISTS') && (await isPresent(hdfs, local, target, signal))) return result('present');
    throw error;
  }
}

/** The directory of the target's staging directories, and how the names of those of this target begin. */
export function stagingOf(target: string): { parent: string; prefix: string } {
  const slash = target.lastIndexOf('/');
  // Hashed, because with the name itself a long one would become too long.
  const name = createHash('sha256')
    .update(target.slice(slash + 1))
    .digest('hex')
    .slice(0, 12);
  return { parent: slash === 0 ? '/' : target.slice(0, slash), prefix: `${stagingPrefix}${name}-` };
}

/**
 * Does the target hold these very files? False when nothing is there, or an empty directory.
 * @throws HDFS_PATH_EXISTS when it holds something else
 */
async function isPresent(
  hdfs: UploadTarget,
  local: LocalPayload,
  target: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const status = await hdfs.status(target, signal);
  if (status === undefined) return false;
  const taken = (why: string) =>
    new MaasError('HDFS_PATH_EXISTS', `${shown(target)} is in HDFS already and ${why}`, {
      next: 'Upload every version to a path of its own, or remove what is there.',
    });
  if (status.type !== 'DIRECTORY') throw taken('is no directory');
  if ((await hdfs.list(target, { limit: 1, signal })).length === 0) return false;
  const manifest = await readManifest(hdfs, target, signal);
  if (manifest === undefined) throw taken('was not put there by an upload of this kind');

  const there = new Map((await listPayload(hdfs, target, signal)).map((file) => [file.path, file.status.length]));
  const listed = new Map(manifest.files.map((file) => [file.path, file]));
  const { files } = local;
  const sameNames = files.length === there.size && files.length === listed.size;
  const sameLengths = files.every(
    (file) => there.get(file.path) === file.length && listed.get(file.path)?.length === file.length,
  );
  if (!sameNames || !sameLengths) throw taken('holds other files');
  for (const file of files) {
    const hash = createHash('sha256');
    for await (const chunk of readLocalFile(file, signal)) hash.update(chunk);
    if (hash.digest('hex') !== listed.get(file.path)?.sha256) throw taken(`holds another ${shown(file.path)}`);
  }
  return true;
}

export async function uploadFiles(
  hdfs: UploadTarget,
  local: Pick<LocalPayload, 'files' | 'bytes'>,
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

export async function writeManifest(
  hdfs: UploadTarget,
  manifest: UploadManifest,
  staging: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(manifest)}\n`);
  const source = async function* (): AsyncGenerator<Uint8Array, void> {
    yield bytes;
  };
  await hdfs.write(joinHdfsPath(staging, uploadManifestName), source, {
    length: bytes.length,
    overwrite: true,
    createParent: false,
    signal,
  });
}

export async function moveInto(
  hdfs: UploadTarget,
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

/** The directories above a path that are not there, the deepest first: making the path makes them. */
export async function missingAbove(
  hdfs: UploadTarget,
  path: string,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (let at = path.slice(0, path.lastIndexOf('/')); at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    if ((await hdfs.status(at, signal)) !== undefined) break;
    missing.push(at);
  }
  return missing;
}

/**
 * Removes our own staging directory, also when the upload was aborted, but never waits long for that.
 * @param made directories above it that were made with it, the deepest first: they go unless somebody uses them by now
 */
export async function removeStaging(
  hdfs: UploadTarget,
  staging: string,
  options: UploadOptions,
  made: readonly string[] = [],
): Promise<void> {
  const signal = AbortSignal.timeout(cleanupTimeoutMs);
  try {
    await hdfs.delete(staging, { recursive: true, signal });
    for (const directory of made) await hdfs.delete(directory, { recursive: false, signal });
  } catch (error) {
    // Others are at work there.
    if (hasCode(error, 'HDFS_PATH_EXISTS')) return;
    const why = error instanceof Error ? error.message : String(error);
    options.warn?.(
      `${shown(staging)} is left in HDFS, because it could not be removed (${why}): remove it with hdfs dfs -rm -r, or leave it to the next upload to the same path, a day later`,
    );
  }
}

/** Removes what earlier uploads to the same target left behind when they were killed. */
export async function removeAbandoned(
  hdfs: UploadTarget,
  parent: string,
  prefix: string,
  options: UploadOptions,
): Promise<void> {
  const { now, signal, warn } = options;
  try {
    if ((await hdfs.status(parent, signal)) === undefined) return;
    for (const entry of await hdfs.list(parent, { signal })) {
      if (entry.type !== 'DIRECTORY' || !entry.name.startsWith(prefix)) continue;
      const path = joinHdfsPath(parent, entry.name);
      // A directory's own time does not move with the files in it.
      const files = await listPayload(hdfs, path, signal);
      const lastSign = Math.max(entry.modificationTime, ...files.map(({ status }) => status.modificationTime));
      if (now() - lastSign > abandonedAfterMs) await hdfs.delete(path, { recursive: true, signal });
    }
  } catch (error) {
    signal?.throwIfAborted();
    warn?.(
      `Abandoned uploads in ${shown(parent)} were not removed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
