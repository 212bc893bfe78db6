/**
 * Says in ZooKeeper that this operator leads, and follows which others do; see contracts/presence.ts and
 * plan/neighbours.ts.
 */

import type { Concern } from '../contracts/concern.ts';
import { decodePresence, encodePresence, presencesPath } from '../contracts/presence.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { pause } from '../kernel/pause.ts';
import {
  concernsAbout,
  isOnlyOurs,
  type Neighbour,
  ownsStore,
  rememberedMs,
  type Self,
  yieldsModes,
} from '../plan/neighbours.ts';
import type { ZooKeeperReader } from './ports.ts';

export interface PresenceZooKeeper extends Pick<ZooKeeperReader, 'state' | 'get' | 'children'> {
  ensurePath(path: string): Promise<void>;
  create(path: string, data: Uint8Array, mode: { readonly ephemeral: true }): Promise<unknown>;
}

const everyMs = 3_000;
/** What was read longer ago says nothing about who came since. */
const staleMs = 15_000;

/** Is given all concerns about neighbours, each time they were read, and whether another operator's modes hold here. */
type Tell = (concerns: readonly Concern[], yieldsModes: boolean) => void;

export class OperatorPresence {
  readonly #zookeeper: PresenceZooKeeper;
  readonly #root: string;
  readonly #self: Self;
  readonly #patienceMs: number;
  readonly #clock: Clock;
  readonly #tell: Tell;
  readonly #log: Log;
  readonly #firstSeen = new Map<string, number>();
  #neighbours: readonly Neighbour[] = [];
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(options: {
    zookeeper: PresenceZooKeeper;
    operatorRoot: string;
    sessionTimeoutMs: number;
    self: Self;
    clock: Clock;
    tell: Tell;
    log: Log;
  }) {
    this.#zookeeper = options.zookeeper;
    this.#root = options.operatorRoot;
    this.#self = options.self;
    this.#patienceMs = rememberedMs(options.sessionTimeoutMs);
    this.#clock = options.clock;
    this.#tell = options.tell;
    this.#log = options.log;
  }

  /** May what has no pod in this namespace be taken away? Never where it is not known who else is there. */
  maySweep(namespace: string): boolean {
    return this.#isFresh() && isOnlyOurs(this.#self, this.#neighbours, namespace);
  }

  maySweepStore(): boolean {
    return this.#isFresh() && ownsStore(this.#self, this.#neighbours);
  }

  /** For as long as this process leads. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#zookeeper.state() === 'connected') await this.look();
      } catch (error) {
        this.#log.warn({ err: error }, 'it is not known which other operators there are; it is asked again');
      }
      await pause(this.#clock, everyMs, signal);
    }
  }

  /** One look. @throws MaasError of ZooKeeper */
  async look(): Promise<void> {
    // Before the others are read: of two that begin at once, one at least sees the other.
    await this.#announce();
    const found: Neighbour[] = [];
    const now = this.#clock.monotonic();
    for (const cluster of await this.#children(this.#root)) {
      for (const name of await this.#children(presencesPath(this.#root, cluster))) {
        const neighbour = await this.#neighbour(cluster, name, now);
        if (neighbour !== undefined) found.push(neighbour);
      }
    }
    this.#settle(found, now);
  }

  async #announce(): Promise<void> {
    const { clusterId, namespace, identity, namespaces, queue } = this.#self;
    const own = presencesPath(this.#root, clusterId);
    const path = `${own}/${identity}`;
    if ((await this.#zookeeper.get(path)) !== undefined) return;
    await this.#zookeeper.ensurePath(own);
    const said = { namespace, identity, namespaces, ...(queue === undefined ? {} : { queue }) };
    await this.#zookeeper.create(path, encodePresence(said), { ephemeral: true });
  }

  /** Undefined for this operator itself, and for what no living operator has left there. */
  async #neighbour(clusterId: string, name: string, now: number): Promise<Neighbour | undefined> {
    if (clusterId === this.#self.clusterId && name === this.#self.identity) return undefined;
    const node = await this.#zookeeper.get(`${presencesPath(this.#root, clusterId)}/${name}`);
    const said = node?.stat.ephemeralOwner === undefined ? undefined : decodePresence(node.data);
    if (said === undefined) return undefined;
    const key = `${clusterId}/${name}`;
    const since = this.#firstSeen.get(key) ?? now;
    this.#firstSeen.set(key, since);
    return { ...said, clusterId, seenMs: now - since };
  }

  #settle(found: readonly Neighbour[], now: number): void {
    const name = ({ clusterId, identity }: Neighbour) => `${clusterId}/${identity}`;
    const before = new Set(this.#neighbours.map(name));
    const after = new Set(found.map(name));
    for (const each of found) {
      const { clusterId, namespace, identity, namespaces } = each;
      if (!before.has(name(each))) {
        this.#log.info({ clusterId, namespace, identity, namespaces }, 'another operator uses this ZooKeeper');
      }
    }
    for (const each of this.#neighbours) {
      const { clusterId, namespace, identity } = each;
      if (!after.has(name(each))) this.#log.info({ clusterId, namespace, identity }, 'another operator has gone');
    }
    for (const key of this.#firstSeen.keys()) if (!after.has(key)) this.#firstSeen.delete(key);
    this.#neighbours = found;
    this.#readAt = now;
    this.#tell(concernsAbout(this.#self, found, this.#patienceMs), yieldsModes(this.#self, found, this.#patienceMs));
  }

  #isFresh(): boolean {
    return this.#clock.monotonic() - this.#readAt < staleMs && this.#zookeeper.state() === 'connected';
  }

  async #children(path: string): Promise<readonly string[]> {
    return ((await this.#zookeeper.children(path)) ?? []).toSorted();
  }
}
