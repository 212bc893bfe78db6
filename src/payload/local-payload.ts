/** A payload in a local directory, as it is before its upload. */
import type { Stats } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { MaasError } from '../api/errors.ts';
import { byCodeUnits } from './list-payload.ts';
import { checkPayloadPaths, isIgnored, shown } from './payload-rules.ts';

export interface LocalFile {
  /** Relative, `/` between segments, NFC: its name in HDFS. */
  readonly path: string;
  /** Where it is read. */
  readonly from: string;
  /** Bytes. */
  readonly length: number;
  readonly modificationTimeMs: number;
}

export interface LocalPayload {
  readonly script: string;
  /** By path. */
  readonly files: readonly LocalFile[];
  readonly bytes: number;
}

const maxFiles = 100_000;

/**
 * @param directory as the user wrote it; may itself be a link
 * @throws LOCAL_PATH_INVALID, and the PAYLOAD_* codes that the same files would give in HDFS
 */
export async function readLocalPayload(directory: string): Promise<LocalPayload> {
  const root = await realDirectory(directory);
  const found: (LocalFile & { readonly stored: string })[] = [];
  const directories: string[] = [''];
  for (let parent = directories.pop(); parent !== undefined; parent = directories.pop()) {
    for (const name of await readdir(join(root, parent))) {
      const stored = parent === '' ? name : `${parent}/${name}`;
      if (isIgnored(stored)) continue;
      const from = join(root, stored);
      const link = await lstat(from);
      if (link.isDirectory()) {
        directories.push(stored);
        continue;
      }
      const status = link.isSymbolicLink() ? await followInside(root, from, directory, stored) : link;
      if (!status.isFile()) {
        throw new MaasError('LOCAL_PATH_INVALID', `${shown(stored)} in ${shown(directory)} is no regular file`, {
          next: 'Remove it, or put a regular file in its place.',
        });
      }
      const path = stored.normalize('NFC');
      found.push({ path, stored, from, length: status.size, modificationTimeMs: status.mtimeMs });
      if (found.length > maxFiles) {
        throw new MaasError('PAYLOAD_TOO_MANY_FILES', `${shown(directory)} holds more than ${maxFiles} files`);
      }
    }
  }
  const script = checkPayloadPaths(
    shown(directory),
    found.map(({ stored }) => stored),
  );
  const files = found.map(({ stored: _, ...file }) => file).sort((one, other) => byCodeUnits(one.path, other.path));
  return { script, files, bytes: files.reduce((sum, { length }) => sum + length, 0) };
}

async function realDirectory(directory: string): Promise<string> {
  let root: string;
  let status: Stats;
  try {
    root = await realpath(directory);
    status = await stat(root);
  } catch (error) {
    const reason =
      error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'does not exist' : 'cannot be read';
    throw new MaasError('LOCAL_PATH_INVALID', `The local path ${shown(directory)} ${reason}`, { cause: error });
  }
  if (!status.isDirectory())
    throw new MaasError('LOCAL_PATH_INVALID', `The local path ${shown(directory)} is not a directory`);
  return root;
}

/** The file behind a link. Only links to files inside are followed: an upload must not carry away what lies elsewhere. */
async function followInside(root: string, from: string, directory: string, stored: string): Promise<Stats> {
  let target: string;
  try {
    target = await realpath(from);
  } catch (error) {
    throw new MaasError('LOCAL_PATH_INVALID', `The link ${shown(stored)} in ${shown(directory)} leads nowhere`, {
      cause: error,
    });
  }
  if (!target.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) {
    throw new MaasError('LOCAL_PATH_INVALID', `The link ${shown(stored)} leads out of ${shown(directory)}`, {
      next: 'Copy the file into the directory.',
    });
  }
  const status = await stat(target);
  if (status.isDirectory()) {
    throw new MaasError('LOCAL_PATH_INVALID', `${shown(stored)} in ${shown(directory)} is a link to a directory`, {
      next: 'Put the directory itself in its place.',
    });
  }
  return status;
}
