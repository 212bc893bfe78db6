/**
 * What the old deploy client uploads of a local directory: the files directly in it, without endpoint.dat. Directories
 * stay behind, and links are followed wherever they lead.
 */

import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { MaasError } from '../contracts/errors.ts';
import { leavesOut, leftOutOfOldUploads } from './left-out.ts';
import { localFailure } from './local-file.ts';
import { realDirectory, type Walk, walkLocal } from './local-walk.ts';
import { shown } from './payload-rules.ts';

/**
 * @returns the files, each path a name alone; directories are named only as what is not sent
 * @throws LOCAL_PATH_INVALID for what the original took for an empty directory: a path that is none, or holds nothing;
 *   LOCAL_FILE_UNREADABLE, LOCAL_FILE_CHANGED, PAYLOAD_NAME_INVALID, PAYLOAD_NAME_COLLISION
 */
export async function readFlatPayload(directory: string): Promise<Walk> {
  await realDirectory(directory);
  const found = await walkLocal(directory, {
    directory,
    leaves: leavesOut(leftOutOfOldUploads),
    passesOver: () => false,
    deep: false,
    behindLink: (from, name) => behindLink(from, directory, name),
    next: 'Remove it.',
  });
  const { files } = found;
  if (files.length === 0)
    throw new MaasError('LOCAL_PATH_INVALID', `The local path ${shown(directory)} holds no files`);
  const twice = files.find(({ path }, index) => files[index + 1]?.path === path);
  if (twice !== undefined) {
    throw new MaasError(
      'PAYLOAD_NAME_COLLISION',
      `Two names in ${shown(directory)} differ only in how ${shown(twice.path)} is composed`,
    );
  }
  const areFiles = (paths: readonly string[]) => paths.filter((path) => !path.endsWith('/'));
  return { ...found, leftOut: areFiles(found.leftOut), hidden: areFiles(found.hidden) };
}

async function behindLink(from: string, directory: string, name: string): Promise<Stats> {
  try {
    return await stat(from);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new MaasError(
        'LOCAL_PATH_INVALID',
        `${shown(name)} in ${shown(directory)} is a link to what does not exist`,
        { next: 'Remove it.', cause: error },
      );
    }
    throw localFailure(from, error);
  }
}
