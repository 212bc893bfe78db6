/**
 * The operator's side of the modes: what people wrote into the ConfigMap holds for this process at once, and the leader
 * publishes it in ZooKeeper for the agents. What is published is also the memory: content that cannot be read changes
 * nothing, not even over a restart of the operator.
 */

import { asMaasError, type MaasError } from '../contracts/errors.ts';
import {
  allActive,
  decodePublishedModes,
  encodePublishedModes,
  type ModeTable,
  modeOf,
  modesForAgents,
  type PublishedModes,
  parseModes,
} from '../contracts/modes.ts';
import { Bell } from '../kernel/bell.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { ModeView } from '../plan/observation.ts';
import type { Leadership } from './leadership.ts';
import type { Subscription, Znode, ZooKeeperReader } from './ports.ts';

/** What the modes need of ZooKeeper. @throws MaasError */
export interface ModesZooKeeper extends Pick<ZooKeeperReader, 'state' | 'onEvent' | 'get' | 'watchNode'> {
  ensurePath(path: string): Promise<void>;
  /** @throws ZOOKEEPER_CONFLICT where a node is there */
  create(path: string, data: Uint8Array): Promise<unknown>;
  /** @throws ZOOKEEPER_CONFLICT where the node has another version */
  set(path: string, data: Uint8Array, version: number): Promise<unknown>;
}

export interface ModesOptions {
  readonly zookeeper: ModesZooKeeper;
  /** Of the znode. */
  readonly path: string;
  /** Nothing is written without. */
  readonly leadership: Pick<Leadership, 'holds'>;
  /** The modes of some models may have changed. */
  readonly changed: () => void;
  /** The ConfigMap cannot be read: told once for each content, and again when this process begins to lead. */
  readonly spoilt: (error: MaasError) => void;
  readonly log: Log;
}

/** Somebody may have changed the znode unseen; and what could not be written is tried again. */
const againMs = 5_000;
const retryMs = 1_000;

export class Modes {
  readonly #options: ModesOptions;
  /** From the ConfigMap, the last that could be read. */
  #written: ModeTable | undefined;
  #problem: MaasError | undefined;
  #published: PublishedModes | undefined;
  #subscription: Subscription | undefined;
  #unlisten: (() => void) | undefined;
  /** Undefined while it is not known: nothing is published then. */
  #yields: boolean | undefined;
  /** While it publishes. */
  #bell: Bell | undefined;

  constructor(options: ModesOptions) {
    this.#options = options;
  }

  start(): void {
    const { zookeeper, path } = this.#options;
    this.#subscription = zookeeper.watchNode(path, (node) => this.#seen(node));
    this.#unlisten = zookeeper.onEvent(({ type }) => {
      if (type === 'connected') this.#bell?.ring();
    });
  }

  stop(): void {
    this.#subscription?.close();
    this.#unlisten?.();
  }

  /** @param text the value of the ConfigMap's key; undefined where ConfigMap or key do not exist */
  configured(text: string | undefined): void {
    const { log, spoilt, changed } = this.#options;
    try {
      this.#written = parseModes(text);
      this.#problem = undefined;
      log.info({ default: this.#written.default, models: Object.fromEntries(this.#written.models) }, 'modes');
    } catch (error) {
      this.#problem = asMaasError(error);
      log.warn({ err: error }, 'the modes cannot be read; those of before hold');
      spoilt(this.#problem);
    }
    this.#bell?.ring();
    changed();
  }

  /** Does what another operator publishes in this place hold? Then what people wrote here waits. */
  yield(yields: boolean): void {
    if (yields === this.#yields) return;
    this.#yields = yields;
    this.#bell?.ring();
    this.#options.changed();
  }

  of(model: string): ModeView {
    const wanted = this.#wanted();
    const problem = this.#problem === undefined ? {} : { problem: this.#problem.message };
    const before = modeOf(this.#published?.agents ?? allActive, model);
    // Where nobody knows what was wanted before the content was spoilt, looking is all that does no harm.
    const mode = wanted === undefined ? 'observe' : modeOf(wanted, model);
    return { mode, agents: mode === 'observe' ? before : mode, ...problem };
  }

  /** Publishes for as long as this process leads. */
  async run(clock: Clock, signal: AbortSignal): Promise<void> {
    const { zookeeper, spoilt, log } = this.#options;
    if (this.#problem !== undefined) spoilt(this.#problem);
    const bell = new Bell(clock);
    this.#bell = bell;
    signal.addEventListener('abort', () => bell.ring(), { once: true });
    while (!signal.aborted) {
      let waitMs = againMs;
      try {
        if (zookeeper.state() === 'connected') await this.publish();
      } catch (error) {
        log.warn({ err: error }, 'the modes could not be published; it is tried again');
        waitMs = retryMs;
      }
      await bell.wait(waitMs);
    }
  }

  /** One attempt. @throws MaasError of ZooKeeper */
  async publish(): Promise<void> {
    const { zookeeper, path, leadership, log } = this.#options;
    if (this.#yields !== false) return;
    const node = await zookeeper.get(path);
    const before = node === undefined ? undefined : decodePublishedModes(node.data);
    const wanted = this.#problem === undefined ? this.#written : (this.#written ?? before?.wanted);
    if (wanted === undefined) return;
    // What was seen before the node was spoilt or removed is better than nothing.
    const agents = modesForAgents(wanted, (before ?? this.#published)?.agents);
    const data = encodePublishedModes({ wanted, agents });
    if ((node !== undefined && Buffer.compare(node.data, data) === 0) || !leadership.holds()) return;
    if (node === undefined) {
      await zookeeper.ensurePath(path.slice(0, path.lastIndexOf('/')));
      await zookeeper.create(path, data);
    } else {
      await zookeeper.set(path, data, node.stat.version);
    }
    log.info({ default: agents.default, models: Object.fromEntries(agents.models) }, 'modes published for agents');
  }

  #wanted(): ModeTable | undefined {
    const published = this.#published?.wanted;
    return this.#yields === true ? (published ?? this.#written) : (this.#written ?? published);
  }

  #seen(node: Znode | undefined): void {
    // A node that vanished or was spoilt is put right by the leader; what it said still holds.
    const published = node === undefined ? undefined : decodePublishedModes(node.data);
    if (published !== undefined) this.#published = published;
    this.#bell?.ring();
    this.#options.changed();
  }
}
