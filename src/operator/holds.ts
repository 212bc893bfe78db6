/**
 * The operator's side of the holds: what is published for each resource's agents, followed in ZooKeeper, and written by
 * the leader. A reader that was cut off knows nothing until it has caught up.
 */
import { hasCode } from '../contracts/errors.ts';
import { decodeHolds, encodeHolds, type Holds } from '../contracts/holds.ts';
import { mapBounded } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { pause } from '../kernel/pause.ts';
import type { HoldsView } from '../plan/observation.ts';
import type { Leadership } from './leadership.ts';
import type { Subscription, Znode, ZnodeOperation, ZooKeeperReader } from './ports.ts';

/** What the holds need of ZooKeeper. @throws MaasError */
export interface HoldsZooKeeper extends ZooKeeperReader {
  ensurePath(path: string): Promise<void>;
  /** @throws ZOOKEEPER_CONFLICT where a node is there */
  create(path: string, data: Uint8Array): Promise<unknown>;
  /** @throws ZOOKEEPER_CONFLICT where the node has another version */
  set(path: string, data: Uint8Array, version: number): Promise<unknown>;
  transaction(operations: readonly ZnodeOperation[]): Promise<unknown>;
}

export interface HoldsOptions {
  readonly zookeeper: HoldsZooKeeper;
  /** The node above those of the resources. */
  readonly path: string;
  /** Nothing is written without. */
  readonly leadership: Pick<Leadership, 'holds'>;
  /** The holds of the resource with this UID may have changed, or, without one, those of any. */
  readonly changed: (uid?: string) => void;
  readonly log: Log;
}

interface Followed {
  subscription: Subscription | undefined;
  /** As it was last seen, with what was published; undefined until it was read since the connection came. */
  seen: { readonly version: number; readonly holds: Holds | undefined } | undefined;
}

const sweepEveryMs = 30_000;
/** Reads under way at once: each ends in time only where it need not wait for thousands of others. */
const parallelReads = 64;

export class HoldFollower {
  readonly #options: HoldsOptions;
  readonly #resources = new Map<string, Followed>();
  readonly #closers: (() => void)[] = [];
  /** It is known which resources have a node. */
  #listed = false;

  constructor(options: HoldsOptions) {
    this.#options = options;
  }

  start(): void {
    const { zookeeper, path } = this.#options;
    this.#closers.push(
      zookeeper.onEvent(({ type }) => {
        if (type === 'connected') void this.#reread();
        else this.#lose();
      }),
    );
    const children = zookeeper.watchChildren(path, (uids) => this.#list(uids ?? []));
    this.#closers.push(() => children.close());
  }

  stop(): void {
    for (const close of this.#closers.splice(0)) close();
    for (const { subscription } of this.#resources.values()) subscription?.close();
    this.#resources.clear();
  }

  view(uid: string): HoldsView {
    if (!this.#listed || this.#options.zookeeper.state() !== 'connected') return { known: false };
    const followed = this.#resources.get(uid);
    if (followed === undefined) return { known: true, versions: {} };
    if (followed.seen === undefined) return { known: false };
    return { known: true, versions: followed.seen.holds?.versions ?? {} };
  }

  /** @throws MaasError of ZooKeeper; ZOOKEEPER_CONFLICT where somebody else wrote at the same time */
  async publish(uid: string, holds: Holds): Promise<void> {
    const { zookeeper, path, leadership, log } = this.#options;
    const node = `${path}/${uid}`;
    const before = await zookeeper.get(node);
    if (!leadership.holds()) return;
    if (before === undefined) {
      await zookeeper.ensurePath(path);
      await zookeeper.create(node, encodeHolds(holds));
    } else {
      await zookeeper.set(node, encodeHolds(holds), before.stat.version);
    }
    const { namespace, name, versions } = holds;
    log.info({ namespace, name, versions }, 'holds published for agents');
    // The next pass must not have to wait for the watch.
    this.#follow(uid).seen = { version: (before?.stat.version ?? -1) + 1, holds };
  }

  /** Removes, from time to time, what was published for resources that are not there any more. */
  async sweepForEver(
    isGone: (uid: string, namespace: string) => boolean,
    clock: Clock,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      await pause(clock, sweepEveryMs, signal);
      if (!signal.aborted && this.#listed) await this.sweep(isGone);
    }
  }

  /** Once. @param isGone is it known for certain that there is no such resource, and that it would be ours? */
  async sweep(isGone: (uid: string, namespace: string) => boolean): Promise<void> {
    const { zookeeper, path, leadership, log } = this.#options;
    for (const [uid, { seen }] of this.#resources) {
      const holds = seen?.holds;
      if (seen === undefined || holds === undefined || !isGone(uid, holds.namespace) || !leadership.holds()) continue;
      try {
        await zookeeper.transaction([{ type: 'delete', path: `${path}/${uid}`, version: seen.version }]);
        log.info(
          { uid, namespace: holds.namespace, name: holds.name },
          'holds of a resource that is gone were removed',
        );
      } catch (error) {
        if (!hasCode(error, 'ZOOKEEPER_CONFLICT')) log.warn({ err: error, uid }, 'holds could not be removed');
      }
    }
  }

  #list(uids: readonly string[]): void {
    const known = new Set(uids);
    for (const [uid, { subscription }] of this.#resources) {
      if (known.has(uid)) continue;
      subscription?.close();
      this.#resources.delete(uid);
      this.#options.changed(uid);
    }
    for (const uid of uids) this.#follow(uid);
    if (this.#listed) return;
    this.#listed = true;
    // What was unknown for want of a list is known now, for resources that have no node, too.
    this.#options.changed();
  }

  #follow(uid: string): Followed {
    const before = this.#resources.get(uid);
    if (before !== undefined) return before;
    const { zookeeper, path } = this.#options;
    const followed: Followed = { subscription: undefined, seen: undefined };
    this.#resources.set(uid, followed);
    followed.subscription = zookeeper.watchNode(`${path}/${uid}`, (node) => this.#seen(uid, node));
    return followed;
  }

  #seen(uid: string, node: Znode | undefined): void {
    const followed = this.#resources.get(uid);
    if (followed === undefined) return;
    // One that vanished goes from the list as well.
    if (node !== undefined) followed.seen = { version: node.stat.version, holds: decodeHolds(node.data) };
    else followed.seen = { version: -1, holds: undefined };
    this.#options.changed(uid);
  }

  #lose(): void {
    this.#listed = false;
    for (const followed of this.#resources.values()) followed.seen = undefined;
  }

  /** The watches tell of changes only; what was forgotten while away is read again whole. */
  async #reread(): Promise<void> {
    const { zookeeper, path, log } = this.#options;
    try {
      const uids = (await zookeeper.children(path)) ?? [];
      const nodes = await mapBounded(
        uids,
        parallelReads,
        async (uid) => [uid, await zookeeper.get(`${path}/${uid}`)] as const,
      );
      if (zookeeper.state() !== 'connected') return;
      this.#list(uids);
      for (const [uid, node] of nodes) this.#seen(uid, node);
    } catch (error) {
      // The connection went: what is read after it came back counts.
      log.debug({ err: error }, 'holds could not be read');
    }
  }
}
