/**
 * HDFS, as payloads need it: the one port of this room. Who needs a part of it says so with Pick. Paths are absolute;
 * failures are MaasErrors with HDFS_* codes.
 */
import type { FileChecksum } from './hdfs-checksum.ts';

/** The part of a file's status that matters here; see HDFS's FileStatus. */
export interface SourceStatus {
  /** Last segment of the path, in a listing. */
  readonly name: string;
  readonly type: 'FILE' | 'DIRECTORY' | 'SYMLINK';
  /** Bytes. */
  readonly length: number;
  readonly fileId: string;
  /** Milliseconds since the epoch, by HDFS's clock. */
  readonly modificationTime: number;
  /** Bytes. */
  readonly blockSize: number;
  /** HDFS's checksum is not one over the plain bytes. */
  readonly opaqueChecksum: boolean;
}

export interface ReadOptions {
  readonly offset?: number;
  readonly length?: number;
  /** Each chunk need be good only until the next one is asked for. */
  readonly lent?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Data nodes that are not to be asked. */
  readonly exclude?: readonly string[];
  readonly onDataNode?: ((name: string) => void) | undefined;
}

export interface WriteOptions {
  /** Bytes. */
  readonly length: number;
  readonly overwrite?: boolean;
  readonly createParent?: boolean;
  /** Bytes. */
  readonly blockSize?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface PayloadHdfs {
  /** The user's home directory. */
  home(signal?: AbortSignal): Promise<string>;
  status(path: string, signal?: AbortSignal): Promise<SourceStatus | undefined>;
  /** @param options `limit`: stop soon after this many entries */
  list(path: string, options?: { limit?: number; signal?: AbortSignal | undefined }): Promise<readonly SourceStatus[]>;
  checksum(path: string, signal?: AbortSignal): Promise<FileChecksum>;
  /** Bytes in each block; undefined where that cannot be told. */
  blockLengths(path: string, signal?: AbortSignal): Promise<readonly number[] | undefined>;
  read(path: string, options?: ReadOptions): Promise<AsyncIterable<Uint8Array>>;
  /** Compares the lengths afterwards. @param source gives the content from its beginning each time it is called */
  write(path: string, source: () => AsyncIterable<Uint8Array>, options: WriteOptions): Promise<SourceStatus>;
  /** The same, but compares nothing: that is for the caller to do. */
  put(path: string, source: () => AsyncIterable<Uint8Array>, options: WriteOptions): Promise<void>;
  mkdirs(path: string, options?: { permission?: string; signal?: AbortSignal | undefined }): Promise<void>;
  /** Never into or over something: HDFS_PATH_EXISTS. */
  rename(from: string, to: string, signal?: AbortSignal): Promise<void>;
  /** Puts a file in another one's place, in one step. */
  replace(from: string, to: string, signal?: AbortSignal): Promise<void>;
  /** True when there was something. Without `recursive` a directory has to be empty, otherwise HDFS_PATH_EXISTS. */
  delete(path: string, options: { recursive: boolean; signal?: AbortSignal | undefined }): Promise<boolean>;
}
