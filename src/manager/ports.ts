/** What an operator's life needs of the world around it. The adapters give it; tests give their own. */

import type { ReasonedEvent } from '../contracts/reasons.ts';
import type { ResourceEntry } from '../contracts/resource-entry.ts';
import type { OperatorSettings } from '../contracts/settings.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { RequestQueuePorts } from '../legacy/request-queue.ts';
import type { Get } from '../operator/agent-poll.ts';
import type { HoldsZooKeeper } from '../operator/holds.ts';
import type { HealthPorts } from '../operator/http-server.ts';
import type { Leadership, Lease } from '../operator/leadership.ts';
import type { ModesZooKeeper } from '../operator/modes.ts';
import type { ListPodWarnings } from '../operator/pod-warnings.ts';
import type { Cluster, Metrics, Payloads, Store, Stores } from '../operator/ports.ts';
import type { PresenceZooKeeper } from '../operator/presence.ts';
import type { ZooKeeperSweeper } from '../operator/sweeper.ts';
import type { Owned } from '../operator/views.ts';
import type { Gauges, WatchCounters } from './gauges.ts';
import type { Change } from './keys.ts';

/** The kinds of objects that a plan is made from. */
export const plannedKinds = ['resources', 'deployments', 'pins', 'budgets', 'pods'] as const;
export type PlannedKind = (typeof plannedKinds)[number];

/** The ConfigMap with the modes. */
export interface ModesObject {
  readonly uid: string;
  /** Undefined where it has no such key. */
  readonly text: string | undefined;
}

/** What watches tell. */
export interface News {
  resource(change: Change<ResourceEntry>): void;
  child(change: Change<Owned<unknown>>): void;
  modes(change: Change<ModesObject>): void;
  /** A watch follows a namespace, or is refused to; all namespaces where it is undefined. */
  access(kind: PlannedKind, namespace: string | undefined, refusal: unknown): void;
}

export interface Watch {
  /** Rejects where the watch is stopped before. */
  readonly synced: Promise<void>;
  isSynced(): boolean;
  counters(): WatchCounters;
  /** Resolves when nothing will be told any more. */
  stop(): Promise<void>;
}

export interface ManagerMetrics extends Metrics {
  added(): void;
  waited(seconds: number): void;
  retried(): void;
  /** From now on these are shown, too: they are read when somebody asks. */
  show(gauges: Gauges): void;
  render: HealthPorts['metrics'];
}

export interface OperatorWorld {
  readonly settings: OperatorSettings & { readonly clusterId: string };
  /** This process: its namespace, and a name that differs between any two. */
  readonly self: { readonly namespace: string; readonly identity: string };
  readonly leadership: Leadership;
  /**
   * Waits until the Lease is this process's.
   * @param annotations that it is to have while it is
   * @throws the signal's reason
   */
  acquire(annotations: () => Readonly<Record<string, string>>, signal: AbortSignal): Promise<Lease>;
  /** Empty until `watch` fills them. */
  readonly stores: Stores & { readonly modes: Store<ModesObject> };
  watch(news: News): Readonly<Record<PlannedKind | 'modes', Watch>>;
  readonly zookeeper: PresenceZooKeeper & ModesZooKeeper & HoldsZooKeeper & ZooKeeperSweeper;
  readonly cluster: Cluster;
  readonly payloads: Payloads;
  readonly get: Get;
  readonly podWarnings: ListPodWarnings;
  /** Takes an event about one of the operator's own objects, in its namespace. */
  record(about: { readonly kind: 'Lease' | 'ConfigMap'; readonly uid: string }, event: ReasonedEvent): void;
  /** Begins to answer the kubelet and Prometheus. */
  serve(health: HealthPorts): Promise<{ readonly port: number; close(): Promise<void> }>;
  /** Undefined where the old queue is not read. */
  readonly queue: Pick<RequestQueuePorts, 'zookeeper' | 'cluster' | 'failPoints' | 'metrics'> | undefined;
  readonly metrics: ManagerMetrics;
  readonly clock: Clock;
  readonly log: Log;
}
