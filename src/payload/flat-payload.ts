/**
 * What the old deploy client uploads of a local directory: the files directly in it, without endpoint.dat. Directories
 * stay behind, and links are followed wherever they lead.
 */
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MaasError } from '../api/errors.ts';
import { byCodeUnits } from './list-payload.ts';
import type { LocalFile } from './local-payload.ts';
import { isIgnored, shown } from './payload-rules.ts';

export interface FlatPayload {
  /** By path, which is a name alone. */
  readonly files: readonly LocalFile[];
  readonly bytes: number;
  /** Names of the directories that are not part of it. */
  readonly directories: readonly string[];
}

/** @throws LOCAL_PATH_INVALID for what the original took for an empty directory: a path that is none, or holds nothing */
export async function readFlatPayload(directory: string): Promise<FlatPayload> {
  const root = await statusOf(directory, `The local path ${shown(directory)}`);
  if (!root.isDirectory())
    throw new MaasError('LOCAL_PATH_INVALID', `The local path ${shown(directory)} is not a directory`);
  const files: LocalFile[] = [];
  const directories: string[] = [];
  for (const name of await namesIn(directory)) {
    if (isIgnored(name)) continue;
    const from = join(directory, name);
    const what = `${shown(name)} in ${shown(directory)}`;
    const status = await statusOf(from, what);
    if (status.isDirectory()) directories.push(name);
    else if (!status.isFile())
      throw new MaasError('LOCAL_PATH_INVALID', `${what} is no regular file`, { next: 'Remove it.' });
    else files.push({ path: name.normalize('NFC'), from, length: status.size, modificationTimeMs: status.mtimeMs });
  }
  if (files.length === 0)
    throw new MaasError('LOCAL_PATH_INVALID', `The local path ${shown(directory)} holds no files`);
  files.sort((one, other) => byCodeUnits(one.path, other.path));
  for (const [index, file] of files.entries()) {
    if (files[index + 1]?.path === file.path) {
      throw new MaasError(
        'PAYLOAD_NAME_COLLISION',
        `Two names in ${shown(directory)} differ only in how ${shown(file.path)} is composed`,
      );
    }
  }
  const bytes = files.reduce((sum, { length }) => sum + length, 0);
  return { files, bytes, directories: directories.sort(byCodeUnits) };
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    throw new MaasError('LOCAL_PATH_INVALID', `The local path ${shown(directory)} cannot be read`, { cause });
  }
}

/** Of what a link leads to. */
async function statusOf(path: string, what: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new MaasError('LOCAL_PATH_INVALID', `${what} ${missing ? 'does not exist' : 'cannot be read'}`, { cause });
  }
}
