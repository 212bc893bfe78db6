/**
 * A small client for any kind of object: reads, writes with preconditions, server-side apply.
 *
 * Every call has a deadline. All failures are MaasErrors: CLUSTER_UNREACHABLE (no answer), CLUSTER_UNAVAILABLE (429,
 * 5xx), CLUSTER_UNAUTHENTICATED, CLUSTER_FORBIDDEN (names the permission), CLUSTER_NOT_FOUND, CONFLICT (409, and
 * preconditions that do not hold) and CLUSTER_REFUSED (everything else that is wrong with the request, with the fields).
 */
import type { Clock } from '../../kernel/clock.ts';
import { field, isObject } from '../json-field.ts';
import { ApiCalls, type CallOptions } from './api-calls.ts';
import type { Attempt } from './api-status.ts';
import { type ListOptions, listAll, listPages } from './list-pages.ts';
import { type PodPath, podCall } from './pod-path.ts';
import {
  collectionPath,
  type KubeObject,
  type ObjectName,
  objectPath,
  type ResourceKind,
  type Stored,
} from './resource-kind.ts';
import { type List, stored, wouldBeStored } from './stored-object.ts';
import type { Transport } from './transport.ts';

/** Which object is meant: a write that finds another UID or resourceVersion is refused with CONFLICT. */
export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface WriteOptions extends CallOptions {
  /** Let the server check and answer without storing anything; a new object then has an empty resourceVersion. */
  readonly dryRun?: boolean;
}

export interface PatchOptions extends WriteOptions, Preconditions {}

export interface DeleteOptions extends PatchOptions {
  /** The object lives on until its dependents are gone; otherwise they are deleted after it. */
  readonly foreground?: boolean;
}

export interface ApplyOptions extends CallOptions {
  /** Who owns the fields, which are taken over from others; one name for all writes of one program. */
  readonly fieldManager: string;
}

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

export class KubeClient {
  /** For watches. */
  readonly transport: Transport;
  readonly #calls: ApiCalls;

  constructor(
    transport: Transport,
    clock: Pick<Clock, 'monotonic' | 'sleep'>,
    /** From 0 to 1, for the waits between repetitions. */
    random: () => number = Math.random,
  ) {
    this.transport = transport;
    this.#calls = new ApiCalls(transport, clock, random);
  }

  /** Undefined when there is no such object; CLUSTER_NOT_FOUND when the server does not know the kind. */
  async get<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: ObjectName,
    options: CallOptions = {},
  ): Promise<Stored<T> | undefined> {
    const attempt: Attempt = { verb: 'get', kind, ...object };
    const call = { method: 'GET', path: objectPath(kind, object), ...patience(options) } as const;
    const answer = await this.#calls.jsonIfPresent(attempt, call);
    return answer === undefined ? undefined : stored<T>(attempt, answer);
  }

  /** All pages; an expired continuation starts over. */
  async list<T extends KubeObject>(kind: ResourceKind<T>, options: ListOptions = {}): Promise<List<T>> {
    return listAll(this.#calls, kind, options);
  }

  /**
   * Page by page, for collections that are projected while they come in. Throws ApiStatus 410 behind CLUSTER_NOT_FOUND
   * when the continuation expired.
   */
  pages<T extends KubeObject>(kind: ResourceKind<T>, options: ListOptions = {}): AsyncGenerator<List<T>> {
    return listPages(this.#calls, kind, options);
  }

  /** CONFLICT when the name is taken. `metadata.namespace` says where. */
  async create<T extends KubeObject>(kind: ResourceKind<T>, object: T, options: WriteOptions = {}): Promise<Stored<T>> {
    const { name, namespace } = object.metadata ?? {};
    if (kind.namespaced && namespace === undefined) throw new TypeError(`${kind.kind} needs a namespace`);
    const attempt: Attempt = { verb: 'create', kind, namespace, name };
    const answer = await this.#calls.json(attempt, {
      method: 'POST',
      path: collectionPath(kind, kind.namespaced ? namespace : undefined),
      query: dryRun(options),
      body: { ...object, apiVersion: kind.apiVersion, kind: kind.kind },
      ...patience(options),
    });
    return options.dryRun === true ? wouldBeStored<T>(attempt, answer) : stored<T>(attempt, answer);
  }

  /**
   * Server-side apply: creates or updates the fields in `object`. With `metadata.uid` it updates that very object and
   * never creates one; with `metadata.resourceVersion` only that state of it (CONFLICT otherwise).
   */
  apply<T extends KubeObject>(kind: ResourceKind<T>, object: T, options: ApplyOptions): Promise<Stored<T>> {
    return this.#apply(kind, object, options);
  }

  /**
   * The same for the status subresource; CLUSTER_NOT_FOUND when the object is gone. Give `metadata.uid`, so that a
   * successor of the name is never written to.
   */
  applyStatus<T extends KubeObject>(kind: ResourceKind<T>, object: T, options: ApplyOptions): Promise<Stored<T>> {
    return this.#apply(kind, object, options, 'status');
  }

  /** RFC 7386; null removes a field. */
  async mergePatch<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: ObjectName,
    patch: Readonly<Record<string, unknown>>,
    options: PatchOptions = {},
  ): Promise<Stored<T>> {
    const attempt: Attempt = { verb: 'patch', kind, ...object };
    const { uid, resourceVersion, ...rest } = options;
    const metadata = patch['metadata'];
    const answer = await this.#calls.json(attempt, {
      method: 'PATCH',
      path: objectPath(kind, object),
      query: dryRun(rest),
      contentType: 'application/merge-patch+json',
      body: { ...patch, metadata: { ...(isObject(metadata) ? metadata : {}), uid, resourceVersion } },
      ...patience(rest),
    });
    return stored<T>(attempt, answer);
  }

  /** False when there was nothing to delete. With finalizers or `foreground` the object lives on for a while. */
  async delete(kind: ResourceKind<KubeObject>, object: ObjectName, options: DeleteOptions = {}): Promise<boolean> {
    const { uid, resourceVersion, foreground = false } = options;
    const answer = await this.#calls.jsonIfPresent(
      { verb: 'delete', kind, ...object },
      {
        method: 'DELETE',
        path: objectPath(kind, object),
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          propagationPolicy: foreground ? 'Foreground' : 'Background',
          preconditions: { uid, resourceVersion },
          ...(options.dryRun === true ? { dryRun: ['All'] } : {}),
        },
        ...patience(options),
      },
    );
    return answer !== undefined;
  }

  /** May the caller do this (SelfSubjectAccessReview), or the one that is named (SubjectAccessReview)? */
  async can(
    permission: Permission,
    { subject, ...options }: CallOptions & { readonly subject?: Subject | undefined } = {},
  ): Promise<boolean> {
    const kind = subject === undefined ? ownAccessReviews : accessReviews;
    const spec = { ...subject, resourceAttributes: permission };
    const answer = await this.#calls.json(
      { verb: 'create', kind },
      {
        method: 'POST',
        path: collectionPath(kind),
        body: { apiVersion: kind.apiVersion, kind: kind.kind, spec },
        ...patience(options),
      },
    );
    return field(field(answer, 'status'), 'allowed') === true;
  }

  /** The text that a GET of a path below a pod answers with: of its log, say. @throws MaasError CLUSTER_* */
  async podText(below: PodPath, options: CallOptions = {}): Promise<string> {
    const { attempt, call } = podCall(below, options);
    return await this.#calls.text(attempt, call);
  }

  /** The server's version, `v1.37.2`; the cheapest call that proves the cluster answers. */
  async serverVersion(options: CallOptions = {}): Promise<string> {
    const call = { method: 'GET', path: '/version', ...patience(options) } as const;
    const version = field(await this.#calls.json({ verb: 'get', kind: versionPath }, call), 'gitVersion');
    return typeof version === 'string' ? version : '';
  }

  async #apply<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: T,
    options: ApplyOptions,
    subresource?: 'status',
  ): Promise<Stored<T>> {
    const { name, namespace } = object.metadata ?? {};
    if (name === undefined) throw new TypeError(`${kind.kind} needs a name to be applied`);
    const meant = kind.namespaced && namespace !== undefined ? { namespace, name } : { name };
    const attempt: Attempt = { verb: 'patch', kind, ...meant, subresource };
    const answer = await this.#calls.json(attempt, {
      method: 'PATCH',
      path: objectPath(kind, meant, subresource),
      query: { fieldManager: options.fieldManager, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: { ...object, apiVersion: kind.apiVersion, kind: kind.kind },
      ...patience(options),
    });
    return stored<T>(attempt, answer);
  }
}

const clusterWide = (apiVersion: string, kind: string): ResourceKind<KubeObject> => ({
  apiVersion,
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: false,
});
const accessReviews = clusterWide('authorization.k8s.io/v1', 'SubjectAccessReview');
const ownAccessReviews = clusterWide('authorization.k8s.io/v1', 'SelfSubjectAccessReview');
/** Only for messages: /version is no resource. */
const versionPath = { ...clusterWide('v1', 'Version'), plural: 'version' };

function patience({ deadlineMs = 15_000, signal }: CallOptions) {
  return { deadlineMs, signal };
}

function dryRun(options: WriteOptions): Readonly<Record<string, string>> {
  return options.dryRun === true ? { dryRun: 'All' } : {};
}
