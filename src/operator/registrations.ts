/**
 * Follows in ZooKeeper what clients see of our models: the configuration node gives the service root, below it each
 * model has a directory, in it each instance a node. Read only. While the connection is away, or has not been caught up
 * since it came back, the answer is "unknown".
 */

import { asMaasError } from '../contracts/errors.ts';
import { decodeMarker } from '../contracts/marker.ts';
import { podUidOf } from '../contracts/names.ts';
import { Slots } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { RegisteredPod, RegistrationsView } from '../plan/observation.ts';
import { parseServiceConfig } from '../wire/service-config.ts';
import { diagnose } from '../wire/service-instance.ts';
import type { Subscription, Znode, ZooKeeperReader } from './ports.ts';

/** Reads under way at once: each ends in time only where it need not wait for thousands of others. */
const parallelReads = 64;

/** A registration, and the node that it was read from. */
interface Seen {
  readonly registration: RegisteredPod;
  readonly czxid: bigint;
}

interface Model {
  subscription?: Subscription;
  /** Undefined until the directory was read since the last (re)connection. */
  byPod: Map<string, Seen> | undefined;
  /** Of those that no pod made, by their ids. */
  elsewhere: Map<string, Seen>;
  /** Reads under way overtake each other; only the latest counts. */
  turn: number;
}

export class RegistrationFollower {
  readonly #zookeeper: ZooKeeperReader;
  readonly #configPath: string;
  readonly #markersPath: string;
  readonly #log: Log;
  readonly #onChange: (model: string) => void;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #models = new Map<string, Model>();
  readonly #closers: (() => void)[] = [];
  readonly #reads = new Slots(parallelReads);
  #root: string | undefined;
  #configProblem: string | undefined;

  constructor(
    zookeeper: ZooKeeperReader,
    paths: { readonly config: string; readonly markers: string },
    clock: Pick<Clock, 'now'>,
    log: Log,
    onChange: (model: string) => void,
  ) {
    this.#zookeeper = zookeeper;
    this.#configPath = paths.config;
    this.#markersPath = paths.markers;
    this.#log = log;
    this.#onChange = onChange;
    this.#clock = clock;
  }

  start(): void {
    this.#closers.push(
      this.#zookeeper.onEvent(({ type }) => {
        if (type === 'connected') this.#reread();
        else this.#lose();
      }),
    );
    const config = this.#zookeeper.watchNode(this.#configPath, (node) => this.#configure(node?.data));
    this.#closers.push(() => config.close());
  }

  stop(): void {
    for (const close of this.#closers.splice(0)) close();
    for (const model of this.#models.values()) model.subscription?.close();
    this.#models.clear();
  }

  /** Below which clients look; undefined while that is unknown or cannot be read. */
  serviceRoot(): string | undefined {
    return this.#root;
  }

  follow(name: string): void {
    if (this.#models.has(name)) return;
    const model: Model = { byPod: undefined, elsewhere: new Map(), turn: 0 };
    this.#models.set(name, model);
    this.#subscribe(name, model);
  }

  unfollow(name: string): void {
    this.#models.get(name)?.subscription?.close();
    this.#models.delete(name);
  }

  view(name: string): RegistrationsView {
    if (this.#configProblem !== undefined) return { known: false, why: this.#configProblem };
    const { byPod, elsewhere } = this.#models.get(name) ?? { byPod: undefined, elsewhere: new Map<string, Seen>() };
    const state = this.#zookeeper.state();
    if (state !== 'connected') return { known: false, why: `ZooKeeper is ${state}` };
    if (byPod === undefined) return { known: false, why: 'ZooKeeper is being read' };
    return {
      known: true,
      byPod: new Map([...byPod].map(([uid, { registration }]) => [uid, registration])),
      ...(elsewhere.size === 0
        ? {}
        : { elsewhere: [...elsewhere.values()].map(({ registration }) => registration.version) }),
    };
  }

  #configure(data: Uint8Array | undefined): void {
    let root: string | undefined;
    try {
      root = parseServiceConfig(data, this.#configPath).serviceRoot;
      this.#configProblem = undefined;
    } catch (error) {
      this.#configProblem = asMaasError(error).message;
      this.#log.warn({ err: error }, 'Stellar clients cannot read the configuration node');
    }
    if (root === this.#root && root !== undefined) return;
    this.#root = root;
    for (const [name, model] of this.#models) {
      model.subscription?.close();
      delete model.subscription;
      model.byPod = undefined;
      this.#subscribe(name, model);
      this.#onChange(name);
    }
  }

  #subscribe(name: string, model: Model): void {
    if (this.#root === undefined) return;
    const directory = `${this.#root}/${name}`;
    model.subscription = this.#zookeeper.watchChildren(directory, (children) => {
      void this.#read(name, model, directory, children ?? []);
    });
  }

  #lose(): void {
    for (const [name, model] of this.#models) {
      model.turn += 1;
      if (model.byPod === undefined) continue;
      model.byPod = undefined;
      this.#onChange(name);
    }
  }

  /** The watches tell of changes only; what was forgotten while away is read again whole. */
  #reread(): void {
    if (this.#root === undefined) return;
    for (const [name, model] of this.#models) {
      const directory = `${this.#root}/${name}`;
      this.#reads
        .within(() => this.#zookeeper.children(directory))
        .then((children) => this.#read(name, model, directory, children ?? []))
        .catch((error) => this.#log.debug({ err: error, model: name }, 'registrations could not be read'));
    }
  }

  async #read(name: string, model: Model, directory: string, children: readonly string[]): Promise<void> {
    const turn = ++model.turn;
    const { byPod: before, elsewhere: others } = model;
    const found = new Map<string, Seen>();
    const elsewhere = new Map<string, Seen>();
    try {
      await Promise.all(
        children.map(async (id) => {
          const uid = podUidOf(id);
          const known = uid === undefined ? others.get(id) : before?.get(uid);
          const seen = await this.#instance(name, directory, id, known);
          if (seen === undefined) return;
          if (uid === undefined) elsewhere.set(id, seen);
          else found.set(uid, seen);
        }),
      );
    } catch (error) {
      // The connection went: what is read after it came back counts.
      this.#log.debug({ err: error, model: name }, 'registrations could not be read');
      return;
    }
    if (model.turn !== turn || this.#models.get(name) !== model || this.#zookeeper.state() !== 'connected') return;
    model.byPod = found;
    model.elsewhere = elsewhere;
    this.#onChange(name);
  }

  /**
   * A node of the same name need not be the same node: an agent makes it anew when its model comes back at another
   * port.
   */
  async #instance(name: string, directory: string, id: string, before: Seen | undefined): Promise<Seen | undefined> {
    const node = await this.#get(`${directory}/${id}`);
    if (node?.stat.ephemeralOwner === undefined) return undefined;
    const { czxid } = node.stat;
    if (before?.czxid === czxid) return before;
    const diagnosis = diagnose(node.data, name, id);
    if (diagnosis.verdict === 'fatal') return undefined;
    const { version, url, functions } = diagnosis.seen;
    const payloadDigest = await this.#verified(id, node.stat.ephemeralOwner);
    return {
      registration: {
        version,
        url: url ?? '',
        functions: functions ?? {},
        ...(payloadDigest === undefined ? {} : { payloadDigest }),
        since: this.#clock.now(),
      },
      czxid,
    };
  }

  /** What the agent says, in the marker that it made together with the registration, that it had verified before. */
  async #verified(id: string, session: string): Promise<string | undefined> {
    const node = await this.#get(`${this.#markersPath}/${id}`);
    if (node?.stat.ephemeralOwner !== session) return undefined;
    const marker = decodeMarker(node.data);
    return marker === 'revoked' ? undefined : marker?.digest;
  }

  #get(path: string): Promise<Znode | undefined> {
    return this.#reads.within(() => this.#zookeeper.get(path));
  }
}
