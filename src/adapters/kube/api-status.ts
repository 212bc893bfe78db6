/**
 * What the API server says when it refuses, and the coded error that it becomes.
 *
 * One rule is worth knowing: a 404 can mean "no such object" or "no such kind here". Only the first may be read as
 * absence; taking the second for it would let a missing CRD look like every resource having been deleted.
 */
import { MaasError } from '../../contracts/errors.ts';
import { messageOf } from '../../kernel/message-of.ts';
import { HttpFailure } from '../http/failure.ts';
import { field, jsonOrText } from '../json-field.ts';
import { groupOf, type KubeObject, qualifiedName, type ResourceKind } from './resource-kind.ts';

export interface StatusCause {
  readonly field?: string;
  readonly message?: string;
  readonly reason?: string;
}

/** A refusal of the API server, the cause of the coded error. */
export class ApiStatus extends Error {
  /** The HTTP status, or the code of a watch's ERROR event. */
  readonly status: number;
  /** Machine-readable, `NotFound`, `AlreadyExists`, `Conflict`, `Expired`; empty when the answer was no Status. */
  readonly reason: string;
  readonly causes: readonly StatusCause[];
  /** Is it about an object, or does the server not know the path? */
  readonly namesAnObject: boolean;
  /** From the Retry-After header or the Status, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    status: number,
    message: string,
    rest: { reason?: string; causes?: readonly StatusCause[]; namesAnObject?: boolean; retryAfterMs?: number } = {},
  ) {
    super(message);
    this.name = 'ApiStatus';
    this.status = status;
    this.reason = rest.reason ?? '';
    this.causes = rest.causes ?? [];
    this.namesAnObject = rest.namesAnObject ?? false;
    this.retryAfterMs = rest.retryAfterMs;
  }
}

/** What was asked of the server, for messages: `patch` of `deployments.apps fraud/dga`. */
export interface Attempt {
  /** The RBAC verb. */
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  readonly kind: ResourceKind<KubeObject>;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

const maxMessageLength = 2_000;

/** Reads an answer that is no success. Bodies of proxies (HTML, plain text) are kept short. */
export function readStatus(status: number, answer: string, retryAfter?: string): ApiStatus {
  const fromHeader = retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : undefined;
  const body = jsonOrText(answer);
  if (field(body, 'kind') !== 'Status') {
    const shown = answer.trim().slice(0, 200);
    return new ApiStatus(status, shown === '' ? `status ${status}` : shown, retryAfterOf(fromHeader));
  }
  return statusOf(body, status, fromHeader);
}

/** Reads a Status object, as an answer or as the object of a watch's ERROR event. */
export function statusOf(body: unknown, fallback: number, retryAfterMs?: number): ApiStatus {
  const details = field(body, 'details');
  const causes = field(details, 'causes');
  const seconds = field(details, 'retryAfterSeconds');
  const code = field(body, 'code');
  const message = text(body, 'message');
  return new ApiStatus(
    typeof code === 'number' ? code : fallback,
    message === '' ? `status ${fallback}` : message.slice(0, maxMessageLength),
    {
      reason: text(body, 'reason'),
      causes: (Array.isArray(causes) ? causes : []).map((cause) => ({
        field: text(cause, 'field'),
        message: text(cause, 'message').slice(0, maxMessageLength),
        reason: text(cause, 'reason'),
      })),
      namesAnObject: text(details, 'name') !== '',
      ...retryAfterOf(retryAfterMs ?? (typeof seconds === 'number' ? seconds * 1_000 : undefined)),
    },
  );
}

/** Is it the absence of the object that was asked for? */
export function meansAbsent(status: ApiStatus): boolean {
  return status.status === 404 && status.reason === 'NotFound' && status.namesAnObject;
}

/** The coded error for a refusal; the ApiStatus is its cause. */
export function refusalOf(attempt: Attempt, status: ApiStatus): MaasError {
  const what = `${describe(attempt)}: ${status.message}`;
  switch (status.status) {
    case 401:
      return new MaasError('CLUSTER_UNAUTHENTICATED', what, { cause: status });
    case 403:
      // Admission (quota, Pod Security) also answers 403; then no permission is missing.
      return deniesPermission(status)
        ? new MaasError('CLUSTER_FORBIDDEN', what, { cause: status, next: permissionAdvice(attempt) })
        : new MaasError('CLUSTER_REFUSED', what, { cause: status });
    case 404:
    case 410:
      return new MaasError('CLUSTER_NOT_FOUND', what, { cause: status });
    case 409:
      return new MaasError('CONFLICT', what, { cause: status });
    case 429:
      return new MaasError('CLUSTER_UNAVAILABLE', what, { cause: status });
    default:
      // A UID is only ever sent to say which object is meant. Against another one the server finds it "immutable".
      if (status.causes.some((cause) => cause.field === 'metadata.uid')) {
        return new MaasError('CONFLICT', what, { cause: status });
      }
      return status.status >= 500
        ? new MaasError('CLUSTER_UNAVAILABLE', what, { cause: status })
        : new MaasError('CLUSTER_REFUSED', `${what}${unsaidCauses(status)}`, { cause: status });
  }
}

/** The coded error for a call that got no answer. */
export function unreachable(attempt: Attempt, address: string, error: unknown): MaasError {
  if (error instanceof MaasError) return error;
  const next = error instanceof HttpFailure ? error.next : undefined;
  return new MaasError('CLUSTER_UNREACHABLE', `${describe(attempt)} at ${address}: ${messageOf(error)}`, {
    cause: error,
    ...(next === undefined ? {} : { next }),
  });
}

/** The refusal behind a coded error, if the API server gave one: to tell AlreadyExists from Conflict, for example. */
export function apiStatusOf(error: unknown): ApiStatus | undefined {
  if (error instanceof ApiStatus) return error;
  return error instanceof Error && error.cause instanceof ApiStatus ? error.cause : undefined;
}

export function describe(attempt: Attempt): string {
  const name = [attempt.namespace, attempt.name].filter((part) => part !== undefined).join('/');
  const subresource = attempt.subresource === undefined ? '' : `/${attempt.subresource}`;
  return `${attempt.verb} ${qualifiedName(attempt.kind)}${subresource}${name === '' ? '' : ` ${name}`}`;
}

function deniesPermission(status: ApiStatus): boolean {
  return (
    /\b(?:User ".*" )?cannot \w+ (?:resource|path) /.test(status.message) || !status.message.includes('is forbidden')
  );
}

function permissionAdvice(attempt: Attempt): string {
  const group = groupOf(attempt.kind.apiVersion);
  const where = attempt.namespace === undefined ? 'in the whole cluster' : `in namespace ${attempt.namespace}`;
  const resource =
    attempt.subresource === undefined ? attempt.kind.plural : `${attempt.kind.plural}/${attempt.subresource}`;
  return `Ask for the permission to ${attempt.verb} ${resource} of API group "${group}" ${where}.`;
}

/** Field errors that the message does not repeat. */
function unsaidCauses(status: ApiStatus): string {
  const unsaid = status.causes
    .filter((cause) => cause.message !== undefined && cause.message !== '' && !status.message.includes(cause.message))
    .slice(0, 10)
    .map((cause) => (cause.field ? `${cause.field}: ${cause.message}` : cause.message));
  return unsaid.length === 0 ? '' : ` (${unsaid.join('; ')})`;
}

function retryAfterOf(retryAfterMs: number | undefined): { retryAfterMs?: number } {
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

function text(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === 'string' ? found : '';
}
