/** Files that a user names, as text. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { MaasError } from '../contracts/errors.ts';
import { messageOf } from '../kernel/message-of.ts';

/** @param path `-` is standard input. @throws MaasError LOCAL_PATH_INVALID */
export async function readText(path: string): Promise<string> {
  try {
    return path === '-' ? await text(process.stdin) : await readFile(path, 'utf8');
  } catch (cause) {
    throw new MaasError('LOCAL_PATH_INVALID', `it cannot be read: ${messageOf(cause)}`, {
      cause,
      next: 'Name a file that exists.',
    });
  }
}

/** Undefined where there is no such file. @throws MaasError SETTINGS_INVALID where it cannot be read */
export async function readTextIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new MaasError('SETTINGS_INVALID', `${path} cannot be read`, { cause });
  }
}
