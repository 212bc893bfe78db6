/**
 * One pass over one ModelDeployment: observe, plan, execute, one status write, then the events. What went wrong is fed
 * back only through the next observation.
 */

import { asMaasError } from '../contracts/errors.ts';
import type { Holds } from '../contracts/holds.ts';
import type { ResourceEntry } from '../contracts/resource-entry.ts';
import type { ModelDeploymentStatus } from '../contracts/resource-status.ts';
import type { OperatorSettings } from '../contracts/settings.ts';
import { sameJson } from '../kernel/canonical-json.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Observation, Problem } from '../plan/observation.ts';
import { type Plan, plan } from '../plan/plan.ts';
import { lookAgainMs } from './look-again.ts';
import { observe, type Senses } from './observe.ts';
import type { Cluster } from './ports.ts';

/** When to look again: with the queue's back-off after a failure, after a time, or when something changes. */
export type Outcome =
  | { readonly kind: 'done'; readonly againMs?: number }
  | { readonly kind: 'failed'; readonly error: unknown };

interface Memory {
  refusals: Pick<Observation, 'refusal' | 'unprotected'>;
  /** The status last written and the state of the resource that it was written over. */
  written?: { readonly status: ModelDeploymentStatus; readonly over: string };
  /** From when on it may be written again; monotonic. */
  statusFrom: number;
  /** From when on it is worth saying that nobody knows what clients see; monotonic. */
  readonly unknownFrom: number;
}

/** At most one status write a second for a resource. */
const statusEveryMs = 1_000;
/** So long a status that would say no more than that its payload is looked for waits for what is found: mostly at once. */
const firstStatusMs = 500;
/** An operator that has just started has read what clients see in much less than this. */
const firstReadMs = 3_000;

/** What is done elsewhere than in the cluster, for the resource with this UID. */
export interface Deeds {
  /** Begins to copy the payload, in the background. */
  copyPayload(uid: string): void;
  /** Tells its agents which versions are held. @throws MaasError of ZooKeeper */
  publish(uid: string, holds: Holds): Promise<void>;
}

export class Reconciler {
  readonly #senses: Senses;
  readonly #cluster: Cluster;
  readonly #deeds: Deeds;
  readonly #settings: OperatorSettings & { clusterId: string };
  readonly #clock: Clock;
  readonly #memory = new Map<string, Memory>();

  constructor(
    senses: Senses,
    cluster: Cluster,
    deeds: Deeds,
    settings: OperatorSettings & { clusterId: string },
    clock: Clock,
  ) {
    this.#senses = senses;
    this.#cluster = cluster;
    this.#deeds = deeds;
    this.#settings = settings;
    this.#clock = clock;
  }

  forget(uid: string): void {
    this.#memory.delete(uid);
  }

  async reconcile(entry: ResourceEntry, log: Log): Promise<Outcome> {
    const { uid, resourceVersion } = entry.resource.metadata;
    if (entry.resource.metadata.deletionTimestamp !== undefined) return { kind: 'done' };
    let memory = this.#memory.get(uid);
    if (memory === undefined) {
      const isUnseen = entry.resource.status.conditions === undefined;
      const now = this.#clock.monotonic();
      memory = isUnseen
        ? { refusals: {}, statusFrom: now + firstStatusMs, unknownFrom: Number.NEGATIVE_INFINITY }
        : { refusals: {}, statusFrom: now, unknownFrom: now + firstReadMs };
      this.#memory.set(uid, memory);
    }
    const written = memory.written?.over === resourceVersion ? memory.written.status : undefined;
    const observation = observe(entry, this.#senses, this.#clock.now(), written, memory.refusals);
    const wanted = plan(observation, this.#settings);

    const refused = await this.#execute(entry, wanted, log);
    const unprotected = refused === undefined ? await this.#protect(wanted, log) : undefined;
    memory.refusals = { ...problem('refusal', refused), ...problem('unprotected', unprotected) };
    const error = refused ?? unprotected;

    const saysMore = entry.invalid !== undefined || observation.payload.state !== 'pending';
    if (saysMore && memory.written === undefined) {
      // Every restart would else be told as a failure of ZooKeeper.
      const isKnown = observation.registrations.known || entry.invalid !== undefined;
      memory.statusFrom = isKnown ? Number.NEGATIVE_INFINITY : memory.unknownFrom;
    }
    const statusMs = await this.#writeStatus(entry, observation.resource.status, wanted, memory, log);
    if (error !== undefined) return { kind: 'failed', error };
    const againMs = lookAgainMs({ awaits: wanted.awaits, statusMs });
    return againMs === Number.POSITIVE_INFINITY ? { kind: 'done' } : { kind: 'done', againMs };
  }

  async #execute(entry: ResourceEntry, wanted: Plan, log: Log): Promise<unknown> {
    const { namespace, uid } = entry.resource.metadata;
    try {
      if (wanted.copyPayload) this.#deeds.copyPayload(uid);
      if (wanted.publish !== undefined) await this.#deeds.publish(uid, wanted.publish);
      await this.#apply(wanted.apply, log);
      for (const child of wanted.remove) {
        log.info({ kind: child.kind, name: child.name, uid: child.uid, why: child.why }, 'delete');
        await this.#cluster.remove({ ...child, namespace });
      }
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async #protect({ protect }: Plan, log: Log): Promise<unknown> {
    try {
      await this.#apply(protect, log);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async #apply(children: Plan['protect'], log: Log): Promise<void> {
    for (const { manifest, why } of children) {
      log.info({ kind: manifest.kind, name: manifest.metadata.name, why }, 'apply');
      await this.#cluster.apply(manifest);
    }
  }

  /** Milliseconds to wait where the status was written too short a time ago, else undefined. */
  async #writeStatus(
    entry: ResourceEntry,
    present: ModelDeploymentStatus,
    wanted: Plan,
    memory: Memory,
    log: Log,
  ): Promise<number | undefined> {
    if (sameJson(present, wanted.status)) return undefined;
    const now = this.#clock.monotonic();
    const wait = memory.statusFrom - now;
    if (wait > 0) return wait;
    await this.#cluster.writeStatus(entry.resource, wanted.status);
    memory.written = { status: wanted.status, over: entry.resource.metadata.resourceVersion };
    memory.statusFrom = now + statusEveryMs;
    const ready = wanted.status.conditions?.find((condition) => condition.type === 'Ready');
    log.info({ ready: ready?.status, reason: ready?.reason, registered: wanted.status.registered }, 'status');
    for (const event of wanted.events) this.#cluster.event(entry.resource, event);
    return undefined;
  }
}

function problem<Key extends string>(key: Key, error: unknown): { readonly [key in Key]?: Problem } {
  if (error === undefined) return {};
  const { code, message, next } = asMaasError(error);
  return { [key]: { code, message, next } } as { readonly [key in Key]: Problem };
}
