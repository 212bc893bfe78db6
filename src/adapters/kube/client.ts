/**
 * A small client for any kind of object: reads, writes with preconditions, server-side apply.
 *
 * Every call has a deadline. Reads are repeated after a reset connection; writes never are, because nobody knows
 * whether they were done; a 429 was not executed and is repeated after the time that the server names. All failures
 * are MaasErrors: CLUSTER_UNREACHABLE (no answer), CLUSTER_UNAVAILABLE (429, 5xx), CLUSTER_UNAUTHENTICATED,
 * CLUSTER_FORBIDDEN (names the permission), CLUSTER_NOT_FOUND, CONFLICT (409, and preconditions that do not hold) and
 * CLUSTER_REFUSED (everything else that is wrong with the request, with the fields).
 */
import type { Clock } from '../../kernel/clock.ts';
import {
  type ApiStatus,
  type Attempt,
  apiStatusOf,
  isRecord,
  meansAbsent,
  readStatus,
  refusalOf,
  unreachable,
} from './api-status.ts';
import {
  collectionPath,
  type KubeObject,
  type ObjectName,
  objectPath,
  type ResourceKind,
  type Stored,
} from './resource-kind.ts';
import { type ApiCall, type ApiResponse, ConnectionError, type Transport } from './transport.ts';

/** Which object is meant: a write that finds another UID or resourceVersion is refused with CONFLICT. */
export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default 15 s; for lists 30 s a page. */
  readonly deadlineMs?: number;
}

export interface WriteOptions extends CallOptions {
  /** Let the server check and answer without storing anything; a new object then has an empty resourceVersion. */
  readonly dryRun?: boolean;
}

export interface ApplyOptions extends WriteOptions {
  /** Who owns the fields; one name for all writes of one program. */
  readonly fieldManager: string;
  /** Take fields over from other managers (default true); false answers CONFLICT instead. */
  readonly force?: boolean;
}

export interface PatchOptions extends WriteOptions, Preconditions {
  readonly subresource?: 'status' | 'scale';
}

export interface DeleteOptions extends WriteOptions, Preconditions {
  /** What happens to dependents; default Background. */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
}

export interface ListOptions extends CallOptions {
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Objects a request, default 500; the answer holds all of them all the same. */
  readonly pageSize?: number;
}

export interface List<T extends KubeObject> {
  readonly items: Stored<T>[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
}

export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

/** A permission as RBAC names it. */
export interface Permission {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** Somebody as the API server knows them. */
export interface Subject {
  readonly user: string;
  readonly groups: readonly string[];
}

export interface KubeClient {
  /** Undefined when there is no such object; CLUSTER_NOT_FOUND when the server does not know the kind. */
  get<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: ObjectName,
    options?: CallOptions,
  ): Promise<Stored<T> | undefined>;
  /** All pages; an expired continuation starts over. */
  list<T extends KubeObject>(kind: ResourceKind<T>, options?: ListOptions): Promise<List<T>>;
  /** Page by page, for collections that are projected while they come in. Throws ApiStatus 410 behind CLUSTER_NOT_FOUND when the continuation expired. */
  pages<T extends KubeObject>(kind: ResourceKind<T>, options?: ListOptions): AsyncGenerator<List<T>>;
  /** CONFLICT when the name is taken. `metadata.namespace` says where. */
  create<T extends KubeObject>(kind: ResourceKind<T>, object: T, options?: WriteOptions): Promise<Stored<T>>;
  /**
   * Server-side apply: creates or updates the fields in `object`. With `metadata.uid` it updates that very object and
   * never creates one; with `metadata.resourceVersion` only that state of it (CONFLICT otherwise).
   */
  apply<T extends KubeObject>(kind: ResourceKind<T>, object: T, options: ApplyOptions): Promise<Stored<T>>;
  /**
   * The same for the status subresource; CLUSTER_NOT_FOUND when the object is gone. Give `metadata.uid`, so that a
   * successor of the name is never written to.
   */
  applyStatus<T extends KubeObject>(kind: ResourceKind<T>, object: T, options: ApplyOptions): Promise<Stored<T>>;
  /** RFC 7386; null removes a field. */
  mergePatch<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: ObjectName,
    patch: Readonly<Record<string, unknown>>,
    options?: PatchOptions,
  ): Promise<Stored<T>>;
  /** RFC 6902. */
  jsonPatch<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: ObjectName,
    operations: readonly JsonPatchOperation[],
    options?: PatchOptions,
  ): Promise<Stored<T>>;
  /** False when there was nothing to delete. With finalizers or Foreground the object lives on for a while. */
  delete(kind: ResourceKind<KubeObject>, object: ObjectName, options?: DeleteOptions): Promise<boolean>;
  /** May the caller do this (SelfSubjectAccessReview), or the one that is named (SubjectAccessReview)? */
  can(permission: Permission, options?: CallOptions & { readonly subject?: Subject | undefined }): Promise<boolean>;
  /** The server's version, `v1.37.2`; the cheapest call that proves the cluster answers. */
  serverVersion(options?: CallOptions): Promise<string>;
  /** The transport, for watches. */
  readonly transport: Transport;
}

const requestDeadlineMs = 15_000;
const listDeadlineMs = 30_000;
const readAttempts = 3;
const busyAttempts = 4;
/** Without a Retry-After, and the most that one is obeyed in a single wait. */
const busyWaitMs = 1_000;
const longestBusyWaitMs = 10_000;

export function createKubeClient(
  transport: Transport,
  clock: Pick<Clock, 'monotonic' | 'sleep'>,
  random: () => number = Math.random,
): KubeClient {
  /** One call with its repetitions, all within the deadline. */
  const send = async (attempt: Attempt, call: ApiCall): Promise<ApiResponse> => {
    const end = clock.monotonic() + call.deadlineMs;
    let resets = 0;
    let refusals = 0;
    for (;;) {
      let waitMs: number;
      try {
        const response = await transport.request({
          ...call,
          deadlineMs: Math.max(1, Math.ceil(end - clock.monotonic())),
        });
        if (response.status !== 429 || ++refusals >= busyAttempts) return response;
        const asked = readStatus(429, response.text, response.headers['retry-after']).retryAfterMs ?? busyWaitMs;
        waitMs = Math.min(asked, longestBusyWaitMs) * (1 + random() / 4);
        if (clock.monotonic() + waitMs >= end) return response;
      } catch (error) {
        const again = call.method === 'GET' && error instanceof ConnectionError && error.retriable;
        if (!again || ++resets >= readAttempts) throw unreachable(attempt, transport.address(), error);
        waitMs = 100 * resets * (1 + random());
        if (clock.monotonic() + waitMs >= end) throw unreachable(attempt, transport.address(), error);
      }
      try {
        await clock.sleep(waitMs, call.signal);
      } catch (error) {
        throw unreachable(attempt, transport.address(), error);
      }
    }
  };

  const succeed = async (attempt: Attempt, call: ApiCall): Promise<unknown> => {
    const response = await send(attempt, call);
    if (response.status < 200 || response.status > 299) throw refusalOf(attempt, statusFrom(response));
    return parse(attempt, response.text);
  };

  const patch = async <T extends KubeObject>(
    kind: ResourceKind<T>,
    object: ObjectName,
    contentType: string,
    body: unknown,
    options: PatchOptions,
    query: Record<string, string | undefined> = {},
  ): Promise<Stored<T>> => {
    const attempt: Attempt = { verb: 'patch', kind, ...object, subresource: options.subresource };
    const answer = await succeed(attempt, {
      method: 'PATCH',
      path: objectPath(kind, object, options.subresource),
      query: { ...query, dryRun: dryRun(options) },
      contentType,
      body,
      deadlineMs: options.deadlineMs ?? requestDeadlineMs,
      signal: options.signal,
    });
    return stored<T>(attempt, answer, options.dryRun);
  };

  const applyTo = <T extends KubeObject>(
    kind: ResourceKind<T>,
    object: T,
    options: ApplyOptions,
    subresource?: 'status',
  ): Promise<Stored<T>> =>
    patch(
      kind,
      nameOf(kind, object),
      'application/apply-patch+yaml',
      { ...object, apiVersion: kind.apiVersion, kind: kind.kind },
      subresource === undefined ? options : { ...options, subresource },
      { fieldManager: options.fieldManager, force: String(options.force ?? true) },
    );

  async function* pages<T extends KubeObject>(
    kind: ResourceKind<T>,
    options: ListOptions = {},
  ): AsyncGenerator<List<T>> {
    const attempt: Attempt = { verb: 'list', kind, namespace: options.namespace };
    let next: string | undefined;
    do {
      const answer = await succeed(attempt, {
        method: 'GET',
        path: collectionPath(kind, options.namespace),
        query: {
          limit: String(options.pageSize ?? 500),
          continue: next,
          labelSelector: options.labelSelector,
          fieldSelector: options.fieldSelector,
        },
        deadlineMs: options.deadlineMs ?? listDeadlineMs,
        signal: options.signal,
      });
      const page = listPage<T>(attempt, kind, answer);
      yield page.list;
      next = page.next;
    } while (next !== undefined);
  }

  return {
    transport,
    pages,
    async get<T extends KubeObject>(kind: ResourceKind<T>, object: ObjectName, options: CallOptions = {}) {
      const attempt: Attempt = { verb: 'get', kind, ...object };
      const response = await send(attempt, {
        method: 'GET',
        path: objectPath(kind, object),
        deadlineMs: options.deadlineMs ?? requestDeadlineMs,
        signal: options.signal,
      });
      if (response.status >= 200 && response.status < 300) return stored<T>(attempt, parse(attempt, response.text));
      const status = statusFrom(response);
      if (meansAbsent(status)) return undefined;
      throw refusalOf(attempt, status);
    },

    async list<T extends KubeObject>(kind: ResourceKind<T>, options: ListOptions = {}) {
      for (let attempts = 1; ; attempts++) {
        try {
          const items: Stored<T>[] = [];
          let resourceVersion = '';
          for await (const page of pages(kind, options)) {
            items.push(...page.items);
            resourceVersion = page.resourceVersion;
          }
          return { items, resourceVersion };
        } catch (error) {
          if (!isExpired(error) || attempts >= readAttempts) throw error;
        }
      }
    },

    async create<T extends KubeObject>(kind: ResourceKind<T>, object: T, options: WriteOptions = {}) {
      const namespace = object.metadata?.namespace;
      if (kind.namespaced && namespace === undefined) throw new TypeError(`${kind.kind} needs a namespace`);
      const attempt: Attempt = { verb: 'create', kind, namespace, name: object.metadata?.name };
      const answer = await succeed(attempt, {
        method: 'POST',
        path: collectionPath(kind, kind.namespaced ? namespace : undefined),
        query: { dryRun: dryRun(options) },
        body: { ...object, apiVersion: kind.apiVersion, kind: kind.kind },
        deadlineMs: options.deadlineMs ?? requestDeadlineMs,
        signal: options.signal,
      });
      return stored<T>(attempt, answer, options.dryRun);
    },

    apply: (kind, object, options) => applyTo(kind, object, options),
    applyStatus: (kind, object, options) => applyTo(kind, object, options, 'status'),

    mergePatch(kind, object, body, options = {}) {
      const metadata = isRecord(body['metadata']) ? body['metadata'] : {};
      const conditions = preconditionFields(options);
      const guarded =
        Object.keys(conditions).length === 0 ? body : { ...body, metadata: { ...metadata, ...conditions } };
      return patch(kind, object, 'application/merge-patch+json', guarded, options);
    },

    jsonPatch(kind, object, operations, options = {}) {
      // `replace` and not `test`: the server then answers 409 for another state, where a failed test is a 422.
      const guards = Object.entries(preconditionFields(options)).map(([field, value]) => ({
        op: 'replace',
        path: `/metadata/${field}`,
        value,
      }));
      return patch(kind, object, 'application/json-patch+json', [...guards, ...operations], options);
    },

    async delete(kind: ResourceKind<KubeObject>, object: ObjectName, options: DeleteOptions = {}) {
      const attempt: Attempt = { verb: 'delete', kind, ...object };
      const conditions = preconditionFields(options);
      const response = await send(attempt, {
        method: 'DELETE',
        path: objectPath(kind, object),
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          propagationPolicy: options.propagation ?? 'Background',
          ...(Object.keys(conditions).length === 0 ? {} : { preconditions: conditions }),
          ...(options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
          ...(options.dryRun === true ? { dryRun: ['All'] } : {}),
        },
        deadlineMs: options.deadlineMs ?? requestDeadlineMs,
        signal: options.signal,
      });
      if (response.status >= 200 && response.status < 300) return true;
      const status = statusFrom(response);
      if (meansAbsent(status)) return false;
      throw refusalOf(attempt, status);
    },

    async can(permission, { subject, ...options } = {}) {
      const reviews = subject === undefined ? ownAccessReviews : accessReviews;
      const answer = await succeed(
        { verb: 'create', kind: reviews },
        {
          method: 'POST',
          path: collectionPath(reviews),
          body: {
            apiVersion: reviews.apiVersion,
            kind: reviews.kind,
            spec: { ...subject, resourceAttributes: permission },
          },
          deadlineMs: options.deadlineMs ?? requestDeadlineMs,
          signal: options.signal,
        },
      );
      const status = isRecord(answer) ? answer['status'] : undefined;
      return isRecord(status) && status['allowed'] === true;
    },

    async serverVersion(options = {}) {
      const answer = await succeed(
        { verb: 'get', kind: versionPath },
        {
          method: 'GET',
          path: '/version',
          deadlineMs: options.deadlineMs ?? requestDeadlineMs,
          signal: options.signal,
        },
      );
      const version = isRecord(answer) ? answer['gitVersion'] : undefined;
      return typeof version === 'string' ? version : '';
    },
  };
}

const accessReviews: ResourceKind<KubeObject> = {
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
};
const ownAccessReviews: ResourceKind<KubeObject> = {
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
};
/** Only for messages: /version is no resource. */
const versionPath: ResourceKind<KubeObject> = {
  apiVersion: 'v1',
  kind: 'Version',
  plural: 'version',
  namespaced: false,
};

/** Did the continuation of a list, or the resourceVersion of a watch, expire? */
export function isExpired(error: unknown): boolean {
  return apiStatusOf(error)?.status === 410;
}

function statusFrom(response: ApiResponse): ApiStatus {
  return readStatus(response.status, response.text, response.headers['retry-after']);
}

function parse(attempt: Attempt, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refusalOf(attempt, readStatus(502, `the answer is not JSON: ${String(cause)}`));
  }
}

/** Checks what every stored object has; the fields of the kind are the API server's promise. */
function stored<T extends KubeObject>(attempt: Attempt, answer: unknown, dry = false): Stored<T> {
  // What a dry run would have created has no resourceVersion.
  const value =
    dry && isRecord(answer) && isRecord(answer['metadata'])
      ? { ...answer, metadata: { resourceVersion: '', ...answer['metadata'] } }
      : answer;
  if (!isStored<T>(value)) throw refusalOf(attempt, readStatus(502, 'the answer is not an object of the API'));
  return value;
}

export function isStored<T extends KubeObject>(value: unknown): value is Stored<T> {
  if (!isRecord(value) || !isRecord(value['metadata'])) return false;
  const { name, uid, resourceVersion } = value['metadata'];
  return typeof name === 'string' && typeof uid === 'string' && typeof resourceVersion === 'string';
}

function listPage<T extends KubeObject>(
  attempt: Attempt,
  kind: ResourceKind<T>,
  value: unknown,
): { list: List<T>; next: string | undefined } {
  const metadata = isRecord(value) ? value['metadata'] : undefined;
  const found = isRecord(value) ? value['items'] : undefined;
  if (!isRecord(metadata) || typeof metadata['resourceVersion'] !== 'string') {
    throw refusalOf(attempt, readStatus(502, 'the answer is not a list'));
  }
  // An empty list may come as null. The items of a list carry no apiVersion and kind of their own.
  const items = (Array.isArray(found) ? found : []).map((item) =>
    stored<T>(attempt, isRecord(item) ? { ...item, apiVersion: kind.apiVersion, kind: kind.kind } : item),
  );
  const next = metadata['continue'];
  return {
    list: { items, resourceVersion: metadata['resourceVersion'] },
    next: typeof next === 'string' && next !== '' ? next : undefined,
  };
}

function nameOf<T extends KubeObject>(kind: ResourceKind<T>, object: T): ObjectName {
  const { name, namespace } = object.metadata ?? {};
  if (name === undefined) throw new TypeError(`${kind.kind} needs a name to be applied`);
  return kind.namespaced && namespace !== undefined ? { namespace, name } : { name };
}

function preconditionFields(options: Preconditions): Record<string, string> {
  return {
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.resourceVersion === undefined ? {} : { resourceVersion: options.resourceVersion }),
  };
}

function dryRun(options: WriteOptions): string | undefined {
  return options.dryRun === true ? 'All' : undefined;
}
