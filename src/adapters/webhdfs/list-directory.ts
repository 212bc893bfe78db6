/** A directory's entries, page by page, so that a huge directory is no huge answer. */
import { MaasError } from '../../contracts/errors.ts';
import { field } from '../json-field.ts';
import { type HdfsFileStatus, parseFileStatuses } from './file-status.ts';
import { callThroughLibrary } from './library-call.ts';
import { askForJson, isUnknownOperation, RefusedError } from './name-node-call.ts';
import type { Nameservice } from './nameservice.ts';
import { printable } from './redact.ts';

/** @throws HDFS_PATH_MISSING, HDFS_PATH_INVALID when it is a file */
export async function listDirectory(
  nameservice: Nameservice,
  path: string,
  options: { limit?: number; signal?: AbortSignal | undefined } = {},
): Promise<HdfsFileStatus[]> {
  const { limit = Number.POSITIVE_INFINITY, signal } = options;
  const entries: HdfsFileStatus[] = [];
  for (let last: string | undefined; ; ) {
    const page = await readPage(nameservice, path, last, signal);
    if (page.entries.some(({ name }) => name === '')) {
      throw new MaasError('HDFS_PATH_INVALID', `${printable(path)} is a file, not a directory`);
    }
    entries.push(...page.entries);
    if (page.remaining === 0 || entries.length > limit) return entries;
    const next = page.entries.at(-1)?.name;
    // A server that does not know where to go on gives its first page for ever.
    if (next === undefined || next === last) {
      throw new MaasError('HDFS_ERROR', `HDFS lists ${printable(path)} without getting to an end`);
    }
    last = next;
  }
}

interface Page {
  readonly entries: HdfsFileStatus[];
  readonly remaining: number;
}

async function readPage(
  nameservice: Nameservice,
  path: string,
  startafter: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Page> {
  try {
    const operation = { method: 'GET', op: 'LISTSTATUS_BATCH', path, parameters: { startafter } } as const;
    const listing = field(await askForJson(nameservice, operation, signal), 'DirectoryListing');
    const remaining = field(listing, 'remainingEntries');
    if (typeof remaining !== 'number') {
      throw new MaasError('HDFS_ERROR', 'The answer to LISTSTATUS_BATCH is not that of WebHDFS');
    }
    return { entries: parseFileStatuses(field(listing, 'partialListing')), remaining };
  } catch (error) {
    if (startafter !== undefined || !(error instanceof RefusedError && isUnknownOperation(error))) throw error;
  }
  // Hadoop before 2.9 lists in one answer only.
  const operation = { method: 'GET', op: 'LISTSTATUS', path } as const;
  const answer = await askForJson(nameservice, operation, signal, callThroughLibrary);
  return { entries: parseFileStatuses(answer), remaining: 0 };
}
