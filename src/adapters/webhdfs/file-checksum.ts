/** GETFILECHECKSUM: the checksum that HDFS makes of a file from those of its blocks. */
import { MaasError } from '../../contracts/errors.ts';
import { bodyText } from '../http/body.ts';
import { HttpFailure } from '../http/failure.ts';
import { field, jsonOrText } from '../json-field.ts';
import { askDataNode, DataNodeFailed, Failures } from './data-node-call.ts';
import type { Nameservice } from './nameservice.ts';

export interface HdfsFileChecksum {
  /** `MD5-of-262144MD5-of-512CRC32C`. */
  readonly algorithm: string;
  /** Lower-case hex. */
  readonly bytes: string;
}

const maxFailures = 5;

/** @throws HDFS_PATH_MISSING and so on; HDFS_ERROR for a file that is being written */
export async function fileChecksum(
  nameservice: Nameservice,
  path: string,
  signal?: AbortSignal,
): Promise<HdfsFileChecksum> {
  const failures = new Failures(nameservice, maxFailures);
  for (;;) {
    const { answer, dataNode, what } = await askDataNode(
      nameservice,
      { method: 'GET', op: 'GETFILECHECKSUM', path },
      failures,
      signal,
    );
    try {
      const checksum = field(jsonOrText(await bodyText(answer, 64 * 1024, signal)), 'FileChecksum');
      const algorithm = field(checksum, 'algorithm');
      const bytes = field(checksum, 'bytes');
      const length = field(checksum, 'length');
      if (typeof algorithm !== 'string' || typeof bytes !== 'string' || !/^(?:[0-9a-f]{2})+$/i.test(bytes)) {
        throw new MaasError('HDFS_ERROR', `Could not ${what}: the answer is not that of WebHDFS`);
      }
      // Behind the checksum the bytes show what else is in the buffer that HDFS made it in.
      const own = typeof length === 'number' ? bytes.slice(0, 2 * length) : bytes;
      return { algorithm, bytes: own.toLowerCase() };
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      const failed = new MaasError('HDFS_UNAVAILABLE', `Could not ${what}: ${error.message}`, { cause: error });
      await failures.add(new DataNodeFailed(failed, dataNode), signal);
    }
  }
}
