/** A payload in a local directory, as `kubectl maas add` uploads it: what of it is sent, and what is not. */

import type { Stats } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { MaasError } from '../contracts/errors.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { ignoreFile, leavesOut, leftOutOfUploads } from './left-out.ts';
import { localFailure, unreadable } from './local-file.ts';
import { realDirectory, type Walk, walkLocal } from './local-walk.ts';
import { checkPayloadPaths, shown } from './payload-rules.ts';

export interface LocalPayload extends Walk {
  readonly script: string;
}

const maxIgnoreFileBytes = 1024 * 1024;
const looksAtOnce = 16;
/** Names in one message. */
const named = 5;

/**
 * @param directory as the user wrote it; may itself be a link
 * @param exclude patterns as in a .gitignore, after the default ones and those of the directory's ignore file
 * @throws LOCAL_PATH_INVALID, LOCAL_FILE_UNREADABLE, LOCAL_FILE_CHANGED, and the PAYLOAD_* codes that the same files
 *   would give in HDFS
 */
export async function readLocalPayload(directory: string, exclude: readonly string[] = []): Promise<LocalPayload> {
  const root = await realDirectory(directory);
  const found = await walkLocal(root, {
    directory,
    leaves: leavesOut([...leftOutOfUploads, ...(await ignoreFilePatterns(root)), ...exclude]),
    passesOver: (path) => path === ignoreFile,
    deep: true,
    behindLink: (from, stored) => followInside(root, from, directory, stored),
    next: orLeaveOut('Remove it, put a regular file in its place'),
  });
  const stored = found.files.map((file) => file.stored);
  const script = checkPayloadPaths(shown(directory), stored);
  await checkReadable(directory, found.files);
  return { ...found, script };
}

/** Before the first byte travels, and all of them at once. */
async function checkReadable(directory: string, files: Walk['files']): Promise<void> {
  const reasons = await mapBounded(files, looksAtOnce, ({ from }) => unreadable(from));
  const trouble = files.flatMap(({ stored }, index) =>
    reasons[index] === undefined ? [] : [`${shown(stored)} (${reasons[index]})`],
  );
  if (trouble.length === 0) return;
  const more = trouble.length > named ? ` and ${trouble.length - named} more` : '';
  throw new MaasError(
    'LOCAL_FILE_UNREADABLE',
    `${shown(directory)} holds what cannot be read: ${trouble.slice(0, named).join(', ')}${more}`,
  );
}

async function ignoreFilePatterns(root: string): Promise<string[]> {
  const from = join(root, ignoreFile);
  try {
    const status = await stat(from);
    if (!status.isFile()) throw new MaasError('LOCAL_PATH_INVALID', `${shown(from)} is no regular file`);
    if (status.size > maxIgnoreFileBytes) throw new MaasError('LOCAL_PATH_INVALID', `${shown(from)} is too large`);
    return (await readFile(from, 'utf8')).split(/\r?\n/);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw localFailure(from, error);
  }
}

/** The file behind a link. Only links to files inside are followed: an upload must not carry away what lies elsewhere. */
async function followInside(root: string, from: string, directory: string, stored: string): Promise<Stats> {
  let target: string;
  let status: Stats;
  try {
    target = await realpath(from);
    status = await stat(target);
  } catch (error) {
    throw new MaasError('LOCAL_PATH_INVALID', `The link ${shown(stored)} in ${shown(directory)} leads nowhere`, {
      next: orLeaveOut('Remove it'),
      cause: error,
    });
  }
  if (!target.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) {
    throw new MaasError('LOCAL_PATH_INVALID', `The link ${shown(stored)} leads out of ${shown(directory)}`, {
      next: orLeaveOut('Copy the file into the directory'),
    });
  }
  if (status.isDirectory()) {
    throw new MaasError('LOCAL_PATH_INVALID', `${shown(stored)} in ${shown(directory)} is a link to a directory`, {
      next: orLeaveOut('Put the directory itself in its place'),
    });
  }
  return status;
}

function orLeaveOut(next: string): string {
  return `${next}, or leave it out with --exclude.`;
}
