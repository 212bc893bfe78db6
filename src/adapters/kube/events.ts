/**
 * Writes events about objects, for `kubectl describe` and `kubectl get events`.
 *
 * They are core v1 events, because those carry the count and the last time in the fields that all tools sort and show.
 * The same reason and message about the same object within the window is one event whose count grows. An object may
 * cause so many writes in a row and then one every while; what is over that is counted, not written. Nothing here ever
 * throws or makes a reconciler wait: a lost event is a pity, not a failure.
 */

import { hasCode } from '../../contracts/errors.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { oneLine } from '../../kernel/shown-text.ts';
import type { CallOptions } from './api-calls.ts';
import { apiStatusOf } from './api-status.ts';
import { type Event, events, type ObjectName, type ResourceKind, type Stored } from './resource-kind.ts';

/** What the recorder needs of the client: permission to create and patch events. */
export interface EventClient {
  create(kind: ResourceKind<Event>, object: Event, options?: CallOptions): Promise<Stored<Event>>;
  mergePatch(
    kind: ResourceKind<Event>,
    object: ObjectName,
    patch: Readonly<Record<string, unknown>>,
    options?: CallOptions,
  ): Promise<Stored<Event>>;
}

/** The object that an event is about. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** Upper camel case, one word for machines. */
  readonly reason: string;
  /** For people; it becomes one line, control characters are escaped, and it is cut at 1024 characters. */
  readonly message: string;
  /** What was done, upper camel case. */
  readonly action: string;
}

export interface EventRecorderOptions {
  readonly client: EventClient;
  readonly clock: Clock;
  readonly log: Pick<Log, 'debug' | 'warn'>;
  /** Who reports: the program, and which copy of it. */
  readonly component: string;
  readonly instance: string;
  /** Makes the end of an event's name: lower case, different each time. */
  readonly newId: () => string;
}

interface Series {
  readonly key: string;
  readonly name: string;
  readonly regarding: Regarding;
  readonly text: EventText;
  readonly first: number;
  last: number;
  /** The same on the monotonic clock. */
  seen: number;
  count: number;
  /** Does the server have it? */
  stored: boolean;
}

/** Repetitions further apart are events of their own. */
const windowMs = 600_000;
/** Writes that one object may cause in a row, and the time after which it may cause one more. */
const burst = 25;
const refillMs = 30_000;
const longestMessage = 1_024;
/** Series and objects that are remembered, and writes that may be pending. */
const remembered = 4_096;
const longestQueue = 1_000;
const writeAttempts = 3;
/** For what is pending at the end. */
const stopMs = 2_000;

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  /** Of each object when all writes that it caused will have been allowed for, on the monotonic clock. */
  readonly #spentUntil = new Map<string, number>();
  /** In their order. */
  readonly #pending = new Set<Series>();
  readonly #stopping = new AbortController();
  #closed = false;
  #writing: Promise<void> | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  record(regarding: Regarding, event: EventText): void {
    if (this.#closed) return;
    const { clock, newId } = this.#options;
    const text = { ...event, message: oneLine(event.message, longestMessage) };
    const key = JSON.stringify([regarding.uid, text.type, text.reason, text.message]);
    const [now, seen] = [clock.now(), clock.monotonic()];
    const known = this.#series.get(key);
    const repeated = known !== undefined && seen - known.seen < windowMs;
    const series: Series = repeated
      ? known
      : {
          key,
          name: nameOf(regarding, newId()),
          regarding,
          text,
          first: now,
          last: now,
          seen,
          count: 0,
          stored: false,
        };
    series.count++;
    series.last = now;
    series.seen = seen;
    // What is not written now is in the count of the next repetition that is.
    const writes = !this.#pending.has(series) && this.#allow(regarding.uid, seen);
    if (repeated || writes) remember(this.#series, key, series);
    if (writes) this.#enqueue(series);
  }

  /** Writes what is pending, as far as the time allows; records nothing more. */
  async stop(): Promise<void> {
    this.#closed = true;
    const late = new AbortController();
    await Promise.race([this.#writing, this.#options.clock.sleep(stopMs, late.signal).catch(() => {})]);
    late.abort();
    this.#stopping.abort();
    await this.#writing;
  }

  #allow(uid: string, now: number): boolean {
    const until = Math.max(now, this.#spentUntil.get(uid) ?? now);
    if (until - now > (burst - 1) * refillMs) return false;
    remember(this.#spentUntil, uid, until + refillMs);
    return true;
  }

  #enqueue(series: Series): void {
    if (this.#pending.size >= longestQueue) return;
    this.#pending.add(series);
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** One write at a time: events never compete with the reconcilers for the API server. */
  async #write(): Promise<void> {
    // After the caller: repetitions that it records in the same breath are in the count already.
    await Promise.resolve();
    for (const series of this.#pending) {
      this.#pending.delete(series);
      if (!this.#stopping.signal.aborted) await this.#writeOne(series);
    }
  }

  async #writeOne(series: Series): Promise<void> {
    const { signal } = this.#stopping;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#store(series);
        return;
      } catch (error) {
        const again = hasCode(error, 'CLUSTER_UNREACHABLE', 'CLUSTER_UNAVAILABLE') && attempt < writeAttempts;
        if (!again || signal.aborted) {
          this.#giveUp(series, error);
          return;
        }
        await this.#options.clock.sleep(500 * attempt, signal).catch(() => {});
      }
    }
  }

  #giveUp({ key, stored, regarding, text }: Series, err: unknown): void {
    const { log } = this.#options;
    if (!stored) this.#series.delete(key);
    const fields = { err, name: regarding.name, namespace: regarding.namespace, reason: text.reason };
    // A namespace that is going away takes no more events, and needs none.
    const ending = hasCode(err, 'CLUSTER_NOT_FOUND') || /because it is being terminated/.test(String(err));
    if (ending) log.debug(fields, 'an event came too late');
    else log.warn(fields, 'an event could not be written');
  }

  async #store(series: Series): Promise<void> {
    const { client } = this.#options;
    const { name, count, regarding } = series;
    const call: CallOptions = { deadlineMs: 5_000, signal: this.#stopping.signal };
    if (series.stored) {
      const seen = { count, lastTimestamp: wholeSeconds(series.last) };
      try {
        await client.mergePatch(events, { namespace: regarding.namespace, name }, seen, call);
        return;
      } catch (error) {
        // Events expire on the server, after an hour by default.
        if (!hasCode(error, 'CLUSTER_NOT_FOUND')) throw error;
      }
    }
    try {
      await client.create(events, this.#eventOf(series), call);
    } catch (error) {
      // An earlier attempt whose answer got lost.
      if (apiStatusOf(error)?.reason !== 'AlreadyExists') throw error;
    }
    series.stored = true;
  }

  #eventOf({ name, regarding, text, first, last, count }: Series): Event {
    const { component, instance } = this.#options;
    return {
      metadata: { namespace: regarding.namespace, name },
      involvedObject: regarding,
      ...text,
      source: { component },
      reportingComponent: component,
      reportingInstance: instance,
      firstTimestamp: wholeSeconds(first),
      lastTimestamp: wholeSeconds(last),
      count,
    };
  }
}

/** Puts a key at the end of a map that forgets its oldest entries. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= remembered) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}

/** The start of a DNS name; the id after it stays within the limit of 253 characters. */
function nameOf({ name }: Regarding, id: string): string {
  return `${name.slice(0, 200).replace(/[^a-z0-9]+$/, '')}.${id}`;
}

function wholeSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
