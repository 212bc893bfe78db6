/**
 * Walks a directory on the machine that uploads: its files, and what of it is not sent, by the rules of either upload.
 */
import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { MaasError } from '../contracts/errors.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { compareTexts } from '../kernel/text-order.ts';
import type { LeavesOut } from './left-out.ts';
import { type LocalFile, namesIn, statusOf } from './local-file.ts';
import { isHidden, isIgnored, shown } from './payload-rules.ts';
import { checkCount } from './payload-size.ts';

export interface WalkRules {
  /** As the user wrote it, for messages. */
  readonly directory: string;
  readonly leaves: LeavesOut;
  /** Is not sent either, and is not said to be left out. */
  readonly passesOver: (path: string) => boolean;
  /** Are directories looked into? */
  readonly deep: boolean;
  /** What a link leads to, where it may be followed. */
  readonly behindLink: (from: string, stored: string) => Promise<Stats>;
  /** What to do about something that is neither a file nor a directory. */
  readonly next: string;
}

/** A file as it was found; `stored`: its path as it is there, not composed. */
export type WalkedFile = LocalFile & { readonly stored: string };

/** In the order of the paths, which are relative, with `/` between segments. */
export interface Walk {
  readonly files: readonly WalkedFile[];
  readonly bytes: number;
  readonly directories: readonly string[];
  /** What is not sent; directories end in a slash. */
  readonly leftOut: readonly string[];
  /** Sent although the name begins with a dot; of a directory, the directory alone, which ends in a slash. */
  readonly hidden: readonly string[];
}

const looksAtOnce = 16;

/**
 * @param root where to begin
 * @throws LOCAL_PATH_INVALID, LOCAL_FILE_*, PAYLOAD_NAME_INVALID, PAYLOAD_TOO_MANY_FILES
 */
export async function walkLocal(root: string, rules: WalkRules): Promise<Walk> {
  const found: Found = { files: [], directories: [], leftOut: [], hidden: [] };
  await look(root, '', rules, found);
  // Those that are found on the way come after those that are there.
  if (rules.deep) for (const path of found.directories) await look(root, path, rules, found);
  return {
    files: found.files.sort((one, other) => compareTexts(one.path, other.path)),
    bytes: found.files.reduce((sum, { length }) => sum + length, 0),
    directories: found.directories.sort(compareTexts),
    leftOut: found.leftOut.sort(compareTexts),
    hidden: found.hidden.sort(compareTexts),
  };
}

interface Found {
  readonly files: WalkedFile[];
  readonly directories: string[];
  readonly leftOut: string[];
  readonly hidden: string[];
}

/** Looks into one directory. */
async function look(root: string, above: string, rules: WalkRules, found: Found): Promise<void> {
  const below = (name: string) => (above === '' ? name : `${above}/${name}`);
  const names = await namesIn(join(root, above), (name) => rules.leaves(below(name), false));
  const paths = names.map(below).filter((path) => !isIgnored(path) && !rules.passesOver(path));
  const entries = await mapBounded(paths, looksAtOnce, async (stored) => ({
    stored,
    from: join(root, stored),
    link: await statusOf(join(root, stored)),
  }));
  const aboveIsHidden = found.hidden.some((path) => path.endsWith('/') && `${above}/`.startsWith(path));
  for (const { stored, from, link } of entries) {
    if (rules.leaves(stored, link.isDirectory())) {
      found.leftOut.push(withSlash(stored, link));
      continue;
    }
    const status = link.isSymbolicLink() ? await rules.behindLink(from, stored) : link;
    if (!aboveIsHidden && isHidden(basename(stored))) found.hidden.push(withSlash(stored, status));
    if (status.isDirectory()) found.directories.push(stored);
    else takeFile(stored, from, status, rules, found);
  }
}

function takeFile(stored: string, from: string, status: Stats, { directory, next }: WalkRules, found: Found): void {
  if (!status.isFile()) {
    throw new MaasError('LOCAL_PATH_INVALID', `${shown(stored)} in ${shown(directory)} is no regular file`, { next });
  }
  const path = stored.normalize('NFC');
  const count = found.files.push({ path, stored, from, length: status.size, modificationTimeMs: status.mtimeMs });
  checkCount(directory, count);
}

function withSlash(path: string, status: Stats): string {
  return status.isDirectory() ? `${path}/` : path;
}

/** The directory itself where it is a link. @throws LOCAL_PATH_INVALID for what is no directory */
export async function realDirectory(directory: string): Promise<string> {
  const invalid = (how: string, cause?: unknown) =>
    new MaasError('LOCAL_PATH_INVALID', `The local path ${shown(directory)} ${how}`, { cause });
  let root: string;
  let status: Stats;
  try {
    root = await realpath(directory);
    status = await stat(root);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw invalid(missing ? 'does not exist' : 'cannot be read', error);
  }
  if (!status.isDirectory()) throw invalid('is not a directory');
  return root;
}
