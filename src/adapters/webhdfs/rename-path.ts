/**
 * RENAME that fails where something is at the target. Without `renameoptions` WebHDFS moves into a directory that is
 * there and calls that a success.
 */
import { MaasError } from '../../contracts/errors.ts';
import { field } from '../json-field.ts';
import type { HdfsFileStatus } from './file-status.ts';
import { callThroughLibrary } from './library-call.ts';
import { RefusedError } from './name-node-call.ts';
import type { Nameservice } from './nameservice.ts';
import { printable } from './redact.ts';

/**
 * @param overwrite a file at the target is replaced in the same step: whoever reads sees the old one or the new one
 * @throws HDFS_PATH_EXISTS, HDFS_PATH_MISSING and so on
 */
export async function renamePath(
  nameservice: Nameservice,
  from: string,
  to: string,
  status: (path: string, signal?: AbortSignal) => Promise<HdfsFileStatus | undefined>,
  { overwrite = false, signal }: { overwrite?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const before = await status(from, signal);
  if (before === undefined)
    throw new MaasError('HDFS_PATH_MISSING', `There is nothing to rename at ${printable(from)}`);
  const credentials = await nameservice.credentials();
  const parameters = { destination: to, renameoptions: overwrite ? 'OVERWRITE' : 'NONE' };
  let maybeDone = false;
  try {
    await nameservice.nameNodes.ask(async (attempt) => {
      maybeDone ||= attempt.maybeDone;
      const operation = { method: 'PUT', op: 'RENAME', path: from, parameters } as const;
      // Without the signal: a request that is given up may be carried out all the same, after what its sender did next.
      const answer = await callThroughLibrary(nameservice, attempt, operation, credentials);
      // With options there is no body; a `false` in one is that of a server that does not know the options.
      if (field(answer, 'boolean') === false) {
        throw new MaasError(
          'HDFS_ERROR',
          `HDFS did not rename ${printable(from)} to ${printable(to)}, without saying why`,
        );
      }
    }, signal);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const there = await status(to, signal);
    // The answer to an earlier attempt was lost: what is at the target tells whether it was that attempt's work.
    if (maybeDone && there?.fileId === before.fileId) return;
    // HDFS has other words where a file and a directory meet.
    if (there !== undefined && error.code === 'HDFS_ERROR') {
      throw new MaasError('HDFS_PATH_EXISTS', error.message, { cause: error });
    }
    throw error;
  }
}
