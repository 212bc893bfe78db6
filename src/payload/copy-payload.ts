/**
 * Copies a pinned payload within HDFS to a directory that is named by its digest. What is there already and right is
 * kept, so a copy is made once, gone on with after a crash, and mended where it was damaged.
 *
 * The manifest says what is right: it has each file's SHA-256 and HDFS's checksums of the original and of its copy, as
 * they were when every byte of it had been compared.
 */
import { z } from 'zod';
import { hasCode, MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import {
  hdfsChecksum,
  type PinnedFile,
  type PinnedPayload,
  uploadManifest,
  uploadManifestFile,
} from '../contracts/payload.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { listPayload } from './list-payload.ts';
import type { PayloadHdfs } from './payload-hdfs.ts';
import { shown, stagingPrefix } from './payload-rules.ts';
import { fittingPin } from './payload-size.ts';
import { DataNodes, PinnedDigests, readFailure, unevenBlocks, verdictOn } from './pinned-file.ts';
import { checksumParallelism, isSameChecksum, pinnedFileOf } from './resolve.ts';
import { makeDirectories, type SendOptions, sendFile, sendFiles } from './send-files.ts';
import { readManifestAs, writeManifest } from './upload-manifest.ts';

const copiedFile = uploadManifestFile.extend({ original: hdfsChecksum.optional(), copy: hdfsChecksum.optional() });
type CopiedFile = z.infer<typeof copiedFile>;
const copyManifest = uploadManifest.extend({ files: z.array(copiedFile) });

/** How often somebody else (a leader that does not know yet that it is none) may get in between. */
const maxAttempts = 3;
/** Replicas of one file with wrong bytes before that is reported. */
const maxCorrupt = 3;
/** So much is copied again at most when the process is killed. */
const checkpointBytes = 256 * 1024 * 1024;
const defaultBlockSize = 128 * 1024 * 1024;
/** For the operator's own user alone: a copy must not be more open than its original. */
const rootPermission = '700';

/** Name of a copy's directory: HDFS allows no colon in it. @param digest of a PinnedPayload */
export function copyName(digest: string): string {
  return digest.replace(/^sha256:/, '');
}

/**
 * @param source as it was resolved just now
 * @param root absolute; made where it is missing
 * @returns the pin of the copy: its directory and files, under the digest of the source
 * @throws PAYLOAD_CHANGED when a file is no longer what was pinned, HDFS_DATA_CORRUPT, HDFS_* codes
 */
export async function copyPayload(
  hdfs: PayloadHdfs,
  source: PinnedPayload,
  root: string,
  options: SendOptions & { readonly signal: AbortSignal },
): Promise<PinnedPayload> {
  const target = joinHdfsPath(root, copyName(source.digest));
  for (let attempt = 1; ; attempt++) {
    const right = await rightFiles(hdfs, source, target, options.signal);
    if (right.size === source.files.length) return pinOf(source, target, right);
    if (attempt > maxAttempts) {
      throw new MaasError('HDFS_DATA_CORRUPT', `The files in ${shown(target)} do not stay as they are copied there`);
    }
    await fill(hdfs, source, { root, target }, right, options);
  }
}

interface RightFile {
  readonly pinned: PinnedFile;
  readonly listed: CopiedFile;
}

/** The files of a directory that are proved to be copies of what the source has there, by path. */
async function rightFiles(
  hdfs: PayloadHdfs,
  source: PinnedPayload,
  directory: string,
  signal: AbortSignal,
): Promise<Map<string, RightFile>> {
  const right = new Map<string, RightFile>();
  if ((await hdfs.status(directory, signal))?.type !== 'DIRECTORY') return right;
  const manifest = await readManifestAs(copyManifest, hdfs, directory, signal);
  if (manifest === undefined) return right;
  const listed = new Map(manifest.files.map((file) => [file.path, file]));
  const there = new Map((await listPayload(hdfs, directory, signal)).map(({ path, status }) => [path, status]));
  await mapBounded(
    source.files,
    checksumParallelism,
    async (file, either) => {
      const entry = listed.get(file.path);
      const status = there.get(file.path);
      if (entry === undefined || status === undefined) return;
      if (entry.length !== file.length || status.length !== file.length) return;
      if (!isSameChecksum(entry.original, file.checksum)) return;
      const checksum = await checksumOf(hdfs, joinHdfsPath(directory, file.path), file.length, either);
      if (!isSameChecksum(entry.copy, checksum)) return;
      const { path } = file;
      right.set(path, { pinned: pinnedFileOf({ path, status }, checksum, entry.sha256), listed: entry });
    },
    signal,
  );
  return right;
}

/** An empty file has none. */
async function checksumOf(hdfs: PayloadHdfs, path: string, length: number, signal: AbortSignal) {
  return length === 0 ? undefined : await hdfs.checksum(path, signal);
}

/** Brings what is missing into the target: all of it with one rename, or file by file where the target is there. */
async function fill(
  hdfs: PayloadHdfs,
  source: PinnedPayload,
  { root, target }: { readonly root: string; readonly target: string },
  inTarget: ReadonlyMap<string, RightFile>,
  options: SendOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const { signal } = options;
  await hdfs.mkdirs(root, { permission: rootPermission, signal });
  const staging = joinHdfsPath(root, `${stagingPrefix}${copyName(source.digest)}`);
  const staged = await rightFiles(hdfs, source, staging, signal);
  const done = new Map([...staged].map(([path, { listed }]) => [path, listed]));
  await copyInto(hdfs, source, staging, { done, skip: inTarget }, options);

  if ((await hdfs.status(target, signal)) === undefined) {
    try {
      return await hdfs.rename(staging, target, signal);
    } catch (error) {
      // Somebody has just made it: what is right there is looked at anew.
      if (hasCode(error, 'HDFS_PATH_EXISTS')) return;
      throw error;
    }
  }
  for (const path of done.keys()) {
    const to = joinHdfsPath(target, path);
    await hdfs.mkdirs(to.slice(0, to.lastIndexOf('/')), { signal });
    await hdfs.replace(joinHdfsPath(staging, path), to, signal);
  }
  const kept = [...inTarget].map(([, { listed }]) => listed).filter(({ path }) => !done.has(path));
  await writeManifest(hdfs, { maasManifest: 1, files: [...kept, ...done.values()] }, target, signal);
  await hdfs.delete(staging, { recursive: true, signal });
}

/** Copies what is neither done nor to be skipped, and notes each file in the staging directory's manifest. */
async function copyInto(
  hdfs: PayloadHdfs,
  source: PinnedPayload,
  staging: string,
  { done, skip }: { readonly done: Map<string, CopiedFile>; readonly skip: ReadonlyMap<string, unknown> },
  options: SendOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const files = source.files.filter(({ path }) => !done.has(path) && !skip.has(path));
  const { signal } = options;
  const paths = files.map(({ path }) => path);
  await makeDirectories(hdfs, staging, paths, { permission: rootPermission, signal });
  const bytes = files.reduce((sum, { length }) => sum + length, 0);
  let noted = Promise.resolve();
  let unnoted = 0;
  const note = () => {
    unnoted = 0;
    noted = noted.then(() =>
      writeManifest(hdfs, { maasManifest: 1, files: [...done.values()] }, staging, options.signal),
    );
    return noted;
  };
  try {
    await sendFiles({ files, bytes }, options, async (file, signal, report) => {
      done.set(file.path, await copyFile(hdfs, source, file, { to: joinHdfsPath(staging, file.path), signal, report }));
      unnoted += file.length;
      if (unnoted >= checkpointBytes) await note();
    });
  } catch (error) {
    // What is done need not be done again; that this could not be said is not what went wrong.
    await note().catch(() => {});
    throw error;
  }
  await note();
}

interface Sending {
  /** Absolute. */
  readonly to: string;
  readonly signal: AbortSignal;
  readonly report: (bytes: number) => void;
}

/** @throws PAYLOAD_CHANGED, HDFS_DATA_CORRUPT, HDFS_* codes */
async function copyFile(
  hdfs: PayloadHdfs,
  source: PinnedPayload,
  file: PinnedFile,
  sending: Sending,
): Promise<CopiedFile> {
  const { path, length, checksum: original } = file;
  const from = joinHdfsPath(source.path, path);
  const nodes = new DataNodes();
  let blocks: readonly number[] | undefined;
  for (let corrupt = 0; ; ) {
    const { sent, verdict } = await copyOnce(hdfs, source, file, { nodes, blocks }, sending);
    if (verdict.kind !== 'wrong') {
      const copy = sent.checksum ?? (await checksumOf(hdfs, sending.to, length, sending.signal));
      return { path, length, sha256: sent.sha256, ...(original && { original }), ...(copy && { copy }) };
    }
    if (verdict.perhapsUneven && blocks === undefined) {
      blocks = await unevenBlocks(hdfs, from, file, sending.signal);
      if (blocks !== undefined) continue;
    }
    corrupt += 1;
    if (corrupt === maxCorrupt) {
      const problem = `${shown(from)} came with other bytes than were pinned: ${verdict.problem}`;
      throw new MaasError('HDFS_DATA_CORRUPT', problem);
    }
    nodes.blame();
  }
}

/** Sends the file as it comes, and tells what the bytes are worth that came. */
async function copyOnce(
  hdfs: PayloadHdfs,
  source: PinnedPayload,
  file: PinnedFile,
  { nodes, blocks }: { readonly nodes: DataNodes; readonly blocks: readonly number[] | undefined },
  { to, signal, report }: Sending,
) {
  const { length } = file;
  const from = joinHdfsPath(source.path, file.path);
  const blockSize = file.blockSize > 0 ? file.blockSize : defaultBlockSize;
  let digests = new PinnedDigests(file, blocks);
  const read = async function* () {
    digests = new PinnedDigests(file, blocks);
    if (length === 0) return;
    for await (const chunk of await hdfs.read(from, { length, signal, ...nodes.next() })) {
      digests.update(chunk);
      yield chunk;
    }
  };
  try {
    const sent = await sendFile(hdfs, to, { length, blockSize, read, signal, sent: report });
    return { sent, verdict: await verdictOn(hdfs, source, file, digests, signal) };
  } catch (error) {
    throw await readFailure(hdfs, source, file, error, signal);
  }
}

function pinOf(source: PinnedPayload, target: string, right: ReadonlyMap<string, RightFile>): PinnedPayload {
  const files = source.files.flatMap(({ path }) => right.get(path)?.pinned ?? []);
  return fittingPin({ ...source, path: target, copiedFrom: source.path, files });
}

/** Of which digest a directory is the copy, finished or begun, by its name; undefined for what is none of ours. */
export function digestOfName(name: string): string | undefined {
  const digest = name.startsWith(stagingPrefix) ? name.slice(stagingPrefix.length) : name;
  return /^[0-9a-f]{64}$/.test(digest) ? `sha256:${digest}` : undefined;
}
