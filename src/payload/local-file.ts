/**
 * Files and directories of the machine that uploads. Somebody may write to them at any moment, so everything that goes
 * wrong while one is read is either a change, or something that keeps it from being read; both are said with its name.
 */
import { constants, type Stats } from 'node:fs';
import { access, type FileHandle, lstat, open, readdir, stat } from 'node:fs/promises';
import { MaasError } from '../contracts/errors.ts';
import { shown } from './payload-rules.ts';

export interface LocalFile {
  /** Relative, `/` between segments, NFC: its name in HDFS. */
  readonly path: string;
  /** Where it is read. */
  readonly from: string;
  /** Bytes. */
  readonly length: number;
  readonly modificationTimeMs: number;
}

/** Read at once. Larger ones gain nothing more. */
const chunkBytes = 1024 * 1024;

/**
 * The bytes of a file as it was listed.
 * @throws LOCAL_FILE_CHANGED when it is another one by now, or becomes one; LOCAL_FILE_UNREADABLE
 */
export async function* readLocalFile(file: LocalFile, signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const { from, length } = file;
  // Not blocking, because opening a FIFO that somebody put there would.
  const handle = await attempt(from, () => open(from, constants.O_RDONLY | constants.O_NONBLOCK));
  try {
    checkSame(file, await attempt(from, () => handle.stat()));
    let position = 0;
    for await (const chunk of chunksOf(handle, file)) {
      signal?.throwIfAborted();
      position += chunk.length;
      if (position > length) throw changed(from, `grew beyond ${length} bytes`);
      yield chunk;
    }
    if (position < length) throw changed(from, `has ${position} bytes now, not ${length}`);
    checkSame(file, await attempt(from, () => handle.stat()));
  } finally {
    await handle.close();
  }
}

/** Gives all bytes of a file to a digest. @throws as readLocalFile */
export async function digestLocalFile<D extends { update(chunk: Uint8Array): unknown }>(
  file: LocalFile,
  digest: D,
  signal?: AbortSignal,
): Promise<D> {
  for await (const chunk of readLocalFile(file, signal)) digest.update(chunk);
  return digest;
}

/** The first bytes of a file. @throws as readLocalFile */
export async function headOfLocalFile(file: LocalFile, bytes: number): Promise<Uint8Array> {
  for await (const chunk of readLocalFile({ ...file })) return chunk.subarray(0, bytes);
  return new Uint8Array();
}

/** @throws LOCAL_FILE_CHANGED when what is at the path now is not the file that was listed */
export async function checkUnchanged(file: LocalFile): Promise<void> {
  checkSame(file, await attempt(file.from, () => stat(file.from)));
}

/** Status of the path itself, a link's own. @throws LOCAL_FILE_CHANGED, LOCAL_FILE_UNREADABLE */
export async function statusOf(from: string): Promise<Stats> {
  return await attempt(from, () => lstat(from));
}

/** Why this user cannot read a file; undefined where it can. */
export async function unreadable(from: string): Promise<string | undefined> {
  try {
    await access(from, constants.R_OK);
    return undefined;
  } catch (error) {
    return whyUnreadable(error);
  }
}

/**
 * The names in a directory, as they are stored.
 * @throws PAYLOAD_NAME_INVALID for a name that is not UTF-8, if it is not to be left out; LOCAL_FILE_*
 */
export async function namesIn(directory: string, leftOut: (name: string) => boolean): Promise<string[]> {
  const names = await attempt(directory, () => readdir(directory, { encoding: 'buffer' }));
  return names.flatMap((bytes) => {
    const name = bytes.toString('utf8');
    if (Buffer.from(name).equals(bytes)) return [name];
    if (leftOut(name)) return [];
    const spelled = [...bytes].map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`));
    throw new MaasError(
      'PAYLOAD_NAME_INVALID',
      `The name ${shown(spelled.join('')).replaceAll('\\\\x', '\\x')} in ${shown(directory)} is not UTF-8, as names in HDFS are`,
      { next: 'Rename the file, for example with convmv.' },
    );
  });
}

/** To the end, wherever that is by now. The next chunk is read while the last one is used. */
async function* chunksOf(handle: FileHandle, { from, length }: LocalFile): AsyncGenerator<Uint8Array, void> {
  const readAt = async (position: number) => {
    // A buffer of its own each time: the last one may not have been sent yet. Beyond the end there should be nothing.
    const bytes = Math.min(chunkBytes, Math.max(0, length - position) + 1);
    const { buffer, bytesRead } = await attempt(from, () => handle.read(Buffer.allocUnsafe(bytes), 0, bytes, position));
    return buffer.subarray(0, bytesRead);
  };
  let reading = readAt(0);
  try {
    for (let position = 0; ; ) {
      const chunk = await reading;
      if (chunk.length === 0) return;
      position += chunk.length;
      reading = readAt(position);
      // Heard of when it is awaited.
      reading.catch(() => {});
      yield chunk;
    }
  } finally {
    await reading.catch(() => {});
  }
}

function checkSame(file: LocalFile, status: Stats): void {
  const { from, length, modificationTimeMs } = file;
  if (!status.isFile()) throw changed(from, 'is no regular file any more');
  if (status.size !== length) throw changed(from, `has ${status.size} bytes now, not ${length}`);
  if (status.mtimeMs !== modificationTimeMs) throw changed(from, 'was written to');
}

function changed(from: string, how: string, cause?: unknown): MaasError {
  return new MaasError('LOCAL_FILE_CHANGED', `${shown(from)} ${how} while the directory was read`, { cause });
}

async function attempt<T>(from: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw localFailure(from, error);
  }
}

/** The coded error for a call of the file system that failed; what is none stays as it is. */
export function localFailure(from: string, error: unknown): unknown {
  switch (codeOf(error)) {
    case undefined:
      return error;
    case 'ENOENT':
    case 'ENOTDIR':
      return changed(from, 'went away', error);
    case 'EISDIR':
      return changed(from, 'became a directory', error);
    // What opening says of a socket in the place of a file.
    case 'ENXIO':
      return changed(from, 'is no regular file any more', error);
    default:
      return new MaasError('LOCAL_FILE_UNREADABLE', `${shown(from)} cannot be read: ${whyUnreadable(error)}`, {
        cause: error,
      });
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EIO: 'input/output error of the disk',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files in the system',
  ELOOP: 'too many links that lead to each other',
  ENAMETOOLONG: 'its path is too long for this system',
  ESTALE: 'the network file system lost it',
  ENOMEM: 'out of memory',
};

function whyUnreadable(error: unknown): string {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  return (code === undefined ? undefined : reasons[code]) ?? text;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error
    ? error.code
    : undefined;
}
