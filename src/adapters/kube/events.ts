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
import { oneLine } from '../../kernel/shown-text.ts';
import type { CallOptions } from './api-calls.ts';
import { apiStatusOf } from './api-status.ts';
import type { WriteOptions } from './client.ts';
import { type Event, events, type ObjectName, type ResourceKind, type Stored } from './resource-kind.ts';

/** What the recorder needs of the client: permission to create and patch events. */
export interface EventClient {
  create(kind: ResourceKind<Event>, object: Event, options?: WriteOptions): Promise<Stored<Event>>;
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
  readonly namespace?: string | undefined;
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
  readonly action?: string;
}

export interface EventRecorderOptions {
  readonly client: EventClient;
  readonly clock: Clock;
  readonly log: { debug(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Who reports: the program, and which copy of it. */
  readonly component: string;
  readonly instance: string;
  /** Makes the end of an event's name: lower case, different each time. */
  readonly newId: () => string;
  /** Repetitions further apart are events of their own. Default 10 min. */
  readonly windowMs?: number;
  /** Writes that one object may cause in a row (default 25), and the time after which it may cause one more (30 s). */
  readonly burst?: number;
  readonly refillMs?: number;
}

export interface EventCounters {
  /** Creations and updates that succeeded. */
  readonly written: number;
  /** Repetitions that were only counted. */
  readonly merged: number;
  /** Events that nobody will see: over the limit of their object, or too many at once. */
  readonly dropped: number;
  /** Writes that the API server did not take. */
  readonly failed: number;
}

export interface EventRecorder {
  record(regarding: Regarding, event: EventText): void;
  counters(): EventCounters;
  /** Writes what is pending, as far as the time allows; records nothing more. */
  stop(deadlineMs?: number): Promise<void>;
}

interface Series {
  readonly key: string;
  readonly name: string;
  readonly regarding: Regarding;
  readonly text: EventText;
  readonly first: number;
  last: number;
  lastMonotonic: number;
  count: number;
  /** Does the server have it? */
  stored: boolean;
  pending: boolean;
}

interface Allowance {
  tokens: number;
  since: number;
}

const longestMessage = 1_024;
/** Series and allowances that are remembered, and writes that may be pending. */
const remembered = 4_096;
const longestQueue = 1_000;
const writeAttempts = 3;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #allowances = new Map<string, Allowance>();
  readonly #queue: Series[] = [];
  readonly #stopping = new AbortController();
  readonly #counters = { written: 0, merged: 0, dropped: 0, failed: 0 };
  #closed = false;
  #writing: Promise<void> | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  counters(): EventCounters {
    return { ...this.#counters };
  }

  record(regarding: Regarding, event: EventText): void {
    if (this.#closed) return;
    const { clock, windowMs = 600_000 } = this.#options;
    const text = { ...event, message: oneLine(event.message, longestMessage) };
    const key = JSON.stringify([regarding.uid, text.type, text.reason, text.message]);
    const known = this.#series.get(key);
    if (known !== undefined && clock.monotonic() - known.lastMonotonic < windowMs) {
      known.count++;
      known.last = clock.now();
      known.lastMonotonic = clock.monotonic();
      remember(this.#series, key, known);
      // What is not written now is in the count of the next repetition that is.
      if (known.pending || !this.#allow(regarding.uid)) this.#counters.merged++;
      else this.#enqueue(known);
      return;
    }
    if (!this.#allow(regarding.uid)) {
      this.#counters.dropped++;
      return;
    }
    const series: Series = {
      key,
      name: `${nameStart(regarding.name)}.${this.#options.newId()}`,
      regarding,
      text,
      first: clock.now(),
      last: clock.now(),
      lastMonotonic: clock.monotonic(),
      count: 1,
      stored: false,
      pending: false,
    };
    remember(this.#series, key, series);
    this.#enqueue(series);
  }

  async stop(deadlineMs = 2_000): Promise<void> {
    this.#closed = true;
    const late = new AbortController();
    await Promise.race([this.#writing, this.#options.clock.sleep(deadlineMs, late.signal).catch(() => {})]);
    late.abort();
    this.#stopping.abort();
    await this.#writing;
  }

  #allow(uid: string): boolean {
    const { clock, burst = 25, refillMs = 30_000 } = this.#options;
    const now = clock.monotonic();
    const allowance = this.#allowances.get(uid) ?? { tokens: burst, since: now };
    const refills = Math.floor((now - allowance.since) / refillMs);
    allowance.tokens = Math.min(burst, allowance.tokens + refills);
    allowance.since += refills * refillMs;
    remember(this.#allowances, uid, allowance);
    if (allowance.tokens < 1) return false;
    allowance.tokens--;
    return true;
  }

  #enqueue(series: Series): void {
    if (this.#queue.length >= longestQueue) {
      this.#counters.dropped++;
      return;
    }
    series.pending = true;
    this.#queue.push(series);
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** One write at a time: events never compete with the reconcilers for the API server. */
  async #write(): Promise<void> {
    // After the caller: repetitions that it records in the same breath are in the count already.
    await Promise.resolve();
    for (let series = this.#queue.shift(); series !== undefined; series = this.#queue.shift()) {
      series.pending = false;
      if (this.#stopping.signal.aborted) this.#counters.dropped++;
      else await this.#writeOne(series);
    }
  }

  async #writeOne(series: Series): Promise<void> {
    const { clock, log } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#store(series);
        this.#counters.written++;
        return;
      } catch (error) {
        const again = hasCode(error, 'CLUSTER_UNREACHABLE', 'CLUSTER_UNAVAILABLE') && attempt < writeAttempts;
        if (!again || this.#stopping.signal.aborted) {
          this.#counters.failed++;
          if (!series.stored) this.#series.delete(series.key);
          // A namespace that is going away takes no more events, and needs none.
          const ending = hasCode(error, 'CLUSTER_NOT_FOUND') || /because it is being terminated/.test(String(error));
          const { name, namespace } = series.regarding;
          const fields = { err: error, name, namespace, reason: series.text.reason };
          if (ending) log.debug(fields, 'an event came too late');
          else log.warn(fields, 'an event could not be written');
          return;
        }
        await clock.sleep(500 * attempt, this.#stopping.signal).catch(() => {});
      }
    }
  }

  async #store(series: Series): Promise<void> {
    const { client } = this.#options;
    const call: CallOptions = { deadlineMs: 5_000, signal: this.#stopping.signal };
    if (series.stored) {
      const name = { namespace: namespaceOf(series.regarding), name: series.name };
      const seen = { count: series.count, lastTimestamp: wholeSeconds(series.last) };
      try {
        await client.mergePatch(events, name, seen, call);
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
    const namespace = namespaceOf(regarding);
    return {
      metadata: { namespace, name },
      involvedObject: {
        apiVersion: regarding.apiVersion,
        kind: regarding.kind,
        name: regarding.name,
        uid: regarding.uid,
        ...(regarding.namespace === undefined ? {} : { namespace: regarding.namespace }),
      },
      type: text.type,
      reason: text.reason,
      message: text.message,
      ...(text.action === undefined ? {} : { action: text.action }),
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

/** Events about cluster-wide objects are in the default namespace. */
function namespaceOf(regarding: Regarding): string {
  return regarding.namespace ?? 'default';
}

/** The start of a DNS name; the id after it stays within the limit of 253 characters. */
function nameStart(name: string): string {
  return name.slice(0, 200).replace(/[^a-z0-9]+$/, '');
}

function wholeSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
