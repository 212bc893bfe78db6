/** A payload in a local directory, as it is before its upload: what of it is sent, and what is not. */

import type { Stats } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { MaasError } from '../contracts/errors.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { compareTexts } from '../kernel/text-order.ts';
import { ignoreFile, type LeavesOut, leavesOut, leftOutOfUploads } from './left-out.ts';
import { type LocalFile, localFailure, namesIn, statusOf, unreadable } from './local-file.ts';
import { checkPayloadPaths, isHidden, isIgnored, shown } from './payload-rules.ts';
import { maxFiles } from './payload-size.ts';

export interface LocalPayload {
  readonly script: string;
  /** By path. */
  readonly files: readonly LocalFile[];
  readonly bytes: number;
  /** What is there and not sent, by path; directories end in a slash. */
  readonly leftOut: readonly string[];
  /** What is sent although its name begins with a dot; of a directory, the directory alone. */
  readonly hidden: readonly string[];
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
  const leaves = leavesOut([...leftOutOfUploads, ...(await ignoreFilePatterns(root)), ...exclude]);
  const found = await walk(root, directory, leaves);
  const script = checkPayloadPaths(
    shown(directory),
    found.files.map(({ stored }) => stored),
  );
  await checkReadable(directory, found.files);
  const files = found.files.map(({ stored: _, ...file }) => file);
  return {
    script,
    files: files.sort((one, other) => compareTexts(one.path, other.path)),
    bytes: files.reduce((sum, { length }) => sum + length, 0),
    leftOut: found.leftOut.sort(compareTexts),
    hidden: found.hidden.sort(compareTexts),
  };
}

interface Found {
  readonly files: (LocalFile & { readonly stored: string })[];
  readonly leftOut: string[];
  readonly hidden: string[];
}

async function walk(root: string, directory: string, leaves: LeavesOut): Promise<Found> {
  const found: Found = { files: [], leftOut: [], hidden: [] };
  const directories: { readonly path: string; readonly isHidden: boolean }[] = [{ path: '', isHidden: false }];
  for (let parent = directories.pop(); parent !== undefined; parent = directories.pop()) {
    const { path: above, isHidden: aboveIsHidden } = parent;
    const below = (name: string) => (above === '' ? name : `${above}/${name}`);
    const names = await namesIn(join(root, above), (name) => leaves(below(name), false));
    const entries = await mapBounded(
      names.filter((name) => !isIgnored(below(name))),
      looksAtOnce,
      async (name) => ({ name, link: await statusOf(join(root, below(name))) }),
    );
    for (const { name, link } of entries) {
      const stored = below(name);
      const from = join(root, stored);
      const isDirectory = link.isDirectory();
      if (stored === ignoreFile || leaves(stored, isDirectory)) {
        if (stored !== ignoreFile) found.leftOut.push(isDirectory ? `${stored}/` : stored);
        continue;
      }
      const newlyHidden = isHidden(name) && !aboveIsHidden;
      if (newlyHidden) found.hidden.push(isDirectory ? `${stored}/` : stored);
      if (isDirectory) {
        directories.push({ path: stored, isHidden: aboveIsHidden || newlyHidden });
        continue;
      }
      const status = link.isSymbolicLink() ? await followInside(root, from, directory, stored) : link;
      if (!status.isFile()) {
        throw new MaasError('LOCAL_PATH_INVALID', `${shown(stored)} in ${shown(directory)} is no regular file`, {
          next: orLeaveOut('Remove it, put a regular file in its place'),
        });
      }
      const path = stored.normalize('NFC');
      found.files.push({ path, stored, from, length: status.size, modificationTimeMs: status.mtimeMs });
      if (found.files.length > maxFiles) {
        throw new MaasError(
          'PAYLOAD_TOO_MANY_FILES',
          `${shown(directory)} holds more than ${maxFiles.toLocaleString('en-US')} files`,
        );
      }
    }
  }
  return found;
}

/** Before the first byte travels, and all of them at once. */
async function checkReadable(directory: string, files: Found['files']): Promise<void> {
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
