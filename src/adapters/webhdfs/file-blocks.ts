/** GETFILEBLOCKLOCATIONS: how a file is cut into blocks. Appending and joining files can leave short ones inside. */
import { MaasError } from '../../contracts/errors.ts';
import { field } from '../json-field.ts';
import { askForJson, isUnknownOperation, RefusedError } from './name-node-call.ts';
import type { Nameservice } from './nameservice.ts';

/** @returns bytes in each block, undefined where this HDFS does not know the operation */
export async function fileBlockLengths(
  nameservice: Nameservice,
  path: string,
  signal?: AbortSignal,
): Promise<number[] | undefined> {
  try {
    const operation = { method: 'GET', op: 'GETFILEBLOCKLOCATIONS', path } as const;
    const blocks = field(field(await askForJson(nameservice, operation, signal), 'BlockLocations'), 'BlockLocation');
    if (!Array.isArray(blocks)) throw notWebHdfs();
    return blocks.map((block) => {
      const length = field(block, 'length');
      if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0) throw notWebHdfs();
      return length;
    });
  } catch (error) {
    if (error instanceof RefusedError && isUnknownOperation(error)) return undefined;
    throw error;
  }
}

function notWebHdfs(): MaasError {
  return new MaasError('HDFS_ERROR', 'The answer to GETFILEBLOCKLOCATIONS is not that of WebHDFS');
}
