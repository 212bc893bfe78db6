/**
 * What an answer of WebHDFS means. The status says little (403 alone stands for a refused user, safe mode, a standby
 * name node and an existing file), so the name of the exception in the body decides, and only where there is none,
 * the status.
 */
import type { ErrorCode } from '../../contracts/error-catalogue.ts';
import { MaasError } from '../../contracts/errors.ts';
import { field } from '../json-field.ts';
import { printable } from './redact.ts';

/** What a server said in place of a result. */
export interface Refusal {
  readonly error: MaasError;
  /** Another name node may be able to serve the same request now. */
  readonly tryElsewhere: boolean;
  /** `RemoteException.exception`, where there is one. */
  readonly exception: string | undefined;
}

interface RemoteException {
  readonly exception: string;
  readonly message: string;
}

const codes: Record<string, ErrorCode> = {
  StandbyException: 'HDFS_UNAVAILABLE',
  ObserverRetryOnActiveException: 'HDFS_UNAVAILABLE',
  RetriableException: 'HDFS_UNAVAILABLE',
  SafeModeException: 'HDFS_UNAVAILABLE',
  NotReplicatedYetException: 'HDFS_UNAVAILABLE',
  LeaseExpiredException: 'HDFS_UNAVAILABLE',
  AlreadyBeingCreatedException: 'HDFS_UNAVAILABLE',
  RecoveryInProgressException: 'HDFS_UNAVAILABLE',
  BlockMissingException: 'HDFS_UNAVAILABLE',
  AccessControlException: 'HDFS_FORBIDDEN',
  AuthorizationException: 'HDFS_FORBIDDEN',
  SecurityException: 'HDFS_UNAUTHENTICATED',
  AuthenticationException: 'HDFS_UNAUTHENTICATED',
  InvalidToken: 'HDFS_UNAUTHENTICATED',
  FileNotFoundException: 'HDFS_PATH_MISSING',
  FileAlreadyExistsException: 'HDFS_PATH_EXISTS',
  PathIsNotEmptyDirectoryException: 'HDFS_PATH_EXISTS',
  ParentNotDirectoryException: 'HDFS_PATH_INVALID',
  InvalidPathException: 'HDFS_PATH_INVALID',
  UnresolvedPathException: 'HDFS_PATH_INVALID',
  PathComponentTooLongException: 'HDFS_PATH_INVALID',
  MaxDirectoryItemsExceededException: 'HDFS_PATH_INVALID',
  QuotaExceededException: 'HDFS_NO_SPACE',
  DSQuotaExceededException: 'HDFS_NO_SPACE',
  NSQuotaExceededException: 'HDFS_NO_SPACE',
  QuotaByStorageTypeExceededException: 'HDFS_NO_SPACE',
};

const elsewhere = new Set(['StandbyException', 'ObserverRetryOnActiveException', 'RetriableException']);

/**
 * Classifies an answer whose status is not a success.
 *
 * @param body parsed JSON, or the text that it was
 * @param what names the request for the message: `open /a/b at http://nn1:9870`
 */
export function classifyRefusal(status: number, body: unknown, what: string, secret?: string): Refusal {
  const remote = remoteException(body);
  if (remote === undefined) return withoutException(status, body, what);
  const { message } = remote;
  let exception = remote.exception;
  // A standby that is shown a delegation token says so in the text of another exception only.
  if (exception !== 'StandbyException' && /InvalidToken: .*StandbyException|^StandbyException/.test(message)) {
    exception = 'StandbyException';
  }
  const name = exception.split(/[.$]/).at(-1) ?? exception;
  return {
    error: new MaasError(codeOf(name, message), `Could not ${what}: ${printable(`${name}: ${message}`, secret)}`),
    tryElsewhere: elsewhere.has(name),
    exception: name,
  };
}

function codeOf(name: string, message: string): ErrorCode {
  // How HDFS says that a file is where a directory should be, when asked for something below that file.
  if (name === 'AccessControlException' && /\(is not a directory\)/.test(message)) return 'HDFS_PATH_MISSING';
  const known = Object.hasOwn(codes, name) ? codes[name] : undefined;
  if (known !== undefined) return known;
  if (/^Invalid path name|Invalid file name|contains a ":"/i.test(message)) return 'HDFS_PATH_INVALID';
  if (/InvalidToken|token .*(expired|can't be found)/i.test(message)) return 'HDFS_UNAUTHENTICATED';
  if (/find datanode|No active nodes contain|could only be written to 0 of|is not active|startup mode/i.test(message)) {
    return 'HDFS_UNAVAILABLE';
  }
  return 'HDFS_ERROR';
}

function withoutException(status: number, body: unknown, what: string): Refusal {
  const said = `${status}${typeof body === 'string' && body !== '' ? ` (${titleOf(body)})` : ''}`;
  const refusal = (code: ErrorCode, text: string, tryElsewhere = false): Refusal => ({
    error: new MaasError(code, `Could not ${what}: ${text}`),
    tryElsewhere,
    exception: undefined,
  });
  switch (status) {
    case 401:
      return refusal('HDFS_UNAUTHENTICATED', `the answer is ${said}`);
    case 403:
      return refusal('HDFS_FORBIDDEN', `the answer is ${said}`);
    case 404:
      // WebHDFS itself always explains a 404; without that, something else listens there.
      return refusal('HDFS_ERROR', `the answer is ${said}, so this is not a WebHDFS address`);
    case 408:
    case 429:
    case 502:
    case 503:
    case 504:
      return refusal('HDFS_UNAVAILABLE', `the answer is ${said}`, true);
    default:
      return refusal('HDFS_ERROR', `the answer is ${said}`);
  }
}

function remoteException(body: unknown): RemoteException | undefined {
  const remote = field(body, 'RemoteException');
  const exception = field(remote, 'exception');
  if (typeof exception !== 'string') return undefined;
  const message = field(remote, 'message');
  return { exception, message: typeof message === 'string' ? firstLine(message) : '' };
}

/** What a data node passes on from the name node has Java's stack below it. */
function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? '';
}

/** The title of an HTML page, or the beginning of any other text. */
function titleOf(text: string): string {
  const title = /<title>([^<]*)<\/title>/i.exec(text)?.[1];
  return printable((title ?? text.replace(/<[^>]*>/g, ' ')).slice(0, 200));
}
