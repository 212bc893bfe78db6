/**
 * Requests that a name node redirects to a data node and that answer with content: OPEN and GETFILECHECKSUM. A data
 * node that failed is left out of the next attempt, because name nodes offer a dead one for minutes.
 */
import { MaasError } from '../../contracts/errors.ts';
import { bodyStart, discardBody } from '../http/body.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { HttpFailure } from '../http/failure.ts';
import { jsonOrText } from '../json-field.ts';
import { excludableName, isRedirect, redirectTarget } from './data-node.ts';
import { callNameNode, describeOperation, type Operation, RefusedError } from './name-node-call.ts';
import type { Nameservice } from './nameservice.ts';
import { printable } from './redact.ts';
import { classifyRefusal } from './remote-exception.ts';
import type { Credentials } from './web-address.ts';

/** A failure that another data node, or the same one later, may not have. */
export class DataNodeFailed extends Error {
  readonly error: MaasError;
  /** As `excludedatanodes` wants it; undefined when it has no such name. */
  readonly dataNode: string | undefined;

  constructor(error: MaasError, dataNode: string | undefined) {
    super(error.message, { cause: error });
    this.error = error;
    this.dataNode = dataNode;
  }
}

/** The failures of one request so far, and which data nodes they leave out. */
export class Failures {
  /** In a row; set to 0 when there is progress. */
  inARow = 0;
  excluded: string[];
  readonly #nameservice: Nameservice;
  readonly #limit: number;

  constructor(nameservice: Nameservice, limit: number, excluded: readonly string[] = []) {
    this.#nameservice = nameservice;
    this.#limit = limit;
    this.excluded = [...excluded];
  }

  /** Notes a failure and waits before the next attempt. @throws the failure's error when it was one too many */
  async add(failed: DataNodeFailed, signal: AbortSignal | undefined): Promise<void> {
    this.inARow += 1;
    if (this.inARow >= this.#limit) throw failed.error;
    this.#nameservice.log?.debug(
      { dataNode: failed.dataNode, error: failed.error.message },
      'try again at another data node',
    );
    if (failed.dataNode !== undefined && !this.excluded.includes(failed.dataNode)) {
      this.excluded.push(failed.dataNode);
      // At the first other data node there is nothing to wait for.
      if (this.inARow === 1) return;
    }
    await this.#nameservice.pause(this.inARow, signal);
  }
}

export interface DataNodeAnswer {
  /** Status below 400; the body is still to be read. */
  readonly answer: HttpAnswer;
  /** Undefined when a gateway answered itself, or the data node cannot be named. */
  readonly dataNode: string | undefined;
  /** For messages. */
  readonly what: string;
}

/** Attempts until a data node answers. @throws what is final, or the last failure */
export async function askDataNode(
  nameservice: Nameservice,
  operation: Operation,
  failures: Failures,
  signal: AbortSignal | undefined,
): Promise<DataNodeAnswer> {
  for (;;) {
    try {
      return await askOnce(nameservice, operation, failures.excluded, signal);
    } catch (error) {
      if (error instanceof DataNodeFailed) {
        await failures.add(error, signal);
      } else if (failures.excluded.length > 0 && isNoNodeLeft(error)) {
        await failures.add(new DataNodeFailed(error, undefined), signal);
        failures.excluded = [];
      } else {
        throw error;
      }
    }
  }
}

/** The name node has no replica outside of those left out. */
function isNoNodeLeft(error: unknown): error is RefusedError {
  return error instanceof RefusedError && error.exception === 'IOException' && error.code === 'HDFS_UNAVAILABLE';
}

async function askOnce(
  nameservice: Nameservice,
  operation: Operation,
  excluded: readonly string[],
  signal: AbortSignal | undefined,
): Promise<DataNodeAnswer> {
  const credentials = await nameservice.credentials();
  const excludedatanodes = excluded.length === 0 ? undefined : excluded.join(',');
  const complete = { ...operation, parameters: { ...operation.parameters, excludedatanodes } };
  const { answer, target, what } = await nameservice.nameNodes.ask(async (attempt) => {
    const head = await callNameNode(nameservice, attempt, complete, credentials, signal);
    const description = describeOperation(operation, attempt.base);
    if (!isRedirect(head.status)) return { answer: head, target: undefined, what: description };
    await discardBody(head);
    return {
      answer: head,
      target: redirectTarget(head.headers.location, attempt.base, description),
      what: description,
    };
  }, signal);
  // A gateway (HttpFS, Knox) may answer by itself.
  const got =
    target === undefined
      ? { answer, dataNode: undefined, what }
      : await follow(nameservice, target, what, { credentials, signal, lend: operation.lend ?? false });
  if (got.answer.status !== 200 && got.answer.status !== 206) {
    got.answer.body.destroy();
    throw new MaasError('HDFS_ERROR', `Could not ${got.what}: unexpected answer ${got.answer.status}`);
  }
  return got;
}

async function follow(
  nameservice: Nameservice,
  target: URL,
  operation: string,
  {
    credentials,
    signal,
    lend,
  }: { readonly credentials: Credentials; readonly signal: AbortSignal | undefined; readonly lend: boolean },
): Promise<DataNodeAnswer> {
  const what = `${operation}, data node ${target.host}`;
  let answer: HttpAnswer;
  let text: string;
  try {
    answer = await nameservice.exchange({ method: 'GET', url: target, signal, lend });
    if (answer.status < 400) return { answer, dataNode: await excludableName(target, answer.peer), what };
    text = await bodyStart(answer, 64 * 1024, signal);
  } catch (error) {
    throw await dataNodeFailure(error, target, what, credentials);
  }
  const { error, exception } = classifyRefusal(answer.status, jsonOrText(text), what, credentials.token);
  if (exception !== undefined && !maybeOnlyHere.has(error.code)) throw error;
  throw new DataNodeFailed(error, await excludableName(target, answer.peer));
}

/** What another data node may answer otherwise; the rest concerns the file or the user. */
const maybeOnlyHere = new Set(['HDFS_UNAVAILABLE', 'HDFS_ERROR', 'HDFS_DATA_CORRUPT']);

/** The error for a failed exchange with a data node; what is not a failed exchange stays as it is. */
async function dataNodeFailure(error: unknown, target: URL, what: string, credentials: Credentials): Promise<unknown> {
  if (!(error instanceof HttpFailure)) return error;
  const text = `Could not ${what}: ${printable(error.message, credentials.token)}`;
  return new DataNodeFailed(
    new MaasError('HDFS_UNAVAILABLE', text, { cause: error }),
    await excludableName(target, undefined),
  );
}
