/**
 * Does the directory that a copy in the payload store was made from still hold what was copied? Nothing depends on it,
 * but whoever put other bytes there will want to know that no instance runs them.
 */
import { createHash } from 'node:crypto';
import type { PinnedPayload } from '../contracts/payload.ts';
import { mapBounded } from '../kernel/bounded.ts';
import type { SourceFile } from './list-payload.ts';
import { shown } from './payload-rules.ts';
import {
  checksumOf,
  checksumParallelism,
  listAgain,
  type PayloadSource,
  payloadDigest,
  pinnedFileOf,
} from './resolve.ts';

/** What was found at a directory, so that checksums are asked for only when something was written there since. */
interface Found {
  readonly fingerprint: string;
  readonly digest: string;
}

export class Originals {
  readonly #source: PayloadSource;
  readonly #found = new Map<string, Found>();

  constructor(source: PayloadSource) {
    this.#source = source;
  }

  /**
   * How the original of a copy differs from what was copied, as a sentence; undefined where it does not, or where the
   * payload is no copy. Files that were uploaded again with the same content are no change.
   *
   * @throws HDFS_* codes of the source, PAYLOAD_* codes of listing
   */
  async change({ copiedFrom, digest, files }: PinnedPayload, signal?: AbortSignal): Promise<string | undefined> {
    if (copiedFrom === undefined) return undefined;
    const listed = await listAgain(this.#source, copiedFrom, files, signal);
    if (typeof listed === 'string') return listed;
    const found = listed.map(([, now]) => now);
    return (await this.#digest(copiedFrom, found, signal)) === digest
      ? undefined
      : `the files in ${shown(copiedFrom)} have other content`;
  }

  async #digest(directory: string, files: readonly SourceFile[], signal: AbortSignal | undefined): Promise<string> {
    const fingerprint = fingerprintOf(files);
    const known = this.#found.get(directory);
    if (known?.fingerprint === fingerprint) return known.digest;
    const sums = await mapBounded(
      files,
      checksumParallelism,
      (file, either) => checksumOf(this.#source, directory, file, either),
      signal,
    );
    const digest = payloadDigest(files.map((file, index) => pinnedFileOf(file, sums[index], undefined)));
    this.#found.set(directory, { fingerprint, digest });
    return digest;
  }
}

function fingerprintOf(files: readonly SourceFile[]): string {
  const hash = createHash('sha256');
  for (const { path, status } of files) {
    hash.update(`${JSON.stringify([path, status.fileId, status.length, status.modificationTime])}\n`);
  }
  return hash.digest('hex');
}
