/**
 * One digest over the files of a payload as they are: their paths, lengths and SHA-256s. It is the same on a disk and in
 * HDFS, whatever blocks a file is cut into; the digest of a pin, which has HDFS's own checksums in it, is another one.
 */
import { createHash } from 'node:crypto';
import type { UploadManifest } from '../contracts/payload.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { compareTexts } from '../kernel/text-order.ts';
import { digestLocalFile, type LocalFile } from './local-file.ts';
import { filesAtOnce } from './send-files.ts';

/** `sha256:` and hex. @param files in any order */
export function contentDigest(files: UploadManifest['files']): string {
  const hash = createHash('sha256');
  for (const { path, length, sha256 } of files.toSorted((a, b) => compareTexts(a.path, b.path))) {
    hash.update(`${JSON.stringify([path, length, sha256])}\n`);
  }
  return `sha256:${hash.digest('hex')}`;
}

/** Reads all of them. @throws LOCAL_FILE_CHANGED, LOCAL_FILE_UNREADABLE */
export async function localContentDigest(files: readonly LocalFile[], signal?: AbortSignal): Promise<string> {
  const one = async (file: LocalFile, either: AbortSignal) => {
    const hash = await digestLocalFile(file, createHash('sha256'), either);
    return { path: file.path, length: file.length, sha256: hash.digest('hex') };
  };
  return contentDigest(await mapBounded(files, filesAtOnce, one, signal));
}
