/**
 * CREATE: the name node's redirect, then the bytes to the data node; and where nobody compares more than that, a look at
 * what HDFS holds. HDFS shows a file whose writer died as if it were complete, so only the length says that it is.
 */
import { MaasError } from '../../contracts/errors.ts';
import { bodyStart, discardBody } from '../http/body.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { HttpFailure } from '../http/failure.ts';
import { BodyLengthMismatch } from '../http/upload.ts';
import { jsonOrText } from '../json-field.ts';
import { excludableName, isRedirect, redirectTarget } from './data-node.ts';
import { DataNodeFailed, Failures } from './data-node-call.ts';
import type { HdfsFileStatus } from './file-status.ts';
import { callNameNode, describeOperation, type Operation, RefusedError } from './name-node-call.ts';
import type { Nameservice } from './nameservice.ts';
import { printable } from './redact.ts';
import { classifyRefusal } from './remote-exception.ts';
import type { Credentials } from './web-address.ts';

export interface WriteOptions {
  /** Bytes that the source will give; fewer or more is an error. */
  readonly length: number;
  /** Replace a file that is there; otherwise HDFS_PATH_EXISTS. */
  readonly overwrite?: boolean;
  /** Bytes in a block of the new file, a multiple of 512; HDFS's default unless told. */
  readonly blockSize?: number;
  /**
   * False: the directory has to be there. An aborted CREATE can reach HDFS after what was done next, so who takes the
   * directory away when something fails must say so, or may find it made anew. True unless told.
   */
  readonly createParent?: boolean;
  /** Octal; HDFS's default unless told. */
  readonly permission?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Gives the content from its beginning each time it is called: a write that failed half-way begins anew. */
export type Source = () => AsyncIterable<Uint8Array>;

const maxFailures = 5;

type StatusOf = (path: string, signal?: AbortSignal) => Promise<HdfsFileStatus | undefined>;

/**
 * Writes one file and checks that HDFS holds as many bytes as were sent. When it throws, a part of the file may be
 * there. The name is taken in its composed form (NFC), as HDFS itself takes it in this operation only.
 *
 * @param statusOf what HDFS has at a path now, undefined when there is nothing
 * @returns the new file's status
 * @throws HDFS_PATH_EXISTS, HDFS_FORBIDDEN, HDFS_NO_SPACE and so on; HDFS_DATA_CORRUPT when the lengths differ;
 *   what the source throws
 */
export async function createFile(
  nameservice: Nameservice,
  given: string,
  source: Source,
  options: WriteOptions,
  statusOf: StatusOf,
): Promise<HdfsFileStatus> {
  await putFile(nameservice, given, source, options, statusOf);
  const path = given.normalize('NFC');
  const found = await statusOf(path, options.signal);
  if (found?.length !== options.length) {
    throw new MaasError(
      'HDFS_DATA_CORRUPT',
      `${printable(path)} has ${found?.length ?? 'no'} bytes in HDFS after ${options.length} were written`,
    );
  }
  return found;
}

/** The same without the look afterwards. That a data node has taken the bytes says little: who calls has to compare. */
export async function putFile(
  nameservice: Nameservice,
  given: string,
  source: Source,
  options: WriteOptions,
  statusOf: StatusOf,
): Promise<void> {
  const { signal } = options;
  const path = given.normalize('NFC');
  const wanted = options.overwrite === true;
  // A data node that had our request may have left a half of our own, which the next attempt has to replace. That must
  // not replace what somebody else has there.
  if (!wanted && (await statusOf(path, signal)) !== undefined) {
    throw new MaasError('HDFS_PATH_EXISTS', `${printable(path)} is in HDFS already`);
  }
  const failures = new Failures(nameservice, maxFailures);
  for (let overwrite = wanted; ; ) {
    const failed = await createOnce(nameservice, path, source, { ...options, overwrite }, failures.excluded);
    if (failed === undefined) return;
    await failures.add(failed, signal);
    if (failed.dataNode === undefined) failures.excluded = [];
    overwrite ||= failed.begun;
  }
}

/** An attempt that is worth another one. */
class CreateFailed extends DataNodeFailed {
  /** A data node may have begun to write the file. */
  readonly begun: boolean;

  constructor(error: MaasError, dataNode: string | undefined, begun: boolean) {
    super(error, dataNode);
    this.begun = begun;
  }
}

/** One attempt; gives what is worth another one, throws what is not. */
async function createOnce(
  nameservice: Nameservice,
  path: string,
  source: Source,
  options: WriteOptions & { readonly overwrite: boolean },
  excluded: readonly string[],
): Promise<CreateFailed | undefined> {
  const { length, overwrite, blockSize, createParent, permission, signal } = options;
  const operation: Operation = {
    method: 'PUT',
    op: 'CREATE',
    path,
    parameters: {
      overwrite: String(overwrite),
      blocksize: blockSize?.toString(),
      createparent: createParent?.toString(),
      permission,
      excludedatanodes: excluded.length === 0 ? undefined : excluded.join(','),
    },
  };
  const credentials = await nameservice.credentials();
  let redirect: { target: URL; what: string };
  try {
    redirect = await redirected(nameservice, operation, credentials, signal);
  } catch (error) {
    // No data node is left but those that failed.
    if (error instanceof RefusedError && error.code === 'HDFS_UNAVAILABLE')
      return new CreateFailed(error, undefined, false);
    throw error;
  }

  const { target } = redirect;
  const what = `${redirect.what}, data node ${target.host}`;
  let answer: HttpAnswer;
  let text: string;
  try {
    answer = await nameservice.exchange({ method: 'PUT', url: target, upload: { bytes: source(), length }, signal });
    text = await bodyStart(answer, 64 * 1024, signal);
  } catch (error) {
    if (error instanceof BodyLengthMismatch)
      throw new MaasError('HDFS_DATA_CORRUPT', `Could not ${what}: ${error.message}`);
    if (!(error instanceof HttpFailure)) throw error;
    const failed = new MaasError(
      'HDFS_UNAVAILABLE',
      `Could not ${what}: ${printable(error.message, credentials.token)}`,
      {
        cause: error,
      },
    );
    return new CreateFailed(failed, await excludableName(target, undefined), error.reached);
  }
  if (answer.status === 201 || answer.status === 200) return undefined;
  const { error } = classifyRefusal(answer.status, jsonOrText(text), what, credentials.token);
  if (error.code !== 'HDFS_UNAVAILABLE' && error.code !== 'HDFS_ERROR') throw error;
  return new CreateFailed(error, await excludableName(target, answer.peer), true);
}

/** Where the name node sends the writer to. */
function redirected(
  nameservice: Nameservice,
  operation: Operation,
  credentials: Credentials,
  signal: AbortSignal | undefined,
): Promise<{ target: URL; what: string }> {
  return nameservice.nameNodes.ask(async (at) => {
    const head = await callNameNode(nameservice, at, operation, credentials, signal);
    await discardBody(head);
    const what = describeOperation(operation, at.base);
    if (!isRedirect(head.status)) {
      throw new MaasError(
        'HDFS_ERROR',
        `Could not ${what}: unexpected answer ${head.status}, no redirect to a data node`,
      );
    }
    return { target: redirectTarget(head.headers.location, at.base, what), what };
  }, signal);
}
