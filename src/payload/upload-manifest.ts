/** The list of its files with their SHA-256s that an upload, or a copy, leaves beside them when they are whole. */
import type { z } from 'zod';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import { type UploadManifest, uploadManifest, uploadManifestName } from '../contracts/payload.ts';
import { readJson } from '../kernel/schema-json.ts';
import type { SourceFile } from './list-payload.ts';
import type { PayloadHdfs } from './payload-hdfs.ts';

const maxManifestBytes = 32 * 1024 * 1024;

/** One that cannot be read as such is not an upload's and counts as absent: it may be any user's file. */
export async function readManifest(
  hdfs: Pick<PayloadHdfs, 'status' | 'read'>,
  directory: string,
  signal?: AbortSignal,
): Promise<UploadManifest | undefined> {
  return await readManifestAs(uploadManifest, hdfs, directory, signal);
}

/** The same, with what `schema` knows of it besides. */
export async function readManifestAs<T>(
  schema: z.ZodType<T>,
  hdfs: Pick<PayloadHdfs, 'status' | 'read'>,
  directory: string,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const path = joinHdfsPath(directory, uploadManifestName);
  const status = await hdfs.status(path, signal);
  if (status?.type !== 'FILE' || status.length === 0 || status.length > maxManifestBytes) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of await hdfs.read(path, { length: status.length, signal })) chunks.push(chunk);
  return readJson(Buffer.concat(chunks).toString('utf8'), schema).value;
}

/** The SHA-256s by path, where the manifest describes exactly these files; otherwise somebody changed them since. */
export function hashesOf(
  manifest: UploadManifest | undefined,
  files: readonly SourceFile[],
): Map<string, string> | undefined {
  if (manifest === undefined || manifest.files.length !== files.length) return undefined;
  const listed = new Map(manifest.files.map((file) => [file.path, file]));
  const agrees = files.every(({ path, status }) => listed.get(path)?.length === status.length);
  const valid = manifest.files.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256));
  return agrees && valid ? new Map(manifest.files.map(({ path, sha256 }) => [path, sha256])) : undefined;
}

export async function writeManifest(
  hdfs: Pick<PayloadHdfs, 'write'>,
  manifest: UploadManifest,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(manifest)}\n`);
  const source = async function* (): AsyncGenerator<Uint8Array, void> {
    yield bytes;
  };
  const options = { length: bytes.length, overwrite: true, createParent: false, signal };
  await hdfs.write(joinHdfsPath(directory, uploadManifestName), source, options);
}
