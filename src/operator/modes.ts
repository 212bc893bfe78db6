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
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { ModeView } from '../plan/observation.ts';
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
  /** Is it certain that this process is the leader? Only then is anything written. */
  readonly leads: () => boolean;
  /**
   * Does what another operator publishes in this place hold? Then what people wrote here waits, and nothing is
   * published; nor is it while that is not known, which is undefined.
   */
  readonly yields: () => boolean | undefined;
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
  #due = true;
  #wake: () => void = () => {};

  constructor(options: ModesOptions) {
    this.#options = options;
  }

  start(): void {
    const { zookeeper, path } = this.#options;
    this.#subscription = zookeeper.watchNode(path, (node) => this.#seen(node));
    this.#unlisten = zookeeper.onEvent(({ type }) => {
      if (type === 'connected') this.#ring();
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
    this.#ring();
    changed();
  }

  /** Another operator's modes may hold now, or this one's again. */
  yieldsChanged(): void {
    this.#ring();
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
    while (!signal.aborted) {
      this.#due = false;
      let waitMs = againMs;
      try {
        if (zookeeper.state() === 'connected') await this.publish();
      } catch (error) {
        log.warn({ err: error }, 'the modes could not be published; it is tried again');
        waitMs = retryMs;
      }
      await this.#rung(clock, waitMs, signal);
    }
  }

  /** One attempt. @throws MaasError of ZooKeeper */
  async publish(): Promise<void> {
    const { zookeeper, path, leads, yields, log } = this.#options;
    if (yields() !== false) return;
    const node = await zookeeper.get(path);
    const before = node === undefined ? undefined : decodePublishedModes(node.data);
    const wanted = this.#problem === undefined ? this.#written : (this.#written ?? before?.wanted);
    if (wanted === undefined) return;
    // What was seen before the node was spoilt or removed is better than nothing.
    const agents = modesForAgents(wanted, (before ?? this.#published)?.agents);
    const data = encodePublishedModes({ wanted, agents });
    if ((node !== undefined && Buffer.compare(node.data, data) === 0) || !leads()) return;
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
    return this.#options.yields() === true ? (published ?? this.#written) : (this.#written ?? published);
  }

  #seen(node: Znode | undefined): void {
    // A node that vanished or was spoilt is put right by the leader; what it said still holds.
    const published = node === undefined ? undefined : decodePublishedModes(node.data);
    if (published !== undefined) this.#published = published;
    this.#ring();
    this.#options.changed();
  }

  #ring(): void {
    this.#due = true;
    this.#wake();
  }

  async #rung(clock: Clock, waitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#due) return;
    const over = new AbortController();
    const rung = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([rung, clock.sleep(waitMs, AbortSignal.any([signal, over.signal])).catch(() => {})]);
    over.abort();
  }
}
