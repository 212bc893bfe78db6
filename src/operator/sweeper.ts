/**
 * Takes away registrations that are provably this operator's own and have no pod; see plan/sweep.ts for the proof. Those
 * of models that are only observed stay, and so do those of a namespace that another operator may look after, or that
 * cannot be looked at.
 */

import { revokedMarker } from '../contracts/marker.ts';
import type { Mode } from '../contracts/modes.ts';
import { markersPath, podUidOf } from '../contracts/names.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { pause } from '../kernel/pause.ts';
import { type MarkerView, type Orphan, suspectedOrphans } from '../plan/sweep.ts';
import type { Cluster, Metrics, Stores, ZnodeOperation, ZooKeeperReader } from './ports.ts';

export interface ZooKeeperSweeper extends ZooKeeperReader {
  /** `pzxid`: the last transaction that made or removed a child. */
  exists(path: string): Promise<{ readonly pzxid: bigint } | undefined>;
  transaction(operations: readonly ZnodeOperation[]): Promise<unknown>;
}

interface Listed {
  readonly id: string;
  /** Empty where no agent of ours made it. */
  readonly podUid: string;
}

const everyMs = 5_000;

export class Sweeper {
  readonly #zookeeper: ZooKeeperSweeper;
  readonly #markers: string;
  readonly #serviceRoot: () => string | undefined;
  readonly #mode: (model: string) => Mode;
  readonly #may: (namespace: string) => boolean;
  readonly #pods: Stores['pods'];
  readonly #cluster: Pick<Cluster, 'podExists'>;
  readonly #metrics: Pick<Metrics, 'swept'>;
  readonly #log: Log;
  /** The markers there were, and after which transaction. */
  #listed: { readonly pzxid: bigint; readonly markers: readonly Listed[] } | undefined;

  constructor(ports: {
    zookeeper: ZooKeeperSweeper;
    operatorRoot: string;
    clusterId: string;
    serviceRoot: () => string | undefined;
    mode: (model: string) => Mode;
    /** Are the instances of this namespace this operator's alone, and is it known which there are? */
    may: (namespace: string) => boolean;
    pods: Stores['pods'];
    cluster: Pick<Cluster, 'podExists'>;
    metrics: Pick<Metrics, 'swept'>;
    log: Log;
  }) {
    this.#zookeeper = ports.zookeeper;
    this.#markers = markersPath(ports.operatorRoot, ports.clusterId);
    this.#serviceRoot = ports.serviceRoot;
    this.#mode = ports.mode;
    this.#may = ports.may;
    this.#pods = ports.pods;
    this.#cluster = ports.cluster;
    this.#metrics = ports.metrics;
    this.#log = ports.log;
  }

  /** Sweeps from time to time until told to stop. */
  async run(clock: Clock, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#zookeeper.state() === 'connected') await this.sweep(signal);
      } catch (error) {
        this.#log.warn({ err: error }, 'a sweep failed and is done again');
      }
      await pause(clock, everyMs, signal);
    }
  }

  async sweep(signal: AbortSignal): Promise<void> {
    const root = this.#serviceRoot();
    const alive = { has: (podUid: string) => this.#pods.byUid(podUid) !== undefined };
    const unknown = (await this.#list()).filter(({ podUid }) => !alive.has(podUid));
    if (root === undefined || unknown.length === 0) return;
    const markers: MarkerView[] = [];
    for (const { id } of unknown) {
      const node = await this.#zookeeper.get(`${this.#markers}/${id}`);
      if (node !== undefined) markers.push({ id, data: node.data });
    }
    for (const orphan of suspectedOrphans(markers, alive)) {
      if (signal.aborted) return;
      if (this.#mode(orphan.model) === 'observe' || !this.#may(orphan.namespace)) continue;
      // One that cannot be asked about must not save all others.
      await this.#check(root, orphan).catch((error: unknown) =>
        this.#log.warn({ err: error, id: orphan.id, namespace: orphan.namespace }, 'a registration could not be swept'),
      );
    }
  }

  /** All markers. While none comes and none goes, that is one small request, however many there are. */
  async #list(): Promise<readonly Listed[]> {
    // Asked first: what changes in between is listed, and listed again the next time.
    const pzxid = (await this.#zookeeper.exists(this.#markers))?.pzxid;
    if (pzxid === undefined) return [];
    if (this.#listed?.pzxid !== pzxid) {
      const ids = (await this.#zookeeper.children(this.#markers)) ?? [];
      this.#listed = { pzxid, markers: ids.map((id) => ({ id, podUid: podUidOf(id) ?? '' })) };
    }
    return this.#listed.markers;
  }

  async #check(root: string, orphan: Orphan): Promise<void> {
    if (await this.#cluster.podExists(orphan.namespace, orphan.pod, orphan.uid)) return;
    // Somebody may have come meanwhile.
    if (this.#may(orphan.namespace)) await this.#revoke(root, orphan);
  }

  async #revoke(root: string, orphan: Orphan): Promise<void> {
    const markerPath = `${this.#markers}/${orphan.id}`;
    const registrationPath = `${root}/${orphan.model}/${orphan.id}`;
    const [markerNode, registration] = await Promise.all([
      this.#zookeeper.get(markerPath),
      this.#zookeeper.get(registrationPath),
    ]);
    if (markerNode === undefined || markerNode.stat.ephemeralOwner === undefined) return;
    const ours = registration !== undefined && registration.stat.ephemeralOwner === markerNode.stat.ephemeralOwner;
    await this.#zookeeper.transaction([
      { type: 'set', path: markerPath, data: Buffer.from(revokedMarker), version: markerNode.stat.version },
      ...(ours ? [{ type: 'delete', path: registrationPath, version: registration.stat.version } as const] : []),
    ]);
    if (ours) this.#metrics.swept();
    this.#log.warn({ id: orphan.id, model: orphan.model, removed: ours }, 'an agent without a pod was revoked');
  }
}
