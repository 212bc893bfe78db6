/** One scope of a watch, a namespace or the whole cluster: its list, and its stream of changes. */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { bodyBytes, bodyStart } from '../http/body.ts';
import { field } from '../json-field.ts';
import { type Attempt, apiStatusOf, readStatus, refusalOf, statusOf, unreachable } from './api-status.ts';
import type { KubeClient } from './client.ts';
import { jsonLines } from './json-lines.ts';
import { collectionPath, type KubeObject, type ResourceKind, type Stored } from './resource-kind.ts';
import { isStored } from './stored-object.ts';
import type { Change, Identity, WatchStore } from './watch-store.ts';

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
  /** Told with nothing when a stream is open, and with each failure of a list or a stream. */
  readonly onStream?: (failure: unknown) => void;
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

const headersDeadlineMs = 15_000;
const maxRefusalBytes = 1024 * 1024;

export interface Scope<T extends KubeObject, P> {
  readonly options: WatchOptions<T, P>;
  readonly namespace: string | undefined;
  readonly scope: number;
  readonly store: WatchStore<P>;
  readonly counters: { -readonly [Name in keyof WatchCounters]: number };
  readonly tell: (changes: readonly Change<P>[]) => void;
  readonly signal: AbortSignal;
}

/** Where a stream may go on; undefined when only a new list helps. */
export type Position = string | undefined;

/** Reads the whole collection, then tells the differences. Returns the resourceVersion to watch from. */
export async function relist<T extends KubeObject, P>(scope: Scope<T, P>): Promise<string> {
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
export async function stream<T extends KubeObject, P>(
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
    options.onStream?.(undefined);
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
