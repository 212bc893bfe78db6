/**
 * The upload of the old deploy client: the files directly in a directory go over what is at an HDFS path, and whatever
 * else is there stays. Scripts repeat it for each instance that they add, and use one path for every version.
 *
 * A file that HDFS holds already, byte for byte, is left alone: a running version is pinned to it. The others are sent
 * to a staging directory and checked first; then each takes its place in one step, the script last, so that a reader
 * never sees half a file, and an upload that fails has changed nothing.
 */
import { hasCode, MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import { uploadManifestName } from '../contracts/payload.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { readFlatPayload } from './flat-payload.ts';
import { HdfsChecksum } from './hdfs-checksum.ts';
import { listPayload, type SourceFile } from './list-payload.ts';
import { digestLocalFile, type LocalFile } from './local-file.ts';
import type { PayloadHdfs } from './payload-hdfs.ts';
import { checkPayloadPaths, shown, stagingPrefix } from './payload-rules.ts';
import { checkListFits } from './payload-size.ts';
import { filesAtOnce } from './send-files.ts';
import { removeStaging, stagingBeside, withStaging } from './staging.ts';
import { moveInto, type UploadOptions, uploadFiles } from './upload.ts';
import { writeManifest } from './upload-manifest.ts';
import { uploadNotes } from './upload-notes.ts';

export interface UploadOverResult {
  readonly path: string;
  /** The one script of what is there now. */
  readonly script: string;
  /** What had to be sent; none when HDFS held all of it. */
  readonly files: number;
  readonly bytes: number;
  /** Were there files at the path before, that are different now? */
  readonly replaced: boolean;
  /** Names of directories that were not sent. */
  readonly directories: readonly string[];
  /** When the last of the files that are there now was written, by HDFS's clock, milliseconds since the epoch. */
  readonly completeAt: number;
}

/** Two commands may make the same directory at once; the second one then goes over what the first has made. */
const attempts = 3;

/**
 * @param directory local
 * @param target absolute path in HDFS
 * @throws LOCAL_* and PAYLOAD_* for what would be there afterwards, HDFS_DATA_CORRUPT when HDFS holds other
 *   bytes than were sent, HDFS_* codes
 */
export async function uploadOver(
  hdfs: PayloadHdfs,
  directory: string,
  target: string,
  options: UploadOptions,
): Promise<UploadOverResult> {
  if (target === '/') throw new MaasError('HDFS_PATH_INVALID', 'A payload cannot be uploaded to the root of HDFS');
  for (let attempt = 1; ; attempt++) {
    try {
      return await uploadOnce(hdfs, directory, target, options, attempt);
    } catch (error) {
      if (!hasCode(error, 'HDFS_PATH_EXISTS') || attempt === attempts) throw error;
    }
  }
}

async function uploadOnce(
  hdfs: PayloadHdfs,
  directory: string,
  target: string,
  options: UploadOptions,
  attempt: number,
): Promise<UploadOverResult> {
  const { signal } = options;
  const local = await readFlatPayload(directory);
  const isNew = (await hdfs.status(target, signal)) === undefined;
  const there = isNew ? [] : await listPayload(hdfs, target, signal);
  const own = new Set(local.files.map(({ path }) => path));
  const staying = there.filter(({ path }) => !own.has(path));
  const where = staying.length === 0 ? shown(directory) : `${shown(directory)} over what is at ${shown(target)}`;
  const script = checkPayloadPaths(where, [...own, ...staying.map(({ path }) => path)]);
  const remaining = staying.map(({ path, status: { length } }) => ({ path, length }));
  checkListFits(where, target, [...local.files, ...remaining]);

  if (attempt === 1) for (const note of await uploadNotes({ ...local, script }, 'takes all')) options.warn?.(note);

  const changed = await differing(hdfs, target, local.files, there, signal);
  const bytes = changed.reduce((sum, { length }) => sum + length, 0);
  const result: Omit<UploadOverResult, 'completeAt'> = {
    path: target,
    script,
    files: changed.length,
    bytes,
    replaced: changed.length > 0 && there.length > 0,
    directories: local.directories,
  };
  if (changed.length === 0) return { ...result, completeAt: lastWritten(there) };

  // Who may write to the directory may not be allowed to write beside it.
  const place = isNew ? stagingBeside(target) : { parent: target, prefix: `${stagingPrefix}over-` };
  await withStaging(hdfs, place, options, async (staging) => {
    const manifest = await uploadFiles(hdfs, { files: changed, bytes }, staging, options);
    if (isNew) {
      await writeManifest(hdfs, manifest, staging, signal);
      return await moveInto(hdfs, staging, target, signal);
    }
    // It lists what is replaced now.
    await hdfs.delete(joinHdfsPath(target, uploadManifestName), { recursive: false, signal });
    const replace = ({ path }: LocalFile) =>
      hdfs.replace(joinHdfsPath(staging, path), joinHdfsPath(target, path), signal);
    const isScript = ({ path }: LocalFile) => path === script;
    await mapBounded(
      changed.filter((file) => !isScript(file)),
      filesAtOnce,
      replace,
      signal,
    );
    for (const file of changed.filter(isScript)) await replace(file);
    return await removeStaging(hdfs, staging, options);
  });
  return { ...result, completeAt: lastWritten(await listPayload(hdfs, target, signal)) };
}

function lastWritten(files: readonly SourceFile[]): number {
  return Math.max(...files.map(({ status }) => status.modificationTime));
}

/** The local files that HDFS does not hold byte for byte. */
async function differing(
  hdfs: PayloadHdfs,
  target: string,
  files: readonly LocalFile[],
  there: readonly SourceFile[],
  signal: AbortSignal | undefined,
): Promise<LocalFile[]> {
  const present = new Map(there.map(({ path, status }) => [path, status]));
  const same = await mapBounded(
    files,
    filesAtOnce,
    async (file, either) => {
      const status = present.get(file.path);
      if (status?.length !== file.length) return false;
      if (file.length === 0) return true;
      const theirs = await hdfs.checksum(joinHdfsPath(target, file.path), either);
      // One that cannot be made here says nothing; then the file is sent again.
      const ours = HdfsChecksum.like(theirs, status.blockSize);
      if (ours === undefined) return false;
      return (await digestLocalFile(file, ours, either)).matches(theirs);
    },
    signal,
  );
  return files.filter((_file, index) => same[index] !== true);
}
