/**
 * One request to a name node over node:http, up to the head of its answer or to its small JSON. Failures are sorted
 * here into those that another name node may help against and those that are final.
 */
import { MaasError } from '../../contracts/errors.ts';
import { bodyStart, bodyText } from '../http/body.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { HttpFailure } from '../http/failure.ts';
import { jsonOrText } from '../json-field.ts';
import { type Attempt, TryElsewhere } from './name-nodes.ts';
import type { Nameservice } from './nameservice.ts';
import { printable } from './redact.ts';
import { classifyRefusal } from './remote-exception.ts';
import { type Credentials, operationUrl, type Parameters, shownAddress } from './web-address.ts';

export interface Operation {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** In capitals, as HDFS documents it. */
  readonly op: string;
  /** Absolute, not encoded. */
  readonly path: string;
  readonly parameters?: Parameters;
  /** Of data nodes: chunks of the body are lent; see ReadOptions. */
  readonly lend?: boolean;
}

/** Largest JSON answer that is read; a page of a listing is some hundred kilobytes. */
const maxJsonBytes = 32 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

/** Sends the operation to one name node; any status of 400 or above is thrown. */
export async function callNameNode(
  nameservice: Nameservice,
  { base }: Attempt,
  operation: Operation,
  credentials: Credentials,
  signal?: AbortSignal,
): Promise<HttpAnswer> {
  const url = operationUrl(base, operation.op, operation.path, operation.parameters ?? {}, credentials);
  const what = describeOperation(operation, base);
  let answer: HttpAnswer;
  let text: string;
  try {
    answer = await nameservice.exchange({ method: operation.method, url, signal });
    if (answer.status < 400) return answer;
    text = await bodyStart(answer, maxErrorBytes, signal);
  } catch (error) {
    throw unreachable(error, what, credentials);
  }
  throw refused(answer.status, jsonOrText(text), what, credentials);
}

/** Sends the operation and reads the JSON that it answers with; no body at all gives undefined. */
export async function callForJson(
  nameservice: Nameservice,
  attempt: Attempt,
  operation: Operation,
  credentials: Credentials,
  signal?: AbortSignal,
): Promise<unknown> {
  const answer = await callNameNode(nameservice, attempt, operation, credentials, signal);
  const what = describeOperation(operation, attempt.base);
  let text: string;
  try {
    text = await bodyText(answer, maxJsonBytes, signal);
  } catch (error) {
    throw unreachable(error, what, credentials);
  }
  return acceptJson(answer.status, text === '' ? undefined : jsonOrText(text), what);
}

/**
 * The same of whichever name node serves.
 * @param call what sends it; callForJson unless told
 */
export async function askForJson(
  nameservice: Nameservice,
  operation: Operation,
  signal: AbortSignal | undefined,
  call: typeof callForJson = callForJson,
): Promise<unknown> {
  const credentials = await nameservice.credentials();
  return nameservice.nameNodes.ask((at) => call(nameservice, at, operation, credentials, signal), signal);
}

/** The JSON of a successful answer; anything that WebHDFS does not answer with is an error. */
export function acceptJson(status: number, body: unknown, what: string): unknown {
  if (status !== 200 && status !== 201) {
    throw new MaasError('HDFS_ERROR', `Could not ${what}: unexpected answer ${status}`);
  }
  if (body !== undefined && (typeof body !== 'object' || body === null)) {
    throw new MaasError(
      'HDFS_ERROR',
      `Could not ${what}: the answer is not that of WebHDFS (${printable(String(body)).slice(0, 100)})`,
    );
  }
  return body;
}

/** The error for an answer of 400 or above. */
export function refused(
  status: number,
  body: unknown,
  what: string,
  credentials: Credentials,
): MaasError | TryElsewhere {
  const refusal = classifyRefusal(status, body, what, credentials.token);
  return refusal.tryElsewhere
    ? new TryElsewhere(refusal.error, false)
    : new RefusedError(refusal.error, refusal.exception);
}

/** An error that HDFS answered with, and the exception's name where it gave one. */
export class RefusedError extends MaasError {
  readonly exception: string | undefined;

  constructor(error: MaasError, exception: string | undefined) {
    super(error.code, error.message, { next: error.next });
    this.exception = exception;
  }
}

/** What an HDFS says that is older than an operation. */
export function isUnknownOperation(error: RefusedError): boolean {
  return error.exception === 'IllegalArgumentException' || error.exception === 'UnsupportedOperationException';
}

/** The error for an exchange that failed; what is not a failed exchange stays as it is. */
export function unreachable(error: unknown, what: string, credentials: Credentials): unknown {
  if (!(error instanceof HttpFailure)) return error;
  const text = `Could not ${what}: ${printable(error.message, credentials.token)}`;
  return new TryElsewhere(new MaasError('HDFS_UNREACHABLE', text, { cause: error }), error.reached);
}

/** `GETFILESTATUS /a/b at http://nn1:9870`. */
export function describeOperation({ op, path }: Operation, base: URL): string {
  return `${op} ${printable(path)} at ${shownAddress(base)}`;
}
