/** From what went wrong on the wire to a coded error that says what was tried. */
import { MaasError } from '../../contracts/errors.ts';
import { quoted } from '../../kernel/shown-text.ts';
import { AnswerLost, Refusal, TooLong } from './connection.ts';

/** The numbers of ZooKeeper's KeeperException.Code that mean something to us. */
export const refusals = {
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  invalidAcl: -114,
  authFailed: -115,
  sessionMoved: -118,
} as const;

const names: Readonly<Record<number, string>> = {
  [refusals.noNode]: 'there is no such node',
  [refusals.noAuth]: 'not permitted',
  [refusals.badVersion]: 'the node has another version',
  [refusals.noChildrenForEphemerals]: 'an ephemeral node has no children',
  [refusals.nodeExists]: 'the node exists',
  [refusals.notEmpty]: 'the node has children',
  [refusals.sessionExpired]: 'the session expired',
  [refusals.invalidAcl]: 'invalid ACL',
  [refusals.authFailed]: 'authentication failed',
  [refusals.sessionMoved]: 'the session moved to another server',
  [-5]: 'the request could not be read',
  [-6]: 'not implemented',
  [-7]: 'operation timeout',
  [-8]: 'bad arguments',
  [-119]: 'the server is read-only',
  [-122]: 'request timeout',
  [-125]: 'the quota is exceeded',
  [-127]: 'the server is overloaded',
};

/** An error number in words. */
export function describeRefusal(code: number): string {
  return names[code] ?? `error ${code}`;
}

export function isRefusal(error: unknown, code: number): boolean {
  return error instanceof Refusal && error.code === code;
}

/** @param what the operation with its paths, as in `create "/a/b"` */
export function failure(what: string, error: unknown): MaasError {
  if (error instanceof MaasError) return error;
  if (error instanceof Refusal) return refusal(what, error.code, error);
  if (error instanceof AnswerLost) {
    const text = `ZooKeeper did not answer ${what}: ${quoted(error.message)}`;
    return new MaasError('ZOOKEEPER_TIMEOUT', text, { cause: error });
  }
  if (error instanceof TooLong) {
    return new MaasError('ZOOKEEPER_ERROR', `${what} is more than ZooKeeper takes: ${error.message}`, {
      next: 'Make the data smaller.',
      cause: error,
    });
  }
  return new MaasError('INTERNAL', `${what}: ${String(error)}`, { cause: error });
}

export function refusal(what: string, code: number, cause?: unknown): MaasError {
  const text = `ZooKeeper refused ${what}: ${describeRefusal(code)}`;
  switch (code) {
    case refusals.noNode:
    case refusals.badVersion:
    case refusals.noChildrenForEphemerals:
    case refusals.nodeExists:
    case refusals.notEmpty:
      return new MaasError('ZOOKEEPER_CONFLICT', text, { cause });
    case refusals.noAuth:
    case refusals.invalidAcl:
    case refusals.authFailed:
      return new MaasError('ZOOKEEPER_FORBIDDEN', text, { cause });
    case refusals.sessionExpired:
      return new MaasError('ZOOKEEPER_SESSION_EXPIRED', text, { cause });
    default:
      return new MaasError('ZOOKEEPER_ERROR', text, { cause });
  }
}
