/** Makes, watches and removes an instance's registration in ZooKeeper. One call at a time. */

import { asMaasError, hasCode, MaasError } from '../contracts/errors.ts';
import type { Log } from '../kernel/log.ts';
import { parseServiceConfig } from '../wire/service-config.ts';
import type { Registration } from '../wire/service-instance.ts';
import {
  type FoundNode,
  isOurs,
  isRevoked,
  type Operation,
  type Owners,
  planRegistration,
  saysTheSame,
  type Wanted,
} from './registration-plan.ts';

/** What the registrar needs of a ZooKeeper session. Every call ends within a bounded time. @throws MaasError */
export interface Registry {
  /** Undefined where the node does not exist. */
  get(path: string): Promise<FoundNode | undefined>;
  /** Makes a persistent node with empty data, and what is missing above it. */
  ensurePath(path: string): Promise<void>;
  /** All or nothing. ZOOKEEPER_CONFLICT where a node is, or is not, there after all, or has another version. */
  transaction(operations: readonly Operation[]): Promise<void>;
  /**
   * Calls back with the node as it is, undefined where there is none, and after every change of it; not while there is
   * no connection.
   */
  watchNode(path: string, changed: (node: FoundNode | undefined) => void): { close(): void };
  /** The present session, its id as in `ephemeralOwner`; undefined while there is none. */
  session(): { readonly id: string } | undefined;
}

export interface RegistrarOptions {
  readonly configPath: string;
  readonly markersPath: string;
  readonly model: string;
  readonly instance: string;
  /** The marker's data. */
  readonly marker: Uint8Array;
  /** Sessions of this pod's earlier agents. */
  readonly earlier: ReadonlySet<string>;
  /** Settles once an agent that comes after this one could resume the present session. @throws MaasError */
  readonly keepSession: () => Promise<void>;
  readonly disturbed: () => void;
  readonly revoked: () => void;
  readonly log: Log;
}

const conflictAttempts = 5;

export class Registrar {
  readonly #registry: Registry;
  readonly #options: RegistrarOptions;
  readonly #sessions: Set<string>;
  readonly #watches = new Map<string, { close(): void }>();
  /** What was last written or found standing. */
  #held: Wanted | undefined;
  #path: string | undefined;
  #inspecting = false;
  #inspectAgain = false;

  constructor(registry: Registry, options: RegistrarOptions) {
    this.#registry = registry;
    this.#options = options;
    this.#sessions = new Set(options.earlier);
  }

  /**
   * Brings the registration about. An attempt whose answer was lost is settled by the next one, which reads first.
   * Nothing is made in a session that could not be resumed: an agent that is killed must find again what it owns.
   *
   * @param stillWanted asked immediately before anything is written
   * @returns whether anything had to be written
   * @throws MaasError: of ZooKeeper, INTERRUPTED where it is no longer wanted, SERVICE_CONFIG_INVALID, ZOOKEEPER_CONFLICT where somebody else holds the id,
   *   REGISTRATION_REVOKED
   */
  async register(registration: Registration, stillWanted: () => boolean): Promise<boolean> {
    this.#held = undefined;
    return await whileInConflict(() => this.#registerOnce(registration, stillWanted));
  }

  async #registerOnce(registration: Registration, stillWanted: () => boolean): Promise<boolean> {
    const { configPath, markersPath, model, instance, marker } = this.#options;
    const owners = this.#owners();
    const config = parseServiceConfig((await this.#registry.get(configPath))?.data, configPath);
    const directory = `${config.serviceRoot}/${model}`;
    const wanted: Wanted = {
      registrationPath: `${directory}/${instance}`,
      markerPath: `${markersPath}/${instance}`,
      registration,
      marker,
    };
    await Promise.all([
      this.#options.keepSession(),
      this.#registry.ensurePath(directory),
      this.#registry.ensurePath(markersPath),
    ]);
    const moved = this.#path !== undefined && this.#path !== wanted.registrationPath ? this.#path : undefined;
    this.#path = wanted.registrationPath;
    // Before the reading, so that no change falls between the two.
    this.#watch(wanted.registrationPath, wanted.markerPath);
    const [found, foundMarker, left] = await Promise.all([
      this.#registry.get(wanted.registrationPath),
      this.#registry.get(wanted.markerPath),
      moved === undefined ? undefined : this.#registry.get(moved),
    ]);
    const plan = planRegistration(wanted, { registration: found, marker: foundMarker }, owners);
    const operations: Operation[] = plan.kind === 'write' ? [...plan.operations] : [];
    if (moved !== undefined && left !== undefined && isOurs(left, owners))
      operations.push({ type: 'delete', path: moved, version: left.stat.version });
    switch (plan.kind) {
      case 'revoked':
        this.#options.revoked();
        throw new MaasError('REGISTRATION_REVOKED', `The operator revoked the registration of ${instance}`);
      case 'foreign':
        throw new MaasError(
          'ZOOKEEPER_CONFLICT',
          `Somebody else made ${plan.path} (${plan.owner === undefined ? 'persistent' : `session ${plan.owner}`})`,
          { next: 'Wait until its session has expired, or find out who made the node and remove it.' },
        );
      case 'keep':
      case 'write':
        if (!stillWanted()) throw new MaasError('INTERRUPTED', 'The registration is no longer wanted');
        // What was read and kept is of that session; another one may have begun meanwhile.
        if (this.#registry.session()?.id !== owners.session)
          throw new MaasError('ZOOKEEPER_CONFLICT', `Session ${owners.session} is over`);
        if (operations.length > 0) await this.#registry.transaction(operations);
    }
    this.#held = wanted;
    return operations.length > 0;
  }

  /**
   * Removes whatever of this instance is there and is ours; done as well where nothing is. A revocation stays until the
   * session ends, because this agent may be killed before it has noted it.
   *
   * @throws MaasError of ZooKeeper; SERVICE_CONFIG_INVALID only where nothing was registered since the agent started
   */
  async unregister(): Promise<void> {
    this.#held = undefined;
    this.#unwatch();
    await whileInConflict(() => this.#unregisterOnce());
  }

  async #unregisterOnce(): Promise<void> {
    const { configPath, markersPath, model, instance } = this.#options;
    const owners = this.#owners();
    let path = this.#path;
    if (path === undefined) {
      const config = parseServiceConfig((await this.#registry.get(configPath))?.data, configPath);
      path = `${config.serviceRoot}/${model}/${instance}`;
    }
    const operations: Operation[] = [];
    for (const each of [path, `${markersPath}/${instance}`]) {
      const node = await this.#registry.get(each);
      if (node !== undefined && isOurs(node, owners) && !isRevoked(node))
        operations.push({ type: 'delete', path: each, version: node.stat.version });
    }
    if (operations.length > 0) await this.#registry.transaction(operations);
  }

  /** Looks whether the registration still stands as it was made, and says so if not. Failures are left to the next look. */
  async inspect(): Promise<void> {
    if (this.#inspecting) {
      this.#inspectAgain = true;
      return;
    }
    this.#inspecting = true;
    try {
      do {
        this.#inspectAgain = false;
        await this.#inspectOnce();
      } while (this.#inspectAgain);
    } catch (error) {
      this.#options.log.debug({ err: asMaasError(error) }, 'could not look at the registration');
    } finally {
      this.#inspecting = false;
    }
  }

  async #inspectOnce(): Promise<void> {
    const held = this.#held;
    if (held === undefined) return;
    const { configPath } = this.#options;
    const [config, registration, marker] = await Promise.all([
      this.#registry.get(configPath),
      this.#registry.get(held.registrationPath),
      this.#registry.get(held.markerPath),
    ]);
    // Somebody registered or unregistered meanwhile: what was read says nothing about that.
    if (this.#held !== held) return;
    if (isRevoked(marker)) {
      this.#held = undefined;
      this.#options.revoked();
      return;
    }
    const session = this.#registry.session()?.id;
    if (session === undefined) return;
    const stands =
      registration?.stat.ephemeralOwner === session &&
      marker?.stat.ephemeralOwner === session &&
      saysTheSame(registration.data, held.registration) &&
      hasMoved(config?.data, held) === false;
    if (stands) return;
    // Said once; what follows is for the next registering.
    this.#held = undefined;
    this.#options.disturbed();
  }

  close(): void {
    this.#held = undefined;
    this.#unwatch();
  }

  #owners(): Owners {
    const session = this.#registry.session()?.id;
    if (session === undefined) throw new MaasError('ZOOKEEPER_UNREACHABLE', 'There is no ZooKeeper session');
    this.#sessions.add(session);
    return { session, earlier: this.#sessions };
  }

  #watch(...paths: string[]): void {
    for (const [path, watch] of this.#watches) {
      if (paths.includes(path)) continue;
      watch.close();
      this.#watches.delete(path);
    }
    for (const path of paths) {
      if (!this.#watches.has(path))
        this.#watches.set(
          path,
          this.#registry.watchNode(path, () => void this.inspect()),
        );
    }
  }

  #unwatch(): void {
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
  }
}

/** Somebody changed what was read before it could be acted upon: read and judged again, a few times. */
async function whileInConflict<T>(attempt: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!hasCode(error, 'ZOOKEEPER_CONFLICT') || count === conflictAttempts) throw error;
    }
  }
}

/** Do clients look elsewhere now? An unreadable configuration moves nothing. */
function hasMoved(config: Uint8Array | undefined, held: Wanted): boolean {
  try {
    const { serviceRoot } = parseServiceConfig(config);
    return !held.registrationPath.startsWith(`${serviceRoot}/${held.registration.model}/`);
  } catch {
    return false;
  }
}
