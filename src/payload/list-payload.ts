/** All files below a directory of HDFS, whatever they are, with bounds on how many there may be. */

import { hasCode, MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { compareTexts } from '../kernel/text-order.ts';
import type { PayloadHdfs, SourceStatus } from './payload-hdfs.ts';
import { isIgnored, shown } from './payload-rules.ts';
import { checkCount, maxFiles } from './payload-size.ts';

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
export async function listPayload(
  hdfs: Pick<PayloadHdfs, 'status' | 'list'>,
  directory: string,
  signal?: AbortSignal,
): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const look = async (parent: string, either: AbortSignal): Promise<string[]> => {
    const entries = await entriesIn(hdfs, directory, parent, either);
    checkCount(directory, files.push(...entries.filter(({ status }) => status.type === 'FILE')));
    return entries.filter(({ status }) => status.type === 'DIRECTORY').map(({ path }) => path);
  };
  let directories = 0;
  for (let level = ['']; level.length > 0; level = (await mapBounded(level, listParallelism, look, signal)).flat()) {
    directories += level.length;
    checkCount(directory, directories, maxDirectories, 'directories');
  }
  return files.sort((one, other) => compareTexts(one.path, other.path));
}

/** What is directly in a directory below the payload's, without what is ignored. */
async function entriesIn(
  hdfs: Pick<PayloadHdfs, 'status' | 'list'>,
  directory: string,
  parent: string,
  signal: AbortSignal,
): Promise<SourceFile[]> {
  const listed = parent === '' ? rootOf(hdfs, directory, signal) : list(hdfs, joinHdfsPath(directory, parent), signal);
  const entries = (await listed)
    .map((status) => ({ path: parent === '' ? status.name : `${parent}/${status.name}`, status }))
    .filter(({ path }) => !isIgnored(path));
  const link = entries.find(({ status }) => status.type === 'SYMLINK');
  if (link === undefined) return entries;
  throw new MaasError('PAYLOAD_NAME_INVALID', `${shown(link.path)} in ${shown(directory)} is a symbolic link`);
}

/** What is no directory is found out only where the listing fails: one request says all of a payload that is flat. */
async function rootOf(
  hdfs: Pick<PayloadHdfs, 'status' | 'list'>,
  directory: string,
  signal: AbortSignal,
): Promise<readonly SourceStatus[]> {
  try {
    return await list(hdfs, directory, signal);
  } catch (error) {
    if (hasCode(error, 'HDFS_PATH_MISSING'))
      throw new MaasError('HDFS_PATH_MISSING', `There is nothing at ${shown(directory)} in HDFS`, { cause: error });
    if (hasCode(error, 'HDFS_PATH_INVALID') && (await hdfs.status(directory, signal))?.type === 'FILE')
      throw new MaasError('PAYLOAD_NOT_A_DIRECTORY', `${shown(directory)} is not a directory`, { cause: error });
    throw error;
  }
}

function list(hdfs: Pick<PayloadHdfs, 'list'>, at: string, signal: AbortSignal): Promise<readonly SourceStatus[]> {
  return hdfs.list(at, { limit: maxFiles, signal });
}
