/**
 * The payload of a model version as it was found in HDFS and pinned: which files, how long, with which checksums, and
 * one digest over all of that. The operator resolves and pins it, the agent verifies every byte against it. Beside it
 * what an upload leaves with the files, and how far a transfer of them is.
 */
import { z } from 'zod';
import type { MaasError } from './errors.ts';

/** Where instances read a payload: at its path, or in a copy of it in the payload store; see docs/adr/0024. */
export const readFromPlaces = ['Path', 'Store'] as const;
export type ReadFrom = (typeof readFromPlaces)[number];

/** As GETFILECHECKSUM gives it: algorithm, and its bytes in hex. */
export const hdfsChecksum = z.object({ algorithm: z.string(), bytes: z.string() });

/** One file of a pinned payload. `path` is relative to the payload's directory, with `/` between segments, NFC. */
export const pinnedFile = z.object({
  path: z.string().min(1).max(4096),
  /** Bytes. */
  length: z.int().min(0),
  /** HDFS's inode number, decimal; changes when the file is overwritten. */
  fileId: z.string(),
  /** Modification time, milliseconds since the epoch, as HDFS says. */
  modificationTime: z.int(),
  /** Bytes in an HDFS block of this file; the checksum depends on it. */
  blockSize: z.int().min(0),
  /** HDFS's own; absent for empty files. */
  checksum: hdfsChecksum.optional(),
  /** Hex, from the upload's own manifest where there is one. */
  sha256: z.string().optional(),
});
export type PinnedFile = z.infer<typeof pinnedFile>;

export const pinnedPayload = z.object({
  /** The directory that is read, absolute in its nameservice. */
  path: z.string(),
  /** Where `path` is a copy in the payload store: the directory that it was made from. */
  copiedFrom: z.string().optional(),
  /** Key of the settings' nameservices. */
  nameservice: z.string(),
  /** Name of the one *.sh at the top level. */
  script: z.string(),
  /** Sum of the lengths, bytes. */
  bytes: z.int().min(0),
  /**
   * `sha256:` and hex, over the files' paths, lengths and checksums in the order of their paths; not over times or ids.
   * Of a copy it is the original's: HDFS may cut the copy's files into other blocks and then gives other checksums.
   */
  digest: z.string(),
  files: z.array(pinnedFile),
});
export type PinnedPayload = z.infer<typeof pinnedPayload>;

/** Written last into an uploaded payload; lists what the uploader sent. It is not a file of the payload itself. */
export const uploadManifestName = '.maas-manifest.json';
export const uploadManifestFile = z.object({ path: z.string(), length: z.int().min(0), sha256: z.string() });
export const uploadManifest = z.object({ maasManifest: z.literal(1), files: z.array(uploadManifestFile) });
export type UploadManifest = z.infer<typeof uploadManifest>;

/** How far an upload, a copy or a download is. Bytes in place count, those found there at the beginning included. */
export const transferProgress = z.object({
  bytesDone: z.number(),
  bytesTotal: z.number(),
  filesDone: z.number(),
  filesTotal: z.number(),
});
export type TransferProgress = z.infer<typeof transferProgress>;

/** How far an agent's download is, for those who ask it. */
export const downloadProgress = transferProgress.extend({
  /** Of those done, where the node has a cache of payloads that was asked. */
  bytesFromCache: z.number().optional(),
});
export type DownloadProgress = z.infer<typeof downloadProgress>;

/** The same while it goes on, which it does for as long as it takes. */
export interface FetchProgress extends DownloadProgress {
  /** What is being retried; undefined again after the next success. */
  readonly lastError: MaasError | undefined;
}
