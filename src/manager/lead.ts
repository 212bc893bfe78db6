/** What one replica does, for as long as it has the Lease. */
import { concernsAnnotation, encodeConcerns } from '../contracts/concern.ts';
import { Controller } from '../operator/controller.ts';
import { OperatorPresence } from '../operator/presence.ts';
import { StoreSweeper } from '../operator/store-sweeper.ts';
import { Sweeper } from '../operator/sweeper.ts';
import type { Followed } from './follow.ts';
import type { OperatorWorld } from './ports.ts';

/**
 * What is begun here ends with `life`: first the decisions, then the Lease is given back, so that another acts while the
 * rest is put away.
 *
 * @throws LEASE_LOST; the signal's reason where it fires before this process leads
 */
export async function lead(
  world: OperatorWorld,
  followed: Followed,
  stopping: AbortSignal,
  life: AsyncDisposableStack,
): Promise<void> {
  const { leadership, log } = world;
  const { concerns, inStep } = followed;
  const lease = await world.acquire(() => ({ [concernsAnnotation]: encodeConcerns(concerns.list()) }), stopping);
  leadership.begin(lease);
  life.defer(() => lease.release());
  concerns.repeat();
  log.info({}, 'this process is the leader');
  const ended = AbortSignal.any([stopping, leadership.lost]);
  // A plan is made from all watches together: none is made before all are in step.
  await Promise.race([inStep, aborted(ended)]);
  if (!ended.aborted) await work(world, followed, ended, life);
  leadership.lost.throwIfAborted();
}

/** Until told to end. */
async function work(
  world: OperatorWorld,
  { queue, concerns, served, registrations, modes, holds, requests }: Followed,
  ended: AbortSignal,
  life: AsyncDisposableStack,
): Promise<void> {
  const { settings, self, stores, zookeeper, cluster, payloads, leadership, metrics, clock, log } = world;
  const { clusterId, namespaces, legacy } = settings;
  const { operatorRoot, sessionTimeoutMs, configPath } = settings.zookeeper;

  const controller = new Controller({ ...world, registrations, modes, holds, served, queue });
  queue.start((uid) => controller.process(uid));
  life.defer(() => queue.stop());
  life.defer(() => controller.stop());

  const presence = new OperatorPresence({
    zookeeper,
    operatorRoot,
    sessionTimeoutMs,
    self: { ...self, clusterId, namespaces, ...(legacy.queue.enabled ? { queue: configPath } : {}) },
    clock,
    tell: (all, yieldsModes) => {
      concerns.set('neighbours', all);
      modes.yield(yieldsModes);
    },
    log,
  });
  const sweeper = new Sweeper({
    zookeeper,
    operatorRoot,
    clusterId,
    serviceRoot: () => registrations.serviceRoot(),
    mode: (model) => modes.of(model).mode,
    may: (namespace) => served.inStep(namespace) && presence.maySweep(namespace),
    pods: stores.pods,
    cluster,
    metrics,
    log,
  });
  const storeSweeper = new StoreSweeper({
    payloads,
    pins: stores.pins,
    // The empty name has the mode of all models that have none of their own.
    // And the pins of a namespace that cannot be looked at name copies too.
    may: () => leadership.holds() && modes.of('').mode !== 'observe' && served.allInStep() && presence.maySweepStore(),
    removeAfterMs: settings.payloadStore.removeAfterMs,
    log,
  });
  await Promise.all([
    presence.run(ended),
    modes.run(clock, ended),
    sweeper.run(clock, ended),
    storeSweeper.run(clock, ended),
    holds.sweepForEver(
      (uid, namespace) =>
        stores.resources.byUid(uid) === undefined && served.inStep(namespace) && presence.maySweep(namespace),
      clock,
      ended,
    ),
    requests?.run(ended),
  ]);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
