/**
 * What the old deploy client uploads of a local directory: the files directly in it, without endpoint.dat. Directories
 * stay behind, and links are followed wherever they lead.
 */

import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MaasError } from '../contracts/errors.ts';
import { compareTexts } from '../kernel/text-order.ts';
import { leavesOut, leftOutOfOldUploads } from './left-out.ts';
import { type LocalFile, localFailure, namesIn, statusOf } from './local-file.ts';
import { isHidden, isIgnored, shown } from './payload-rules.ts';

export interface FlatPayload {
  /** By path, which is a name alone. */
  readonly files: readonly LocalFile[];
  readonly bytes: number;
  /** Names of the directories that are not part of it. */
  readonly directories: readonly string[];
  /** What editors and operating systems put there, which is not sent. */
  readonly leftOut: readonly string[];
  /** What is sent although its name begins with a dot. */
  readonly hidden: readonly string[];
}

const leaves = leavesOut(leftOutOfOldUploads);

/**
 * @throws LOCAL_PATH_INVALID for what the original took for an empty directory: a path that is none, or holds nothing;
 *   LOCAL_FILE_UNREADABLE, LOCAL_FILE_CHANGED, PAYLOAD_NAME_INVALID, PAYLOAD_NAME_COLLISION
 */
export async function readFlatPayload(directory: string): Promise<FlatPayload> {
  await checkDirectory(directory);
  const files: LocalFile[] = [];
  const directories: string[] = [];
  const leftOut: string[] = [];
  for (const name of await namesIn(directory, (name) => leaves(name, false))) {
    if (isIgnored(name)) continue;
    const from = join(directory, name);
    const own = await statusOf(from);
    if (leaves(name, own.isDirectory())) {
      if (!own.isDirectory()) leftOut.push(name);
      continue;
    }
    const status = own.isSymbolicLink() ? await behindLink(from, directory, name) : own;
    if (status.isDirectory()) directories.push(name);
    else if (!status.isFile())
      throw new MaasError('LOCAL_PATH_INVALID', `${shown(name)} in ${shown(directory)} is no regular file`, {
        next: 'Remove it.',
      });
    else files.push({ path: name.normalize('NFC'), from, length: status.size, modificationTimeMs: status.mtimeMs });
  }
  if (files.length === 0)
    throw new MaasError('LOCAL_PATH_INVALID', `The local path ${shown(directory)} holds no files`);
  files.sort((one, other) => compareTexts(one.path, other.path));
  for (const [index, file] of files.entries()) {
    if (files[index + 1]?.path === file.path) {
      throw new MaasError(
        'PAYLOAD_NAME_COLLISION',
        `Two names in ${shown(directory)} differ only in how ${shown(file.path)} is composed`,
      );
    }
  }
  return {
    files,
    bytes: files.reduce((sum, { length }) => sum + length, 0),
    directories: directories.sort(compareTexts),
    leftOut: leftOut.sort(compareTexts),
    hidden: files.map(({ path }) => path).filter(isHidden),
  };
}

async function checkDirectory(directory: string): Promise<void> {
  const invalid = (how: string, cause?: unknown) =>
    new MaasError('LOCAL_PATH_INVALID', `The local path ${shown(directory)} ${how}`, { cause });
  let status: Stats;
  try {
    status = await stat(directory);
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw invalid(missing ? 'does not exist' : 'cannot be read', cause);
  }
  if (!status.isDirectory()) throw invalid('is not a directory');
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
