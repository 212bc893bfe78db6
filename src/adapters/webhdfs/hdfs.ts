/** HDFS over WebHDFS: reading, listing and changing. */
import { MaasError } from '../../contracts/errors.ts';
import type { HdfsSettings } from '../../contracts/hadoop-side.ts';
import { field } from '../json-field.ts';
import { createFile, putFile, type Source, type WriteOptions } from './create-file.ts';
import type { HdfsFileStatus } from './file-status.ts';
import { fileStatus, type HdfsReader, readerOf } from './hdfs-reader.ts';
import { callThroughLibrary } from './library-call.ts';
import { listDirectory } from './list-directory.ts';
import { askForJson, type callForJson } from './name-node-call.ts';
import { type HdfsOptions, Nameservice } from './nameservice.ts';
import { printable } from './redact.ts';
import { renamePath } from './rename-path.ts';

export interface Hdfs extends HdfsReader {
  /** The user's home directory, absolute. */
  home(signal?: AbortSignal): Promise<string>;
  /**
   * What is directly in a directory, by name as HDFS orders it.
   * @param options `limit`: stop soon after so many entries; the list is then longer than the limit
   * @throws HDFS_PATH_MISSING
   */
  list(path: string, options?: { limit?: number; signal?: AbortSignal | undefined }): Promise<HdfsFileStatus[]>;
  /**
   * Is the user allowed this at a path?
   * @param action as HDFS writes it: `r-x` to list, `-wx` to make something in a directory
   * @throws HDFS_FORBIDDEN where not, HDFS_PATH_MISSING
   */
  checkAccess(path: string, action: string, signal?: AbortSignal): Promise<void>;
  /** Writes a file, checks its length and gives its status; see createFile. */
  write(path: string, source: Source, options: WriteOptions): Promise<HdfsFileStatus>;
  /** The same, but what HDFS holds afterwards is for the caller to compare. */
  put(path: string, source: Source, options: WriteOptions): Promise<void>;
  /**
   * Makes a directory and those above it; none is no error. Not given up half-way when the signal is aborted.
   * @param permission octal, `755` unless told
   */
  mkdirs(path: string, options?: { permission?: string; signal?: AbortSignal | undefined }): Promise<void>;
  /** Renames, never into or over something; as mkdirs it is not given up. @throws HDFS_PATH_EXISTS, HDFS_PATH_MISSING */
  rename(from: string, to: string, signal?: AbortSignal): Promise<void>;
  /** Renames a file to where another one may be, which is gone then. @throws HDFS_PATH_EXISTS for a directory */
  replace(from: string, to: string, signal?: AbortSignal): Promise<void>;
  /** True when there was something. Without `recursive` a directory has to be empty, otherwise HDFS_PATH_EXISTS. */
  delete(path: string, options: { recursive: boolean; signal?: AbortSignal | undefined }): Promise<boolean>;
}

/** @throws HDFS_NAMESERVICE_UNKNOWN */
export function openHdfs(settings: HdfsSettings, name: string, options: HdfsOptions): Hdfs {
  const nameservice = new Nameservice(settings, name, options);
  const status = (path: string, signal?: AbortSignal) => fileStatus(nameservice, callThroughLibrary, path, signal);
  return {
    ...readerOf(nameservice),
    status,
    home: async (signal) => {
      const answer = await askForJson(nameservice, { method: 'GET', op: 'GETHOMEDIRECTORY', path: '/' }, signal);
      const home = field(answer, 'Path');
      if (typeof home !== 'string' || !home.startsWith('/')) {
        throw new MaasError('HDFS_ERROR', 'The answer to GETHOMEDIRECTORY is not that of WebHDFS');
      }
      return home;
    },
    list: (path, listOptions) => listDirectory(nameservice, path, listOptions),
    checkAccess: async (path, action, signal) => {
      const operation = { method: 'GET', op: 'CHECKACCESS', path, parameters: { fsaction: action } } as const;
      await askForJson(nameservice, operation, signal);
    },
    write: (path, source, writeOptions) => createFile(nameservice, path, source, writeOptions, status),
    put: (path, source, writeOptions) => putFile(nameservice, path, source, writeOptions, status),
    mkdirs: async (path, { permission = '755', signal } = {}) => {
      const operation = { method: 'PUT', op: 'MKDIRS', path, parameters: { permission } } as const;
      const answer = await askForJson(nameservice, operation, signal, awaited);
      if (field(answer, 'boolean') !== true) {
        throw new MaasError('HDFS_ERROR', `HDFS did not make the directory ${printable(path)}, without saying why`);
      }
    },
    rename: (from, to, signal) => renamePath(nameservice, from, to, status, { signal }),
    replace: (from, to, signal) => renamePath(nameservice, from, to, status, { overwrite: true, signal }),
    delete: async (path, { recursive, signal }) => {
      const parameters = { recursive: String(recursive) };
      const operation = { method: 'DELETE', op: 'DELETE', path, parameters } as const;
      const answer = await askForJson(nameservice, operation, signal, callThroughLibrary);
      const done = field(answer, 'boolean');
      if (typeof done !== 'boolean') throw new MaasError('HDFS_ERROR', 'The answer to DELETE is not that of WebHDFS');
      return done;
    },
  };
}

/**
 * To its answer, whatever the signal says: a request that is given up may be carried out all the same, after what its
 * sender did next.
 */
const awaited: typeof callForJson = (nameservice, attempt, operation, credentials) =>
  callThroughLibrary(nameservice, attempt, operation, credentials);
