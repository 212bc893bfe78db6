/**
 * Reading from HDFS over node:http alone: what an agent needs, with nothing loaded that it does not.
 */

import type { HdfsSettings } from '../../contracts/hadoop-side.ts';
import { field } from '../json-field.ts';
import { fileBlockLengths } from './file-blocks.ts';
import { fileChecksum, type HdfsFileChecksum } from './file-checksum.ts';
import { type HdfsFileStatus, parseFileStatus } from './file-status.ts';
import { askForJson, callForJson, RefusedError } from './name-node-call.ts';
import { type HdfsOptions, Nameservice } from './nameservice.ts';
import { openFile, type ReadOptions } from './open-file.ts';

export interface HdfsReader {
  /** Undefined when there is nothing at the path. */
  status(path: string, signal?: AbortSignal): Promise<HdfsFileStatus | undefined>;
  /** HDFS's own checksum of a file. */
  checksum(path: string, signal?: AbortSignal): Promise<HdfsFileChecksum>;
  /** Bytes in each block of a file, in their order; undefined where HDFS is too old to tell. */
  blockLengths(path: string, signal?: AbortSignal): Promise<number[] | undefined>;
  /** The bytes of a file; see openFile. */
  read(path: string, options?: ReadOptions): Promise<AsyncIterable<Buffer>>;
}

/** @throws HDFS_NAMESERVICE_UNKNOWN */
export function openHdfsReader(settings: HdfsSettings, name: string, options: HdfsOptions): HdfsReader {
  return readerOf(new Nameservice(settings, name, options));
}

export function readerOf(nameservice: Nameservice): HdfsReader {
  return {
    status: (path, signal) => fileStatus(nameservice, callForJson, path, signal),
    checksum: (path, signal) => fileChecksum(nameservice, path, signal),
    blockLengths: (path, signal) => fileBlockLengths(nameservice, path, signal),
    read: (path, readOptions) => openFile(nameservice, path, readOptions),
  };
}

/** @param call sends a small operation and gives its JSON */
export async function fileStatus(
  nameservice: Nameservice,
  call: typeof callForJson,
  path: string,
  signal?: AbortSignal,
): Promise<HdfsFileStatus | undefined> {
  try {
    const operation = { method: 'GET', op: 'GETFILESTATUS', path } as const;
    return parseFileStatus(field(await askForJson(nameservice, operation, signal, call), 'FileStatus'));
  } catch (error) {
    if (error instanceof RefusedError && error.code === 'HDFS_PATH_MISSING') return undefined;
    throw error;
  }
}
