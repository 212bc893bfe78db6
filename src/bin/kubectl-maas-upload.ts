/** Joins the upload of payloads with HDFS as the operator's settings describe it. */
import { randomBytes } from 'node:crypto';
import { openHdfs } from '../adapters/webhdfs/hdfs.ts';
import type { PayloadUploader } from '../cli/ports.ts';
import { parseHdfsPath } from '../contracts/hdfs-path.ts';
import type { HdfsSettings } from '../contracts/settings.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { directoryOf } from '../payload/hdfs-directory.ts';
import { uploadPayload } from '../payload/upload.ts';
import { tokenOf } from './hdfs-token.ts';

export function uploaderFor(settings: HdfsSettings, env: NodeJS.ProcessEnv): PayloadUploader {
  return {
    async upload(localPath, target, { exclude, onProgress, onWarning, signal }) {
      const location = parseHdfsPath(target, settings);
      const hdfs = openHdfs(settings, location.nameservice, { clock: systemClock, ...tokenOf(env) });
      const directory = await directoryOf(hdfs, location, signal);
      const { outcome, path, files, bytes } = await uploadPayload(hdfs, localPath, directory, {
        now: systemClock.now,
        id: randomBytes(8).toString('hex'),
        exclude,
        signal,
        progress: ({ filesDone, filesTotal, bytesDone, bytesTotal }) =>
          onProgress({ filesDone, files: filesTotal, bytesDone, bytes: bytesTotal }),
        warn: onWarning,
      });
      return { path, files, bytes, uploaded: outcome === 'uploaded' };
    },
  };
}
