/**
 * A supervised list+watch: keeps a store in step with the cluster, whatever happens to the connection.
 *
 * A paged list fills the store, a stream goes on from its resourceVersion, bookmarks move that on while nothing
 * happens. A stream that ends is resumed, at once after an orderly end and with a jittered back-off after a failure;
 * when the server no longer knows the resourceVersion (410), or keeps refusing it, the list is read again and the
 * difference told. The server is asked to end each stream after a minute, and one that goes on longer is given up, so
 * that a connection that died silently is noticed within 75 s.
 *
 * Handlers only receive. An exception in one is logged and changes nothing, and nothing waits for them: they put a
 * key into a queue.
 */

import { hasCode } from '../../contracts/errors.ts';
import { backOffMs } from '../../kernel/back-off.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { pause } from '../../kernel/pause.ts';
import { bodyBytes, bodyStart } from '../http/body.ts';
import { field } from '../json-field.ts';
import {
  type ApiStatus,
  type Attempt,
  apiStatusOf,
  readStatus,
  refusalOf,
  statusOf,
  unreachable,
} from './api-status.ts';
import type { KubeClient } from './client.ts';
import { jsonLines } from './json-lines.ts';
import { isExpired } from './list-pages.ts';
import { collectionPath, type KubeObject, type ResourceKind, type Stored } from './resource-kind.ts';
import { isStored } from './stored-object.ts';
import { type Change, type Identity, type Store, WatchStore } from './watch-store.ts';

/** In milliseconds; the defaults hold the promise of 75 s. */
export interface WatchTimes {
  /** The server is asked to end a stream after this long, less up to a fifth; whole seconds. Default 60 000. */
  readonly streamMs: number;
  /** A stream that goes on this much longer than asked is dead. Default 10 000. */
  readonly graceMs: number;
  /** The first wait after a failure; doubles. Default 250. */
  readonly backoffMs: number;
  /** The longest wait. Default 15 000. */
  readonly longestBackoffMs: number;
  /** A stream that lived this long clears the back-off. Default 10 000. */
  readonly settledMs: number;
}

export interface WatchOptions<T extends KubeObject, P> {
  readonly client: Pick<KubeClient, 'pages' | 'transport'>;
  readonly kind: ResourceKind<T>;
  /** Which namespaces; all of them when absent. */
  readonly namespaces?: readonly string[] | undefined;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /**
   * What to keep of each object: with thousands of them memory is what is not dropped here. An object for which it
   * throws is logged and left out, so that a single malformed one stops nothing.
   */
  readonly project: (object: Stored<T>) => P;
  /** What it fills, and nobody else does; one of its own where absent. */
  readonly store?: WatchStore<P>;
  /** By what a store of its own finds objects quickly, for example the owner's UID. */
  readonly index?: (object: P) => string | undefined;
  readonly onChange: (change: Change<P>) => void;
  /**
   * Told when the watch follows a namespace, and when the server has refused to let it, again and again, for want of a
   * permission: then with the refusal. Between the two what the store holds of the namespace is old.
   */
  readonly onAccess?: (namespace: string | undefined, refusal: unknown) => void;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly log: Omit<Log, 'child'>;
  readonly random?: () => number;
  readonly times?: Partial<WatchTimes>;
  readonly pageSize?: number;
}

/** Counters since the start, for metrics. */
export interface WatchCounters {
  /** Full lists that were read, the first one included. */
  readonly lists: number;
  /** Lists that were read again because the stream could not go on. */
  readonly relists: number;
  /** Streams that were opened after the first. */
  readonly restarts: number;
  /** Lists and streams that failed. */
  readonly failures: number;
  /** Streams given up because nothing ended them in time. */
  readonly silences: number;
  /** Changes told to the handler. */
  readonly changes: number;
}

export interface Watch<P> {
  readonly store: Store<P>;
  /**
   * Resolves when every namespace was listed once, or `onAccess` was told that it is refused: one that has lost its Role
   * must not stop the others. Rejects when the watch is stopped before.
   */
  readonly synced: Promise<void>;
  isSynced(): boolean;
  counters(): WatchCounters;
  /** Ends all streams; resolves when no handler will be called any more. */
  stop(): Promise<void>;
}

const defaultTimes: WatchTimes = {
  streamMs: 60_000,
  graceMs: 10_000,
  backoffMs: 250,
  longestBackoffMs: 15_000,
  settledMs: 10_000,
};

const headersDeadlineMs = 15_000;
const maxRefusalBytes = 1024 * 1024;
/** A permission that was granted a moment ago may not have reached the server that is asked. */
const believedRefusals = 3;

/** Starts at once and keeps trying until stopped; failures are logged, never thrown. */
export function startWatch<T extends KubeObject, P>(options: WatchOptions<T, P>): Watch<P> {
  const store =
    options.store ??
    new WatchStore<P>((object) => {
      try {
        return options.index?.(object);
      } catch (error) {
        options.log.error({ err: error, kind: options.kind.kind }, 'an object has no place in the index of a watch');
        return undefined;
      }
    });
  const counters = { lists: 0, relists: 0, restarts: 0, failures: 0, silences: 0, changes: 0 };
  const stopping = new AbortController();

  const tell = (changes: readonly Change<P>[]): void => {
    for (const change of changes) {
      if (stopping.signal.aborted) return;
      counters.changes++;
      try {
        options.onChange(change);
      } catch (error) {
        options.log.error({ err: error, kind: options.kind.kind }, 'the handler of a watch failed');
      }
    }
  };

  const scopes = options.namespaces ?? [undefined];
  const runs = scopes.map((namespace, scope) =>
    followScope({ options, namespace, scope, store, counters, tell, signal: stopping.signal }),
  );
  let synced = false;
  const allSynced = Promise.all(runs.map((run) => run.synced)).then(() => {
    synced = true;
  });
  // Nobody has to wait for it.
  allSynced.catch(() => {});

  return {
    store,
    synced: allSynced,
    isSynced: () => synced,
    counters: () => ({ ...counters }),
    async stop() {
      stopping.abort();
      await Promise.all(runs.map((run) => run.ended));
    },
  };
}

interface Scope<T extends KubeObject, P> {
  readonly options: WatchOptions<T, P>;
  readonly namespace: string | undefined;
  readonly scope: number;
  readonly store: WatchStore<P>;
  readonly counters: { -readonly [Name in keyof WatchCounters]: number };
  readonly tell: (changes: readonly Change<P>[]) => void;
  readonly signal: AbortSignal;
}

/** Where a stream may go on; undefined when only a new list helps. */
type Position = string | undefined;

function followScope<T extends KubeObject, P>(scope: Scope<T, P>): { synced: Promise<void>; ended: Promise<void> } {
  const { promise: synced, resolve, reject } = Promise.withResolvers<void>();
  const ended = supervise(scope, resolve).finally(() =>
    reject(new Error('the watch was stopped before its first list')),
  );
  synced.catch(() => {});
  return { synced, ended };
}

async function supervise<T extends KubeObject, P>(scope: Scope<T, P>, onSynced: () => void): Promise<void> {
  const { options, counters, signal } = scope;
  const { clock, log } = options;
  const times = { ...defaultTimes, ...options.times };
  const random = options.random ?? Math.random;
  const fields = { kind: options.kind.kind, namespace: scope.namespace };

  const position: { at: Position } = { at: undefined };
  let failures = 0;
  let streams = 0;
  let listed = false;
  let refusals = 0;
  let access: 'unknown' | 'given' | 'refused' = 'unknown';
  while (!signal.aborted) {
    const started = clock.monotonic();
    let askedMs = 0;
    try {
      if (position.at === undefined) {
        position.at = await relist(scope);
        if (listed) counters.relists++;
        listed = true;
        refusals = 0;
        if (access !== 'given') options.onAccess?.(scope.namespace, undefined);
        access = 'given';
        onSynced();
      }
      if (streams++ > 0) counters.restarts++;
      await stream(scope, position, times, random);
      // An orderly end. One that comes at once, again and again, is a failure with another face.
      failures = clock.monotonic() - started < times.backoffMs ? failures + 1 : 0;
    } catch (error) {
      if (signal.aborted) return;
      counters.failures++;
      failures = clock.monotonic() - started >= times.settledMs ? 1 : failures + 1;
      refusals = hasCode(error, 'CLUSTER_FORBIDDEN') ? refusals + 1 : 0;
      if (refusals >= believedRefusals && access !== 'refused') {
        access = 'refused';
        options.onAccess?.(scope.namespace, error);
        // Whoever listens can go on with the other namespaces; in the whole cluster there are none.
        if (scope.namespace !== undefined && options.onAccess !== undefined) onSynced();
      }
      if (isExpired(error)) {
        log.debug(fields, 'the resourceVersion of a watch expired, its objects are listed again');
        position.at = undefined;
        // The usual reason is a pause of ours, and a list is what helps: no need to wait for the first one.
        if (failures === 1) continue;
      } else {
        const report = access === 'refused' && refusals > believedRefusals ? log.debug : log.warn;
        report.call(log, { ...fields, err: error, failures }, 'a watch failed and is started again');
        askedMs = Math.min(apiStatusOf(error)?.retryAfterMs ?? 0, times.longestBackoffMs);
        if (access === 'refused' || failures % patienceWith(apiStatusOf(error)) === 0) position.at = undefined;
      }
    }
    if (failures > 0) {
      const backOff = { firstMs: times.backoffMs, longestMs: times.longestBackoffMs };
      await pause(clock, Math.max(askedMs, backOffMs(backOff, failures - 1, random)), signal);
    }
  }
}

/**
 * After how many failures in a row the resourceVersion itself is suspected and the list read again. A server in trouble
 * (5xx, 429) is not burdened with lists, and a connection says nothing about the version.
 */
function patienceWith(status: ApiStatus | undefined): number {
  if (status === undefined) return Number.POSITIVE_INFINITY;
  if (status.causes.some((cause) => cause.reason === 'ResourceVersionTooLarge')) return 1;
  return status.status >= 500 || status.status === 429 ? 10 : 3;
}

/** Reads the whole collection, then tells the differences. Returns the resourceVersion to watch from. */
async function relist<T extends KubeObject, P>(scope: Scope<T, P>): Promise<string> {
  const { options, counters, store } = scope;
  const found: { identity: Identity; object: P }[] = [];
  let resourceVersion = '';
  for await (const page of options.client.pages(options.kind, {
    namespace: scope.namespace,
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    signal: scope.signal,
    pageSize: options.pageSize,
  })) {
    // Projected page by page: the full objects of one page only are in memory.
    for (const item of page.items) {
      const projected = project(scope, item);
      if (projected !== undefined) found.push({ identity: identityOf(item), object: projected.object });
    }
    resourceVersion = page.resourceVersion;
  }
  counters.lists++;
  const listed = new Set(found.map(({ identity }) => identity.uid));
  scope.tell(store.retain(scope.scope, listed));
  for (const { identity, object } of found) scope.tell(store.put(scope.scope, identity, object));
  return resourceVersion;
}

/** One stream, until its end. @throws MaasError for everything but an orderly end */
async function stream<T extends KubeObject, P>(
  scope: Scope<T, P>,
  position: { at: Position },
  times: WatchTimes,
  random: () => number,
): Promise<void> {
  const { options, signal } = scope;
  const { transport } = options.client;
  const attempt: Attempt = { verb: 'watch', kind: options.kind, namespace: scope.namespace };
  // Jittered downwards, so that the streams of all replicas do not end together.
  const askedSeconds = Math.max(1, Math.round((times.streamMs * (1 - random() / 5)) / 1_000));

  const silent = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await transport.open({
      method: 'GET',
      path: collectionPath(options.kind, scope.namespace),
      query: {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: position.at,
        timeoutSeconds: String(askedSeconds),
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
      },
      deadlineMs: headersDeadlineMs,
      signal,
    });
    const giveUp = () => silent.abort(new Error('the stream went on longer than asked'));
    timer = setTimeout(giveUp, askedSeconds * 1_000 + times.graceMs);
    const either = AbortSignal.any([signal, silent.signal]);
    if (answer.status !== 200) {
      const text = await bodyStart(answer, maxRefusalBytes, either);
      throw refusalOf(attempt, readStatus(answer.status, text, answer.headers['retry-after']));
    }
    for await (const line of jsonLines(bodyBytes(answer, either))) {
      if (signal.aborted) return;
      receive(scope, attempt, position, line);
    }
  } catch (error) {
    if (silent.signal.aborted) scope.counters.silences++;
    if (apiStatusOf(error) !== undefined) throw error;
    throw unreachable(attempt, transport.address(), error);
  } finally {
    clearTimeout(timer);
  }
}

/** One line of a stream. @throws MaasError for an ERROR event or a line that is none */
function receive<T extends KubeObject, P>(
  scope: Scope<T, P>,
  attempt: Attempt,
  position: { at: Position },
  line: unknown,
): void {
  const { store } = scope;
  const type = field(line, 'type');
  const object = field(line, 'object');
  if (type === 'ERROR') throw refusalOf(attempt, statusOf(object, 500));
  const metadata = field(object, 'metadata');
  if (type === 'BOOKMARK' && metadata !== undefined) {
    const reached = field(metadata, 'resourceVersion');
    if (typeof reached === 'string' && reached !== '') position.at = reached;
    return;
  }
  const known = type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED';
  if (!known || !isStored<T>(object))
    throw refusalOf(attempt, readStatus(502, 'the stream has a line that is no event'));
  const identity = identityOf(object);
  const projected = project(scope, object);
  const gone = type === 'DELETED' || projected === undefined;
  scope.tell(gone ? store.remove(identity, projected?.object) : store.put(scope.scope, identity, projected.object));
  position.at = identity.resourceVersion;
}

/** What is kept of an object; undefined when it cannot be made sense of. */
function project<T extends KubeObject, P>(scope: Scope<T, P>, item: Stored<T>): { object: P } | undefined {
  const { options } = scope;
  try {
    return { object: options.project(item) };
  } catch (error) {
    const { namespace, name } = item.metadata;
    options.log.error({ err: error, kind: options.kind.kind, namespace, name }, 'an object is left out of a watch');
    return undefined;
  }
}

function identityOf<T extends KubeObject>(object: Stored<T>): Identity {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return { namespace, name, uid, resourceVersion };
}
