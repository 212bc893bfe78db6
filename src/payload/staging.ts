/**
 * The directory beside, or in, a target where an upload puts its files until they are whole. An upload takes its own away
 * again when it fails, and those of others that were killed a day before.
 */
import { createHash } from 'node:crypto';
import { hasCode } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import { messageOf } from '../kernel/message-of.ts';
import { listPayload } from './list-payload.ts';
import type { PayloadHdfs } from './payload-hdfs.ts';
import { shown, stagingPrefix } from './payload-rules.ts';

/** Where a target's staging directories are, and how their names begin. */
export interface StagingPlace {
  readonly parent: string;
  readonly prefix: string;
}

export interface StagingOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Names this upload's staging directory; letters and digits, never used before. */
  readonly id: string;
  readonly signal?: AbortSignal | undefined;
  /** Told of what should be known and stops nothing. */
  readonly warn?: ((message: string) => void) | undefined;
}

/** An upload is at work on its staging directory much more often than this. */
const abandonedAfterMs = 24 * 60 * 60 * 1000;
const cleanupTimeoutMs = 30_000;

export function stagingBeside(target: string): StagingPlace {
  const slash = target.lastIndexOf('/');
  // Hashed, because with the name itself a long one would become too long.
  const name = createHash('sha256')
    .update(target.slice(slash + 1))
    .digest('hex')
    .slice(0, 12);
  return { parent: slash === 0 ? '/' : target.slice(0, slash), prefix: `${stagingPrefix}${name}-` };
}

/**
 * Works with a staging directory, which is gone when that fails: with the directories above it that were made with it,
 * unless somebody uses them by now.
 *
 * @param work makes it; on success it is no more there, or work has no need of it
 */
export async function withStaging<T>(
  hdfs: PayloadHdfs,
  { parent, prefix }: StagingPlace,
  options: StagingOptions,
  work: (staging: string) => Promise<T>,
): Promise<T> {
  await removeAbandoned(hdfs, { parent, prefix }, options);
  const staging = joinHdfsPath(parent, `${prefix}${options.id}`);
  const missing = await missingAbove(hdfs, staging, options.signal);
  try {
    return await work(staging);
  } catch (error) {
    await removeStaging(hdfs, staging, options, missing);
    throw error;
  }
}

/** The directories above a path that are not there, the deepest first: making the path makes them. */
async function missingAbove(
  hdfs: Pick<PayloadHdfs, 'status'>,
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
 * @param made directories above it that were made with it, the deepest first
 */
export async function removeStaging(
  hdfs: Pick<PayloadHdfs, 'delete'>,
  staging: string,
  options: StagingOptions,
  made: readonly string[] = [],
): Promise<void> {
  const signal = AbortSignal.timeout(cleanupTimeoutMs);
  try {
    await hdfs.delete(staging, { recursive: true, signal });
    for (const directory of made) await hdfs.delete(directory, { recursive: false, signal });
  } catch (error) {
    // Others are at work there.
    if (hasCode(error, 'HDFS_PATH_EXISTS')) return;
    options.warn?.(
      `${shown(staging)} is left in HDFS, because it could not be removed (${messageOf(error)}): remove it with hdfs dfs -rm -r, or leave it to the next upload to the same path, a day later`,
    );
  }
}

/** Removes what earlier uploads to the same target left behind when they were killed. */
async function removeAbandoned(
  hdfs: PayloadHdfs,
  { parent, prefix }: StagingPlace,
  { now, signal, warn }: StagingOptions,
): Promise<void> {
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
    warn?.(`Abandoned uploads in ${shown(parent)} were not removed: ${messageOf(error)}`);
  }
}
