/** Payloads in HDFS for somebody at a terminal, by paths as people write them: sent, sent over others, looked at. */

import type { HdfsSettings } from '../contracts/hadoop-side.ts';
import { parseHdfsPath } from '../contracts/hdfs-path.ts';
import type { TransferProgress } from '../contracts/payload.ts';
import { localContentDigest } from './content-digest.ts';
import { directoryOf } from './hdfs-directory.ts';
import { listPayload } from './list-payload.ts';
import { readLocalPayload } from './local-payload.ts';
import type { PayloadHdfs } from './payload-hdfs.ts';
import { checkPayloadPaths } from './payload-rules.ts';
import { type UploadOptions, uploadPayload } from './upload.ts';
import { uploadOver } from './upload-over.ts';

export interface UserPayloadsOptions {
  readonly hdfs: HdfsSettings;
  /** @throws HDFS_NAMESERVICE_UNKNOWN */
  readonly open: (nameservice: string) => PayloadHdfs;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Letters and digits, never given before: names the staging directory of one upload. */
  readonly newId: () => string;
  readonly signal: AbortSignal;
}

interface Watch {
  readonly onProgress: (progress: TransferProgress) => void;
  /** Told what should be known and does not stop the upload. */
  readonly onWarning: (message: string) => void;
}

/** All throw MaasErrors HDFS_* and PAYLOAD_*; those that send also LOCAL_PATH_INVALID. */
export function userPayloads({ hdfs: settings, open, now, newId, signal }: UserPayloadsOptions) {
  const at = async (path: string) => {
    const location = parseHdfsPath(path, settings);
    const hdfs = open(location.nameservice);
    return { hdfs, directory: await directoryOf(hdfs, location, signal) };
  };
  const sending = ({ onProgress, onWarning }: Watch) => ({
    now,
    id: newId(),
    signal,
    progress: onProgress,
    warn: onWarning,
  });
  return {
    /** Of all that an upload would send. It names the target, so it is taken before; what is there already is not read again. */
    async digest(localPath: string, { exclude }: { readonly exclude: readonly string[] }) {
      const { files } = await readLocalPayload(localPath, exclude);
      return await localContentDigest(files, signal);
    },
    /** Sends a directory; the target appears whole and verified, or not at all. */
    async upload(localPath: string, target: string, watch: Watch & Pick<UploadOptions, 'exclude' | 'digest'>) {
      const { hdfs, directory } = await at(target);
      const options = { ...sending(watch), exclude: watch.exclude, digest: watch.digest };
      const { outcome, path, files, bytes } = await uploadPayload(hdfs, localPath, directory, options);
      return { path, files, bytes, uploaded: outcome === 'uploaded' };
    },
    /** Sends the files directly in a directory over what is at the target. */
    async uploadOver(localPath: string, target: string, watch: Watch) {
      const { hdfs, directory } = await at(target);
      const { completeAt, ...sent } = await uploadOver(hdfs, localPath, directory, sending(watch));
      return { ...sent, uploaded: sent.files > 0, payloadComplete: new Date(completeAt).toISOString() };
    },
    /** Looks at a payload without reading its files. */
    async payload(path: string) {
      const { hdfs, directory } = await at(path);
      const files = await listPayload(hdfs, directory, signal);
      const script = checkPayloadPaths(
        directory,
        files.map((file) => file.path),
      );
      const bytes = files.reduce((sum, { status }) => sum + status.length, 0);
      return { path: directory, script, files: files.length, bytes };
    },
    /** Asks whoever is active. */
    async reach(nameservice: string) {
      const hdfs = open(nameservice);
      await hdfs.home(signal);
      await hdfs.list('/', { limit: 1, signal });
    },
  };
}
