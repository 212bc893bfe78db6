/**
 * Follows in ZooKeeper what clients see of our models: the configuration node gives the service root, below it each
 * model has a directory, in it each instance a node. Read only. While the connection is away, or has not been caught up
 * since it came back, the answer is "unknown".
 */
import { asMaasError } from '../api/errors.ts';
import { podUidOf } from '../api/names.ts';
import { parseServiceConfig } from '../api/service-config.ts';
import { diagnose } from '../api/service-instance.ts';
import type { Registration, RegistrationsView } from '../plan/observation.ts';
import type { Log, Subscription, ZooKeeperReader } from './ports.ts';

interface Model {
  subscription?: Subscription;
  /** Undefined until the directory was read since the last (re)connection. */
  byPod: Map<string, Registration> | undefined;
  /** Reads under way overtake each other; only the latest counts. */
  turn: number;
}

export class RegistrationFollower {
  readonly #zookeeper: ZooKeeperReader;
  readonly #configPath: string;
  readonly #log: Log;
  readonly #onChange: (model: string) => void;
  readonly #models = new Map<string, Model>();
  readonly #closers: (() => void)[] = [];
  #root: string | undefined;
  #configProblem: string | undefined;

  constructor(zookeeper: ZooKeeperReader, configPath: string, log: Log, onChange: (model: string) => void) {
    this.#zookeeper = zookeeper;
    this.#configPath = configPath;
    this.#log = log;
    this.#onChange = onChange;
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
    const model: Model = { byPod: undefined, turn: 0 };
    this.#models.set(name, model);
    this.#subscribe(name, model);
  }

  unfollow(name: string): void {
    this.#models.get(name)?.subscription?.close();
    this.#models.delete(name);
  }

  view(name: string): RegistrationsView {
    if (this.#configProblem !== undefined) return { known: false, why: this.#configProblem };
    const byPod = this.#models.get(name)?.byPod;
    const state = this.#zookeeper.state();
    if (state !== 'connected') return { known: false, why: `ZooKeeper is ${state}` };
    return byPod === undefined ? { known: false, why: 'ZooKeeper is being read' } : { known: true, byPod };
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
      this.#zookeeper
        .children(directory)
        .then((children) => this.#read(name, model, directory, children ?? []))
        .catch((error) => this.#log.debug({ err: error, model: name }, 'registrations could not be read'));
    }
  }

  async #read(name: string, model: Model, directory: string, children: readonly string[]): Promise<void> {
    const turn = ++model.turn;
    const before = model.byPod;
    const found = new Map<string, Registration>();
    try {
      await Promise.all(
        children.map(async (id) => {
          const uid = podUidOf(id);
          if (uid === undefined) return;
          const known = before?.get(uid);
          const registration = known?.id === id ? known : await this.#instance(name, directory, id);
          if (registration !== undefined) found.set(uid, registration);
        }),
      );
    } catch (error) {
      // The connection went: what is read after it came back counts.
      this.#log.debug({ err: error, model: name }, 'registrations could not be read');
      return;
    }
    if (model.turn !== turn || this.#models.get(name) !== model || this.#zookeeper.state() !== 'connected') return;
    model.byPod = found;
    this.#onChange(name);
  }

  async #instance(name: string, directory: string, id: string): Promise<Registration | undefined> {
    const node = await this.#zookeeper.get(`${directory}/${id}`);
    if (node?.stat.ephemeralOwner === undefined) return undefined;
    const diagnosis = diagnose(node.data, name, id);
    if (diagnosis.verdict === 'fatal') return undefined;
    const { version, url, functions } = diagnosis.seen;
    return { id, version, url: url ?? '', functions: functions ?? {} };
  }
}
