/** What the metrics show of an operator when somebody asks. */
import type { Concern } from '../contracts/concern.ts';
import type { ModelDeployment } from '../contracts/resource.ts';
import type { ResourceEntry } from '../contracts/resource-entry.ts';
import { notSeenReason } from '../contracts/resource-status.ts';
import type { RequestQueue } from '../legacy/request-queue.ts';
import type { Leadership } from '../operator/leadership.ts';
import type { Store, ZooKeeperReader } from '../operator/ports.ts';
import type { WorkQueue } from '../operator/work-queue.ts';

export type Gauges = ReturnType<typeof gaugesOf>;

/** Counters since the start. */
export interface WatchCounters {
  readonly relists: number;
  readonly restarts: number;
  readonly failures: number;
}

export function gaugesOf(of: {
  readonly resources: Pick<Store<ResourceEntry>, 'list'>;
  readonly leadership: Leadership;
  readonly zookeeper: Pick<ZooKeeperReader, 'state'>;
  readonly queue: Pick<WorkQueue, 'depth' | 'delayed' | 'active'>;
  readonly watches: Readonly<Record<string, { counters(): WatchCounters }>>;
  readonly concerns: { list(): readonly Concern[] };
  readonly requests: Pick<RequestQueue, 'held'> | undefined;
}) {
  return {
    queue: () => of.queue,
    watches: () => Object.entries(of.watches).map(([kind, watch]) => ({ kind, ...watch.counters() })),
    models: () => of.resources.list().map(({ resource }) => measured(resource)),
    leader: () => of.leadership.holds(),
    zookeeperConnected: () => of.zookeeper.state() === 'connected',
    requestsHeld: () => of.requests?.held(),
    concerns: () => of.concerns.list(),
  };
}

function measured({ metadata, spec, status }: ModelDeployment) {
  const ready = status.conditions?.find((condition) => condition.type === 'Ready');
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    model: spec.name,
    version: spec.version,
    ready: ready?.status ?? 'Unknown',
    reason: ready?.reason ?? notSeenReason,
    instances: { desired: spec.instances, ready: status.ready ?? 0, registered: status.registered },
  };
}
