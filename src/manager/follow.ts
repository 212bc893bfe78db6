/** What every replica does, whether it leads or not: it follows cluster and ZooKeeper, and says how it does. */
import type { Concern } from '../contracts/concern.ts';
import { holdsPath } from '../contracts/holds.ts';
import { type Mode, modesPath } from '../contracts/modes.ts';
import { markersPath } from '../contracts/names.ts';
import { eventOf, reasonOf } from '../contracts/reasons.ts';
import { oldDefaults } from '../deploy-rules/old-words.ts';
import { RequestQueue } from '../legacy/request-queue.ts';
import { Concerns } from '../operator/concerns.ts';
import { HoldFollower } from '../operator/holds.ts';
import { Modes } from '../operator/modes.ts';
import { RegistrationFollower } from '../operator/registrations.ts';
import { ServedNamespaces } from '../operator/served-namespaces.ts';
import { createWorkQueue, type WorkQueue } from '../operator/work-queue.ts';
import { gaugesOf } from './gauges.ts';
import { Keys } from './keys.ts';
import { type OperatorWorld, plannedKinds } from './ports.ts';

export interface Followed {
  /** Not started: what is heard waits there for a leader. */
  readonly queue: WorkQueue;
  readonly concerns: Concerns;
  readonly served: ServedNamespaces;
  readonly registrations: RegistrationFollower;
  readonly modes: Modes;
  readonly holds: HoldFollower;
  /** Not running; undefined where the old queue is not read. */
  readonly requests: RequestQueue | undefined;
  /** All watches have been in step with the cluster. Rejects where they are stopped before. */
  readonly inStep: Promise<unknown>;
}

const workers = 8;

/** What is begun here ends with `life`, the last first. */
export async function follow(world: OperatorWorld, life: AsyncDisposableStack): Promise<Followed> {
  const { settings, self, stores, zookeeper, leadership, metrics, clock, log } = world;
  const { configPath, operatorRoot } = settings.zookeeper;
  const queue = workQueue(world);
  const keys = new Keys(queue, stores.resources);
  const concerns = new Concerns((concern, over) => tellConcern(world, concern, over));
  const served = new ServedNamespaces({
    namespaces: settings.namespaces,
    kinds: plannedKinds,
    operatorNamespace: self.namespace,
    tell: (all) => concerns.set('namespaces', all),
    opened: (namespace) => keys.namespace(namespace),
  });

  const registrations = new RegistrationFollower(
    zookeeper,
    { config: configPath, markers: markersPath(operatorRoot, settings.clusterId) },
    clock,
    log,
    (model) => keys.model(model),
  );
  registrations.start();
  life.defer(() => registrations.stop());

  const modes = modesOf(world, keys);
  modes.start();
  life.defer(() => modes.stop());

  const holds = new HoldFollower({
    zookeeper,
    path: holdsPath(operatorRoot, settings.clusterId),
    leadership,
    changed: (uid) => (uid === undefined ? keys.namespace(undefined) : keys.uid(uid)),
    log,
  });
  holds.start();
  life.defer(() => holds.stop());

  const watches = world.watch({
    resource(change) {
      const model = change.object.resource.spec.name;
      if (change.type !== 'deleted') registrations.follow(model);
      else if (stores.resources.indexed(model).length === 0) registrations.unfollow(model);
      keys.resource(change);
    },
    child: (change) => keys.child(change),
    modes: ({ type, object }) => modes.configured(type === 'deleted' ? undefined : object.text),
    access: (kind, namespace, refusal) => served.watched(kind, namespace, refusal),
  });
  life.defer(async () => {
    await Promise.all(Object.values(watches).map((watch) => watch.stop()));
  });
  const inStep = Promise.all([
    ...Object.values(watches).map((watch) => watch.synced),
    // Where there is no ConfigMap the watch has nothing to tell.
    watches.modes.synced.then(() => {
      if (stores.modes.list().length === 0) modes.configured(undefined);
    }),
  ]);
  // Nobody has to wait for it.
  inStep.catch(() => {});

  const requests = requestsOf(world, modes);
  metrics.show(gaugesOf({ resources: stores.resources, leadership, zookeeper, queue, watches, concerns, requests }));
  const http = await world.serve({
    dead: () => undefined,
    unready: () =>
      Object.values(watches).every((watch) => watch.isSynced())
        ? undefined
        : 'the watches are not in step with the cluster yet',
    metrics: () => metrics.render(),
  });
  life.defer(() => http.close());
  const { clusterId, namespaces } = settings;
  log.info({ port: http.port, clusterId, namespaces }, 'the operator follows the cluster');
  return { queue, concerns, served, registrations, modes, holds, requests, inStep };
}

function workQueue({ stores, metrics, clock, log }: OperatorWorld): WorkQueue {
  return createWorkQueue({
    workers,
    clock,
    hooks: {
      added: () => metrics.added(),
      started: (_key, waitedMs) => metrics.waited(waitedMs / 1_000),
      failed: (uid, error, failures, retryInMs) => {
        metrics.retried();
        const resource = stores.resources.byUid(uid)?.resource.metadata;
        const fields = { err: error, namespace: resource?.namespace, name: resource?.name, failures, retryInMs };
        log.warn(fields, 'a pass failed and is repeated');
      },
    },
  });
}

function tellConcern({ leadership, record, log }: OperatorWorld, concern: Concern, over: boolean): void {
  const { reason, subject, message, next } = concern;
  if (over) log.info({ reason, subject }, 'a concern is over');
  else log.warn({ reason, subject, next }, message);
  const { uid } = leadership;
  if (!leadership.holds() || uid === undefined) return;
  record(
    { kind: 'Lease', uid },
    over
      ? { ...eventOf(reason, `over: ${subject}`, 'Serve'), type: 'Normal' }
      : eventOf(reason, `${message}. ${next}`, 'Serve'),
  );
}

function modesOf({ settings, stores, zookeeper, leadership, record, log }: OperatorWorld, keys: Keys): Modes {
  return new Modes({
    zookeeper,
    path: modesPath(settings.zookeeper.operatorRoot, settings.clusterId),
    leadership,
    changed: () => keys.namespace(undefined),
    spoilt: ({ message, next }) => {
      const [object] = stores.modes.list();
      if (!leadership.holds() || object === undefined) return;
      record(
        { kind: 'ConfigMap', uid: object.uid },
        eventOf(reasonOf('MODES_INVALID'), `${message}. ${next}`, 'ReadModes'),
      );
    },
    log,
  });
}

function requestsOf(world: OperatorWorld, modes: Modes): RequestQueue | undefined {
  const { settings, leadership, clock, log } = world;
  if (world.queue === undefined) return undefined;
  return new RequestQueue({
    ...world.queue,
    settings: settings.legacy.queue,
    defaults: oldDefaults(settings),
    configPath: settings.zookeeper.configPath,
    leadership,
    takes: (model) => takesRequests(modes.of(model).mode),
    clock,
    log: log.child({ part: 'request-queue' }),
  });
}

/** While a model is only looked at, or is on its way back, its requests are left to whoever else reads the queue. */
function takesRequests(mode: Mode): boolean {
  return mode === 'active' || mode === 'shadow';
}
