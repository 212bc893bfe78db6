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
import { pause } from '../../kernel/pause.ts';
import { type ApiStatus, apiStatusOf } from './api-status.ts';
import { isExpired } from './list-pages.ts';
import type { KubeObject } from './resource-kind.ts';
import {
  type Position,
  relist,
  type Scope,
  stream,
  type WatchCounters,
  type WatchOptions,
  type WatchTimes,
} from './watch-scope.ts';
import { type Change, type Store, WatchStore } from './watch-store.ts';

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

function followScope<T extends KubeObject, P>(scope: Scope<T, P>): { synced: Promise<void>; ended: Promise<void> } {
  const { promise: synced, resolve, reject } = Promise.withResolvers<void>();
  const ended = new Supervisor(scope, resolve)
    .run()
    .finally(() => reject(new Error('the watch was stopped before its first list')));
  synced.catch(() => {});
  return { synced, ended };
}

/** Lists and streams one scope, turn by turn, and decides after each when and with what the next begins. */
class Supervisor<T extends KubeObject, P> {
  readonly #scope: Scope<T, P>;
  readonly #onSynced: () => void;
  readonly #times: WatchTimes;
  readonly #random: () => number;
  readonly #position: { at: Position } = { at: undefined };
  /** In a row. */
  #failures = 0;
  /** The same, for want of a permission. */
  #refusals = 0;
  #streams = 0;
  #listed = false;
  #access: 'unknown' | 'given' | 'refused' = 'unknown';

  constructor(scope: Scope<T, P>, onSynced: () => void) {
    this.#scope = scope;
    this.#onSynced = onSynced;
    this.#times = { ...defaultTimes, ...scope.options.times };
    this.#random = scope.options.random ?? Math.random;
  }

  async run(): Promise<void> {
    const { options, signal } = this.#scope;
    const { clock } = options;
    while (!signal.aborted) {
      const started = clock.monotonic();
      let waitMs: number;
      try {
        await this.#turn();
        // An orderly end. One that comes at once, again and again, is a failure with another face.
        this.#failures = clock.monotonic() - started < this.#times.backoffMs ? this.#failures + 1 : 0;
        waitMs = this.#backOffMs();
      } catch (error) {
        if (signal.aborted) return;
        waitMs = this.#failed(error, clock.monotonic() - started);
      }
      if (waitMs > 0) await pause(clock, waitMs, signal);
    }
  }

  /** A list where the stream could not go on, and a stream until its end. */
  async #turn(): Promise<void> {
    const { options, namespace, counters } = this.#scope;
    if (this.#position.at === undefined) {
      this.#position.at = await relist(this.#scope);
      if (this.#listed) counters.relists++;
      this.#listed = true;
      this.#refusals = 0;
      if (this.#access !== 'given') options.onAccess?.(namespace, undefined);
      this.#access = 'given';
      this.#onSynced();
    }
    if (this.#streams++ > 0) counters.restarts++;
    await stream(this.#scope, this.#position, this.#times, this.#random);
  }

  /** How long to wait after a turn that failed and had lasted so long. */
  #failed(error: unknown, lastedMs: number): number {
    const { options, namespace, counters } = this.#scope;
    const { kind, log } = options;
    counters.failures++;
    this.#failures = lastedMs >= this.#times.settledMs ? 1 : this.#failures + 1;
    this.#believe(error);
    const fields = { kind: kind.kind, namespace };
    if (isExpired(error)) {
      log.debug(fields, 'the resourceVersion of a watch expired, its objects are listed again');
      this.#position.at = undefined;
      // The usual reason is a pause of ours, and a list is what helps: no need to wait for the first one.
      return this.#failures === 1 ? 0 : this.#backOffMs();
    }
    options.onStream?.(error);
    const status = apiStatusOf(error);
    const report = this.#access === 'refused' && this.#refusals > believedRefusals ? log.debug : log.warn;
    report.call(log, { ...fields, err: error, failures: this.#failures }, 'a watch failed and is started again');
    if (this.#access === 'refused' || this.#failures % patienceWith(status) === 0) this.#position.at = undefined;
    return Math.max(Math.min(status?.retryAfterMs ?? 0, this.#times.longestBackoffMs), this.#backOffMs());
  }

  /** One refusal may be a permission that is on its way; several are told. */
  #believe(error: unknown): void {
    const { options, namespace } = this.#scope;
    this.#refusals = hasCode(error, 'CLUSTER_FORBIDDEN') ? this.#refusals + 1 : 0;
    if (this.#refusals < believedRefusals || this.#access === 'refused') return;
    this.#access = 'refused';
    options.onAccess?.(namespace, error);
    // Whoever listens can go on with the other namespaces; in the whole cluster there are none.
    if (namespace !== undefined && options.onAccess !== undefined) this.#onSynced();
  }

  #backOffMs(): number {
    if (this.#failures === 0) return 0;
    const { backoffMs: firstMs, longestBackoffMs: longestMs } = this.#times;
    return backOffMs({ firstMs, longestMs }, this.#failures - 1, this.#random);
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
