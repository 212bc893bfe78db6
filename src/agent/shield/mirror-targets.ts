/** The registered instances of another version, followed in ZooKeeper as clients follow them. */
import { asMaasError } from '../../contracts/errors.ts';
import type { Log } from '../../kernel/log.ts';
import { parseServiceConfig } from '../../wire/service-config.ts';
import { diagnose } from '../../wire/service-instance.ts';
import type { MirrorTarget } from './mirror.ts';

export interface WatchedRegistry {
  watchNode(path: string, changed: (node: { readonly data: Uint8Array } | undefined) => void): { close(): void };
  watchChildren(path: string, changed: (names: string[] | undefined) => void): { close(): void };
}

interface Watch {
  close(): void;
}

/** Enough to share copies among; a version with more instances is mirrored to these. */
const mostTargets = 64;

export class MirrorTargets {
  readonly #registry: WatchedRegistry;
  readonly #wanted: { readonly model: string; readonly version: string };
  readonly #log: Log;
  readonly #config: Watch;
  #root: string | undefined;
  #directory: Watch | undefined;
  readonly #nodes = new Map<string, Watch>();
  readonly #targets = new Map<string, MirrorTarget>();
  #list: readonly MirrorTarget[] = [];

  constructor(
    registry: WatchedRegistry,
    { configPath, ...wanted }: { readonly configPath: string; readonly model: string; readonly version: string },
    log: Log,
  ) {
    this.#registry = registry;
    this.#wanted = wanted;
    this.#log = log;
    this.#config = registry.watchNode(configPath, (node) => {
      try {
        this.#follow(parseServiceConfig(node?.data, configPath).serviceRoot);
      } catch (error) {
        log.warn({ err: asMaasError(error) }, 'the configuration of clients cannot be read; the last one holds');
      }
    });
  }

  get all(): readonly MirrorTarget[] {
    return this.#list;
  }

  close(): void {
    this.#config.close();
    this.#unfollow();
  }

  #follow(root: string): void {
    if (root === this.#root) return;
    this.#unfollow();
    this.#root = root;
    const directory = `${root}/${this.#wanted.model}`;
    this.#directory = this.#registry.watchChildren(directory, (names = []) => this.#show(directory, names));
  }

  #unfollow(): void {
    this.#directory?.close();
    for (const watch of this.#nodes.values()) watch.close();
    this.#nodes.clear();
    this.#targets.clear();
    this.#list = [];
  }

  #show(directory: string, names: readonly string[]): void {
    for (const [name, watch] of this.#nodes) {
      if (names.includes(name)) continue;
      watch.close();
      this.#nodes.delete(name);
      this.#put(name, undefined);
    }
    for (const name of names) {
      if (this.#nodes.has(name)) continue;
      const watch = this.#registry.watchNode(`${directory}/${name}`, (node) => {
        this.#put(name, node === undefined ? undefined : this.#targetOf(node.data, name));
      });
      this.#nodes.set(name, watch);
    }
  }

  #targetOf(data: Uint8Array, name: string): MirrorTarget | undefined {
    const diagnosis = diagnose(data, this.#wanted.model, name);
    if (diagnosis.verdict === 'fatal') return undefined;
    const { version, url, functions } = diagnosis.seen;
    if (version !== this.#wanted.version || url === undefined || !/^http:/i.test(url)) return undefined;
    return { url, functions: functions ?? {} };
  }

  #put(name: string, target: MirrorTarget | undefined): void {
    if (target === undefined && !this.#targets.has(name)) return;
    if (target === undefined) this.#targets.delete(name);
    else this.#targets.set(name, target);
    this.#list = [...this.#targets.values()].slice(0, mostTargets);
    this.#log.debug({ instances: this.#list.length }, 'instances to mirror to');
  }
}
