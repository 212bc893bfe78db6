/**
 * Opening files below a directory that untrusted code can write to, without ever following a link out of it: each
 * directory on the way is opened by itself, refusing links, and the next step starts from that open directory.
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { MaasError } from '../contracts/errors.ts';
import { shown } from './payload-rules.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;

/**
 * Everybody may do everything: the volume belongs to one pod alone, and the model may run there as a user and group
 * that nobody knows beforehand. Every file may be executed, because the YARN containers that models come from made
 * every localized file executable, and scripts call their helpers directly.
 */
const openToAll = 0o777;
const maxTries = 3;

/**
 * Opens a regular file for reading and writing, made with its directories where they are missing. What is in the way
 * and is no directory, or no regular file with one name, is removed.
 *
 * @param root existing directory, trusted
 * @param path relative; valid as a payload's path
 */
export async function openBeneath(root: string, path: string): Promise<FileHandle> {
  const segments = path.split('/');
  const name = segments.pop() ?? '';
  let directory = await open(root, O_RDONLY | O_DIRECTORY);
  try {
    for (const segment of segments) {
      const next = await openDirectory(directory, segment, path);
      await directory.close();
      directory = next;
    }
    return await openFile(directory, name, path);
  } finally {
    await directory.close();
  }
}

async function openDirectory(parent: FileHandle, name: string, path: string): Promise<FileHandle> {
  const at = within(parent, name);
  for (let tries = 0; tries < maxTries; tries++) {
    try {
      return await open(at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    } catch (error) {
      if (isCode(error, 'ENOTDIR', 'ELOOP')) await unlink(at);
      else if (!isCode(error, 'ENOENT')) throw error;
    }
    try {
      await mkdir(at);
    } catch (error) {
      if (isCode(error, 'EEXIST')) continue;
      throw error;
    }
    const made = await open(at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    // Not by mkdir's mode, from which the process's umask is taken.
    await made.chmod(openToAll);
    return made;
  }
  throw inTheWay(path);
}

async function openFile(parent: FileHandle, name: string, path: string): Promise<FileHandle> {
  const at = within(parent, name);
  for (let tries = 0; tries < maxTries; tries++) {
    // Not blocking, because opening a FIFO that somebody put there would.
    const flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | (tries === 0 ? 0 : O_EXCL);
    try {
      const file = await open(at, flags, openToAll);
      const { nlink, mode } = await file.stat();
      if ((mode & constants.S_IFMT) === constants.S_IFREG && nlink === 1) {
        await file.chmod(openToAll);
        return file;
      }
      await file.close();
    } catch (error) {
      if (!isCode(error, 'ELOOP', 'EEXIST', 'ENXIO', 'EACCES', 'EPERM')) throw error;
    }
    await unlink(at);
  }
  throw inTheWay(path);
}

/** The kernel's own name for an open directory stands for that very directory, whatever its path has become. */
function within(directory: FileHandle, name: string): string {
  return `/proc/self/fd/${directory.fd}/${name}`;
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => code === error.code);
}

function inTheWay(path: string): MaasError {
  return new MaasError('INTERNAL', `Something in the payload's volume keeps taking the place of ${shown(path)}`);
}
