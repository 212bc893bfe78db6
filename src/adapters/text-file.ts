/** Files that a user names, as text. */
import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { MaasError } from '../contracts/errors.ts';
import { messageOf } from '../kernel/message-of.ts';

/** @param path `-` is standard input. @throws MaasError LOCAL_PATH_INVALID, also where it is not UTF-8: nothing of it may be lost */
export async function readText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = path === '-' ? await buffer(process.stdin) : await readFile(path);
  } catch (cause) {
    throw new MaasError('LOCAL_PATH_INVALID', `it cannot be read: ${messageOf(cause)}`, {
      cause,
      next: 'Name a file that exists.',
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new MaasError('LOCAL_PATH_INVALID', `it is not UTF-8: see line ${lineOfNoText(bytes)}`, {
      cause,
      next: 'Save it as UTF-8, for example with iconv.',
    });
  }
}

/** The first line that is not UTF-8, from 1. */
function lineOfNoText(bytes: Uint8Array): number {
  let [line, start] = [1, 0];
  for (;;) {
    const end = bytes.indexOf(0x0a, start);
    const lineBytes = bytes.subarray(start, end < 0 ? bytes.length : end);
    if (end < 0 || !isUtf8(lineBytes)) return line;
    line += 1;
    start = end + 1;
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
