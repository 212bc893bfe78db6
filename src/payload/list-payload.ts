/** All files below a directory of HDFS, whatever they are, with bounds on how many there may be. */

import { MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { compareTexts } from '../kernel/text-order.ts';
import { isIgnored, shown } from './payload-rules.ts';
import { maxFiles } from './payload-size.ts';

/** The part of a file's status that matters here; see HDFS's FileStatus. */
export interface SourceStatus {
  /** Last segment of the path, in a listing. */
  readonly name: string;
  readonly type: 'FILE' | 'DIRECTORY' | 'SYMLINK';
  readonly length: number;
  readonly fileId: string;
  readonly modificationTime: number;
  readonly blockSize: number;
}

/** Where payloads are listed. */
export interface ListSource {
  status(path: string, signal?: AbortSignal): Promise<SourceStatus | undefined>;
  list(path: string, options?: { limit?: number; signal?: AbortSignal | undefined }): Promise<readonly SourceStatus[]>;
}

export interface SourceFile {
  /** Relative to the payload's directory. */
  readonly path: string;
  readonly status: SourceStatus;
}

const maxDirectories = 20_000;
const listParallelism = 8;

/**
 * @param directory absolute
 * @returns the files by path, what is ignored left out; and the upload's own manifest where there is one
 * @throws HDFS_PATH_MISSING, PAYLOAD_NOT_A_DIRECTORY, PAYLOAD_TOO_MANY_FILES, PAYLOAD_NAME_INVALID for a link
 */
export async function listPayload(source: ListSource, directory: string, signal?: AbortSignal): Promise<SourceFile[]> {
  const root = await source.status(directory, signal);
  if (root === undefined) throw new MaasError('HDFS_PATH_MISSING', `There is nothing at ${shown(directory)} in HDFS`);
  if (root.type !== 'DIRECTORY')
    throw new MaasError('PAYLOAD_NOT_A_DIRECTORY', `${shown(directory)} is not a directory`);

  const files: SourceFile[] = [];
  let directories = 0;
  const tooMany = (what: string, most: number) =>
    new MaasError(
      'PAYLOAD_TOO_MANY_FILES',
      `${shown(directory)} holds more than ${most.toLocaleString('en-US')} ${what}`,
    );
  for (let level = ['']; level.length > 0; ) {
    directories += level.length;
    if (directories > maxDirectories) throw tooMany('directories', maxDirectories);
    const below: string[] = [];
    await mapBounded(
      level,
      listParallelism,
      async (parent, either) => {
        const at = parent === '' ? directory : joinHdfsPath(directory, parent);
        const entries = await source.list(at, { limit: maxFiles, signal: either });
        for (const status of entries) {
          const path = parent === '' ? status.name : `${parent}/${status.name}`;
          if (isIgnored(path)) continue;
          if (status.type === 'SYMLINK') {
            throw new MaasError('PAYLOAD_NAME_INVALID', `${shown(path)} in ${shown(directory)} is a symbolic link`);
          }
          if (status.type === 'DIRECTORY') {
            below.push(path);
            continue;
          }
          files.push({ path, status });
          if (files.length > maxFiles) throw tooMany('files', maxFiles);
        }
      },
      signal,
    );
    level = below;
  }
  return files.sort((one, other) => compareTexts(one.path, other.path));
}
