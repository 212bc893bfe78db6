/** What WebHDFS says of a file or directory. */
import { MaasError } from '../../contracts/errors.ts';
import { field } from '../json-field.ts';

export interface HdfsFileStatus {
  /** Last segment in a listing; empty when the path itself was asked for. */
  readonly name: string;
  readonly type: 'FILE' | 'DIRECTORY' | 'SYMLINK';
  /** Bytes; 0 for directories. */
  readonly length: number;
  /** Inode number, decimal. It changes when a file is overwritten. */
  readonly fileId: string;
  /** Milliseconds since the epoch. */
  readonly modificationTime: number;
  /** Bytes; 0 for directories. */
  readonly blockSize: number;
  readonly owner: string;
  readonly group: string;
  /** Octal, `644`. */
  readonly permission: string;
  /** Stored in stripes or encrypted: HDFS's checksum is then not one over the plain bytes. */
  readonly opaqueChecksum: boolean;
}

/** @throws HDFS_ERROR when it is not a FileStatus */
export function parseFileStatus(value: unknown): HdfsFileStatus {
  const type = text(value, 'type');
  if (type !== 'FILE' && type !== 'DIRECTORY' && type !== 'SYMLINK') throw wrong('type');
  return {
    name: text(value, 'pathSuffix'),
    type,
    length: count(value, 'length'),
    fileId: String(count(value, 'fileId')),
    modificationTime: count(value, 'modificationTime'),
    blockSize: count(value, 'blockSize'),
    owner: text(value, 'owner'),
    group: text(value, 'group'),
    permission: text(value, 'permission'),
    opaqueChecksum:
      field(value, 'encBit') === true || field(value, 'ecBit') === true || field(value, 'ecPolicy') !== undefined,
  };
}

/** The statuses below `FileStatuses.FileStatus`. */
export function parseFileStatuses(value: unknown): HdfsFileStatus[] {
  const list = field(field(value, 'FileStatuses'), 'FileStatus');
  if (!Array.isArray(list)) throw wrong('FileStatuses');
  return list.map(parseFileStatus);
}

function text(value: unknown, name: string): string {
  const found = field(value, name);
  if (typeof found !== 'string') throw wrong(name);
  return found;
}

function count(value: unknown, name: string): number {
  const found = field(value, name);
  if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 0) throw wrong(name);
  return found;
}

function wrong(name: string): MaasError {
  return new MaasError('HDFS_ERROR', `The answer is not that of WebHDFS: no usable ${name}`);
}
