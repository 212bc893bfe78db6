/** Which payloads are in HDFS, what is in them, and their removal, for somebody at a terminal. */

import { hasCode } from '../contracts/errors.ts';
import type { HdfsSettings } from '../contracts/hadoop-side.ts';
import { joinHdfsPath, parseHdfsPath } from '../contracts/hdfs-path.ts';
import type { PayloadPlace, StoredFile, StoredPayload } from '../contracts/stored-payload.ts';
import { mapBounded } from '../kernel/bounded.ts';
import { contentDigest } from './content-digest.ts';
import { directoryOf } from './hdfs-directory.ts';
import { listPayload } from './list-payload.ts';
import type { PayloadHdfs, SourceStatus } from './payload-hdfs.ts';
import { stagingPrefix } from './payload-rules.ts';
import { hashesOf, readManifest } from './upload-manifest.ts';

const looksAtOnce = 4;
const unseen = { kind: 'other', digest: undefined, files: 0, bytes: 0 } as const;

/** All throw MaasErrors HDFS_* and PAYLOAD_*. */
export function payloadCatalogue(
  settings: HdfsSettings,
  open: (nameservice: string) => PayloadHdfs,
  signal: AbortSignal,
) {
  const look = async (place: PayloadPlace, status: SourceStatus): Promise<StoredPayload> => {
    const { nameservice, directory } = place;
    const hdfs = open(nameservice);
    const files = await listPayload(hdfs, directory, signal);
    const manifest = await readManifest(hdfs, directory, signal);
    const whole = manifest !== undefined && hashesOf(manifest, files) !== undefined;
    const name = directory.slice(directory.lastIndexOf('/') + 1);
    return {
      nameservice,
      directory,
      kind: name.startsWith(stagingPrefix) ? 'unfinished' : whole ? 'payload' : 'other',
      digest: whole ? contentDigest(manifest.files) : undefined,
      files: files.length,
      bytes: files.reduce((sum, file) => sum + file.status.length, 0),
      changedAt: Math.max(status.modificationTime, ...files.map((file) => file.status.modificationTime)),
    };
  };
  const lookAnyhow = async (place: PayloadPlace, status: SourceStatus): Promise<StoredPayload | undefined> => {
    try {
      return await look(place, status);
    } catch (error) {
      // Somebody took it away meanwhile.
      if (hasCode(error, 'HDFS_PATH_MISSING')) return undefined;
      // What no payload can be is none of ours, and no reason not to show the others.
      if (!hasCode(error, 'PAYLOAD_TOO_MANY_FILES', 'PAYLOAD_NAME_INVALID', 'HDFS_FORBIDDEN')) throw error;
      return { ...place, ...unseen, changedAt: status.modificationTime };
    }
  };
  const lookIfAny = async (place: PayloadPlace): Promise<StoredPayload | undefined> => {
    const status = await open(place.nameservice).status(place.directory, signal);
    return status?.type === 'DIRECTORY' ? await lookAnyhow(place, status) : undefined;
  };
  return {
    async locate(path: string): Promise<PayloadPlace> {
      const location = parseHdfsPath(path, settings);
      const { nameservice } = location;
      return { nameservice, directory: await directoryOf(open(nameservice), location, signal) };
    },
    look: lookIfAny,
    /** Those of the directories directly below one; none where it is not there. */
    async below({ nameservice, directory }: PayloadPlace): Promise<readonly StoredPayload[]> {
      const hdfs = open(nameservice);
      const entries = await hdfs.list(directory, { signal }).catch((error: unknown) => {
        if (hasCode(error, 'HDFS_PATH_MISSING')) return [];
        throw error;
      });
      const directories = entries.filter(({ type }) => type === 'DIRECTORY');
      const found = await mapBounded(directories, looksAtOnce, (status) =>
        lookAnyhow({ nameservice, directory: joinHdfsPath(directory, status.name) }, status),
      );
      return found.filter((each) => each !== undefined);
    },
    async files({ nameservice, directory }: PayloadPlace): Promise<readonly StoredFile[]> {
      const hdfs = open(nameservice);
      const files = await listPayload(hdfs, directory, signal);
      const hashes = hashesOf(await readManifest(hdfs, directory, signal), files);
      return await mapBounded(files, looksAtOnce, async ({ path, status: { length } }) => {
        const sha256 = hashes?.get(path);
        if (length === 0) return { path, length, checksum: undefined };
        if (sha256 !== undefined) return { path, length, checksum: `sha256 ${sha256}` };
        const { algorithm, bytes } = await hdfs.checksum(joinHdfsPath(directory, path), signal);
        return { path, length, checksum: `${algorithm} ${bytes}` };
      });
    },
    /** The beginning of a file. */
    async head({ nameservice, directory }: PayloadPlace, path: string, bytes: number): Promise<Uint8Array> {
      const hdfs = open(nameservice);
      const file = joinHdfsPath(directory, path);
      // HDFS does not answer with less than it was asked for.
      const length = Math.min(bytes, (await hdfs.status(file, signal))?.length ?? 0);
      if (length === 0) return new Uint8Array();
      const chunks: Uint8Array[] = [];
      const source = await hdfs.read(file, { length, signal });
      for await (const chunk of source) chunks.push(Uint8Array.from(chunk));
      return Buffer.concat(chunks);
    },
    /** Removes what is as it was seen. `gone`: somebody else did; `changed`: it stays. */
    async remove(seen: StoredPayload): Promise<'removed' | 'gone' | 'changed'> {
      const now = await lookIfAny(seen);
      if (now === undefined) return 'gone';
      const same =
        now.kind === seen.kind &&
        now.digest === seen.digest &&
        now.files === seen.files &&
        now.bytes === seen.bytes &&
        now.changedAt === seen.changedAt;
      if (!same || seen.kind === 'other') return 'changed';
      return (await open(seen.nameservice).delete(seen.directory, { recursive: true, signal })) ? 'removed' : 'gone';
    },
  };
}
