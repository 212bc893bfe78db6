/**
 * Leader election with a coordination.k8s.io Lease: among several replicas one acts.
 *
 * All decisions are made on the monotonic clock; the times in the Lease are for people. A candidate takes a lease over
 * when it has seen no renewal for the lease's whole duration. The leader counts from before it sent its last successful
 * renewal and gives up at the renewal deadline, which is shorter: so it has stopped being the leader before anyone
 * else can become it, by the difference of the two (5 s by default), as long as its own process runs. A process that
 * was paused finds out in `holds()`, which is to be asked before each destructive write. What no election can help
 * against is somebody who deletes the Lease: for up to one retry two may lead then, and the preconditions of their
 * writes are what is left.
 */

import { hasCode, MaasError } from '../../contracts/errors.ts';
import type { Clock } from '../../kernel/clock.ts';
import { pause } from '../../kernel/pause.ts';
import type { CallOptions } from './api-calls.ts';
import type { PatchOptions, WriteOptions } from './client.ts';
import { type Lease, leases, type ObjectName, type ResourceKind, type Stored } from './resource-kind.ts';

/** What the election needs of the client: permission to get, create and patch leases. */
export interface LeaseClient {
  get(kind: ResourceKind<Lease>, object: ObjectName, options?: CallOptions): Promise<Stored<Lease> | undefined>;
  create(kind: ResourceKind<Lease>, object: Lease, options?: WriteOptions): Promise<Stored<Lease>>;
  mergePatch(
    kind: ResourceKind<Lease>,
    object: ObjectName,
    patch: Readonly<Record<string, unknown>>,
    options?: PatchOptions,
  ): Promise<Stored<Lease>>;
}

export interface LeaseOptions {
  readonly client: LeaseClient;
  readonly namespace: string;
  readonly name: string;
  /** Differs between any two processes, restarts of one pod included. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Annotations that the leader's Lease is to have, asked for at each renewal. */
  readonly annotations?: () => Readonly<Record<string, string>>;
  readonly random?: () => number;
  /** Without a renewal for so long others may take over. Default 15 s, whole seconds. */
  readonly durationMs?: number;
  /** Without a successful renewal for so long the leader gives up. Default 10 s. */
  readonly renewDeadlineMs?: number;
  /** Between two attempts of a leader or a candidate. Default 2 s. */
  readonly retryMs?: number;
}

export interface Leadership {
  /** Of the Lease. */
  readonly uid: string;
  /** Is it certain that nobody else acts? Asked before each destructive write. */
  holds(): boolean;
  /** Fires when the lease was lost, with a LEASE_LOST as its reason; the process should end. Not after `release`. */
  readonly lost: AbortSignal;
  /** Gives the lease back, so that another acts within seconds. Only when everything that writes has ended. */
  release(): Promise<void>;
}

/**
 * Waits until the lease is ours; failures of the API server are logged and waited out.
 * @throws the signal's reason when it fires before
 */
export async function acquireLease(options: LeaseOptions, signal: AbortSignal): Promise<Leadership> {
  const settings = withDefaults(options);
  const { clock, log, identity, retryMs } = settings;
  let seen: Seen | undefined;
  for (;;) {
    signal.throwIfAborted();
    let waitMs = retryMs * (0.8 + settings.random() / 5);
    const started = clock.monotonic();
    try {
      const known = await settings.client.get(leases, settings.object, attemptOptions(settings, signal));
      const holder = known?.spec?.holderIdentity ?? '';
      if (known !== undefined) seen = look(settings, known, seen);
      const left = seen === undefined ? 0 : seen.expires - clock.monotonic();
      if (known === undefined || holder === '' || holder === identity || left <= 0) {
        const since = clock.monotonic();
        const taken = await take(settings, known, signal);
        log.info({ identity, before: holder }, 'this replica leads');
        return lead(settings, taken, since);
      }
      // Not a retry later than possible: the takeover has a bound.
      waitMs = Math.min(waitMs, left);
    } catch (error) {
      signal.throwIfAborted();
      // A conflict means that another candidate was faster.
      if (!hasCode(error, 'CONFLICT')) log.warn({ err: error }, 'the lease could not be read or taken');
    }
    await pause(clock, Math.max(1, waitMs - (clock.monotonic() - started)), signal);
  }
}

/** What a candidate has seen of a Lease, and when it counts as given up if nothing more is seen. */
interface Seen {
  readonly record: string;
  /** On the monotonic clock. */
  readonly expires: number;
}

function look({ clock, log, identity, durationMs }: Settings, known: Stored<Lease>, before: Seen | undefined): Seen {
  const record = recordOf(known);
  if (before?.record === record) return before;
  const { holderIdentity: holder = '', leaseDurationSeconds = 0 } = known.spec ?? {};
  if (holder !== '' && holder !== identity) log.info({ holder }, 'another replica leads');
  return { record, expires: clock.monotonic() + (leaseDurationSeconds * 1_000 || durationMs) };
}

interface Settings extends Required<LeaseOptions> {
  readonly object: { readonly namespace: string; readonly name: string };
}

function withDefaults(options: LeaseOptions): Settings {
  const settings = {
    random: Math.random,
    annotations: () => ({}),
    durationMs: 15_000,
    renewDeadlineMs: 10_000,
    retryMs: 2_000,
    ...options,
  };
  const { durationMs, renewDeadlineMs, retryMs } = settings;
  if (!(retryMs < renewDeadlineMs && renewDeadlineMs < durationMs) || durationMs % 1_000 !== 0) {
    throw new TypeError('a lease needs retry < renew deadline < duration, and a duration of whole seconds');
  }
  return { ...settings, object: { namespace: options.namespace, name: options.name } };
}

/** An attempt may not use up the time for the next one. */
function attemptOptions(settings: Settings, signal?: AbortSignal): CallOptions {
  return { deadlineMs: Math.min(5_000, Math.floor(settings.renewDeadlineMs / 3)), signal };
}

/** Changes with every renewal and every holder. */
function recordOf(lease: Stored<Lease>): string {
  const { holderIdentity, renewTime, acquireTime, leaseTransitions, leaseDurationSeconds } = lease.spec ?? {};
  return JSON.stringify([
    lease.metadata.uid,
    holderIdentity,
    renewTime,
    acquireTime,
    leaseTransitions,
    leaseDurationSeconds,
  ]);
}

async function take(settings: Settings, known: Stored<Lease> | undefined, signal: AbortSignal): Promise<Stored<Lease>> {
  const time = microTime(settings.clock.now());
  const spec = {
    holderIdentity: settings.identity,
    leaseDurationSeconds: settings.durationMs / 1_000,
    acquireTime: time,
    renewTime: time,
    leaseTransitions: known === undefined ? 0 : (known.spec?.leaseTransitions ?? 0) + 1,
  };
  const annotations = settings.annotations();
  if (known === undefined) {
    const metadata = { ...settings.object, annotations };
    return settings.client.create(leases, { metadata, spec }, attemptOptions(settings, signal));
  }
  const { uid, resourceVersion } = known.metadata;
  return settings.client.mergePatch(
    leases,
    settings.object,
    { metadata: { annotations }, spec },
    { ...attemptOptions(settings, signal), uid, resourceVersion },
  );
}

/** Renews until the lease is lost or released. `since` is from before the successful attempt was sent. */
function lead(settings: Settings, taken: Stored<Lease>, since: number): Leadership {
  const { clock, client, log, identity, object } = settings;
  const lost = new AbortController();
  const ending = new AbortController();
  let current = taken;
  let renewed = since;
  let released = false;

  const certain = (): boolean => clock.monotonic() < renewed + settings.renewDeadlineMs;
  const lose = (why: string, cause?: unknown): void => {
    if (released || lost.signal.aborted) return;
    lost.abort(new MaasError('LEASE_LOST', `the lease ${object.namespace}/${object.name} was lost: ${why}`, { cause }));
    ending.abort();
  };

  /** Writes a renewal. @throws when that did not work, the lease may be ours all the same */
  const renew = async (): Promise<void> => {
    const sent = clock.monotonic();
    const { uid, resourceVersion } = current.metadata;
    const patch = {
      metadata: { annotations: settings.annotations() },
      spec: { holderIdentity: identity, renewTime: microTime(clock.now()) },
    };
    current = await client.mergePatch(leases, object, patch, { ...attemptOptions(settings), uid, resourceVersion });
    renewed = sent;
  };

  /** After a conflict: another holder, or an annotation, or an attempt of ours whose answer got lost. */
  const reread = async (): Promise<void> => {
    const known = await client.get(leases, object, attemptOptions(settings));
    if (known === undefined || known.metadata.uid !== current.metadata.uid) return lose('somebody deleted it');
    const holder = known.spec?.holderIdentity ?? '';
    if (holder !== identity) return lose(`${holder === '' ? 'nobody' : holder} holds it`);
    current = known;
    await renew();
  };

  const attempt = async (): Promise<void> => {
    try {
      await renew().catch((error: unknown) => {
        if (!hasCode(error, 'CONFLICT')) throw error;
        return reread();
      });
    } catch (error) {
      if (hasCode(error, 'CLUSTER_NOT_FOUND')) lose('somebody deleted it', error);
      else log.warn({ err: error }, 'the lease could not be renewed');
    }
  };

  const renewing = (async () => {
    let waitMs = settings.retryMs;
    while (!ending.signal.aborted) {
      await pause(clock, waitMs, ending.signal);
      if (ending.signal.aborted) return;
      const started = clock.monotonic();
      await attempt();
      // An attempt that took long was waiting enough, but a server in trouble is not hammered.
      waitMs = Math.max(settings.retryMs / 4, settings.retryMs - (clock.monotonic() - started));
    }
  })();

  // Beside the renewals, because one of them may hang.
  const watching = (async () => {
    while (!ending.signal.aborted) {
      if (!certain()) return lose(`no renewal succeeded within ${settings.renewDeadlineMs} ms`);
      await clock
        .sleep(Math.max(1, renewed + settings.renewDeadlineMs - clock.monotonic()), ending.signal)
        .catch(() => {});
    }
  })();

  return {
    uid: taken.metadata.uid,
    holds: () => !released && !lost.signal.aborted && certain(),
    lost: lost.signal,
    async release() {
      if (released) return;
      released = true;
      ending.abort();
      await Promise.all([renewing, watching]);
      if (lost.signal.aborted) return;
      const { uid, resourceVersion } = current.metadata;
      const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(clock.now()) };
      try {
        await client.mergePatch(leases, object, { spec }, { deadlineMs: 2_000, uid, resourceVersion });
      } catch (error) {
        log.warn({ err: error }, 'the lease could not be given back, others wait for it to expire');
      }
    },
  };
}

/** RFC 3339 with the six digits that the API wants. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
