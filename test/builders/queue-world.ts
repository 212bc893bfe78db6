/**
 * The world of the old queue, in memory: a ZooKeeper with its queues, an API server with resources and the record, and
 * operators that come and go. Writes to the API server need the state that they saw, as there.
 */
import { MaasError } from '../../src/contracts/errors.ts';
import type { ObjectState } from '../../src/contracts/object-state.ts';
import type { ReasonedEvent } from '../../src/contracts/reasons.ts';
import { type RequestQueueSettings, requestQueueSettings } from '../../src/contracts/settings.ts';
import type { FailPoint } from '../../src/legacy/fail-points.ts';
import type { ObservedModel } from '../../src/legacy/model-object.ts';
import type { QueueCluster, QueueZooKeeper } from '../../src/legacy/ports.ts';
import { recordConfigMap } from '../../src/legacy/queue-record.ts';
import { parseRequestIds } from '../../src/legacy/request-id.ts';
import { RequestQueue } from '../../src/legacy/request-queue.ts';
import { ManualClock, settle } from './manual-clock.ts';
import { RememberingLog } from './remembering-log.ts';

interface Node {
  data: Uint8Array;
  readonly czxid: bigint;
  readonly ctime: number;
}

type Stored = Omit<ObservedModel, 'state' | 'deleting'> & { readonly uid: string; version_: number; deleting: boolean };

export function queueSettings(changes: Partial<RequestQueueSettings> = {}): RequestQueueSettings {
  return { ...requestQueueSettings.parse({ enabled: true, namespace: 'fraud' }), ...changes };
}

export class QueueWorld {
  readonly clock = new ManualClock();
  readonly log = new RememberingLog();
  readonly nodes = new Map<string, Node>();
  readonly models = new Map<string, Stored>();
  readonly events: (ReasonedEvent & { readonly about: string })[] = [];
  /** How the instances of each resource were changed, and by which request. */
  readonly effects: { readonly id: string; readonly uid: string; readonly by: number }[] = [];
  readonly settings: RequestQueueSettings;
  /** Called before each call to the API server; a test lets it fail. */
  failing: (call: string, name: string) => MaasError | undefined = () => undefined;
  readonly outcomes: string[] = [];
  /** Is the lease held? */
  leading = true;
  /** Writes that no fail point stands around. */
  bare = 0;
  readonly reached = new Set<FailPoint>();
  connected = true;
  /** Models whose requests stay on the queue; the empty name is for those that name none. */
  readonly notTaken = new Set<string>();
  record: Record<string, string> | undefined;
  #recordVersion = 0;
  #zxid = 100n;
  #sequence = new Map<string, number>();
  #uid = 0;
  readonly #watches = new Set<() => void>();
  readonly #listeners = new Set<(event: { type: string }) => void>();

  constructor(settings: Partial<RequestQueueSettings> = {}) {
    this.settings = queueSettings(settings);
    this.put('/maas/queue', '');
  }

  /** Starts an operator. `at` is where it dies, on getting there for the `nth` time. */
  start(at?: FailPoint, nth = 1) {
    const end = new AbortController();
    let alive = true;
    let times = 0;
    let writing = false;
    const check = (writes = false) => {
      if (!alive) throw new MaasError('LEASE_LOST', 'dead');
      if (writes && !writing) this.bare += 1;
    };
    const queue = new RequestQueue({
      zookeeper: this.#zookeeper(check),
      cluster: this.#cluster(check),
      settings: this.settings,
      defaults: { cpu: '10m', readFrom: 'Store' },
      configPath: '/metron/maas/config',
      leadership: { holds: () => alive && this.leading },
      takes: (model) => !this.notTaken.has(model),
      failPoints: (point) => {
        writing = point.startsWith('before-');
        this.reached.add(point);
        if (point !== at || ++times < nth) return;
        alive = false;
        end.abort();
      },
      metrics: { request: (outcome) => this.outcomes.push(outcome) },
      clock: this.clock,
      log: this.log,
    });
    const ended = queue.run(end.signal);
    return {
      crashed: () => !alive,
      /** Until there is nothing left to do now. */
      async rests() {
        for (let turn = 0; turn < 20; turn++) await settle();
      },
      /** Whether it died or not, it is gone after this. */
      async stop() {
        end.abort();
        await ended;
      },
    };
  }

  put(path: string, data: string | Uint8Array): void {
    const czxid = this.nodes.get(path)?.czxid ?? ++this.#zxid;
    this.nodes.set(path, { data: Buffer.from(data), czxid, ctime: this.clock.now() });
    this.#tell();
  }

  /** As the old client does. Returns the node's path. */
  enqueue(request: unknown, queue = '/maas/queue'): string {
    const data = typeof request === 'string' ? request : JSON.stringify(request);
    const path = this.#next(`${queue}/qn-`);
    this.put(path, data);
    return path;
  }

  queued(queue = '/maas/queue'): string[] {
    return this.#children(queue).map((name) => Buffer.from(this.nodes.get(`${queue}/${name}`)?.data ?? []).toString());
  }

  /** As a user would with a manifest. */
  apply(name: string, model: Partial<Stored> & { namespace?: string }): void {
    const { namespace = 'fraud', ...rest } = model;
    this.models.set(`${namespace}/${name}`, {
      uid: `uid-${++this.#uid}`,
      version_: 1,
      deleting: false,
      stalled: false,
      invalid: undefined,
      createdAt: '2026-01-01T00:00:00Z',
      model: name,
      version: '1.0',
      instances: 1,
      memory: '512Mi',
      path: '/models/x',
      readFrom: 'Store',
      requests: [],
      removal: undefined,
      ...rest,
    });
  }

  scale(key: string, instances: number): void {
    const model = this.models.get(key);
    if (model === undefined) return;
    this.models.set(key, { ...model, instances, version_: model.version_ + 1 });
  }

  /** Instances by resource. */
  instances(): Record<string, number> {
    return Object.fromEntries([...this.models].map(([key, model]) => [key, model.instances]).sort());
  }

  become(state: 'connected' | 'suspended'): void {
    this.connected = state === 'connected';
    for (const listener of this.#listeners) listener({ type: state });
  }

  #zookeeper(check: (writes?: boolean) => void): QueueZooKeeper {
    const call = async (writes = false) => {
      await null;
      check(writes);
      if (!this.connected) throw new MaasError('ZOOKEEPER_UNREACHABLE', 'nobody answers');
    };
    const watch = (tell: () => void) => {
      const told = () => {
        if (this.connected) tell();
      };
      this.#watches.add(told);
      told();
      return { close: () => this.#watches.delete(told) };
    };
    return {
      state: () => (this.connected ? 'connected' : 'suspended'),
      onEvent: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      get: async (path) => {
        await call();
        const node = this.nodes.get(path);
        if (node === undefined) return undefined;
        const { data, czxid, ctime } = node;
        return { data, stat: { version: 0, czxid, ctime, numChildren: this.#children(path).length } };
      },
      children: async (path) => {
        await call();
        return this.nodes.has(path) ? this.#children(path) : undefined;
      },
      delete: async (path) => {
        await call(true);
        if (this.#children(path).length > 0) throw new MaasError('ZOOKEEPER_CONFLICT', `${path} has children`);
        const was = this.nodes.delete(path);
        this.#tell();
        return was;
      },
      transaction: async (operations) => {
        await call(true);
        for (const { type, path } of operations) {
          const missing =
            type === 'delete' ? !this.nodes.has(path) : !this.nodes.has(path.slice(0, path.lastIndexOf('/')));
          if (missing) throw new MaasError('ZOOKEEPER_CONFLICT', `${type} ${path}`);
        }
        for (const operation of operations) {
          if (operation.type === 'delete') this.nodes.delete(operation.path);
          else this.put(this.#next(operation.path), operation.data);
        }
        this.#tell();
      },
      ensurePath: async (path) => {
        await call(true);
        if (!this.nodes.has(path)) this.put(path, '');
      },
      watchNode: (path, onChange) => watch(() => onChange(this.nodes.get(path))),
      watchChildren: (path, onChange) => watch(() => onChange(this.#children(path))),
    };
  }

  #cluster(check: (writes?: boolean) => void): QueueCluster {
    const call = async (what: string, name: string) => {
      await null;
      check(what !== 'find' && what !== 'record');
      const error = this.failing(what, name);
      if (error !== undefined) throw error;
    };
    const inState = ({ namespace, name, uid, resourceVersion }: ObjectState) => {
      const model = this.models.get(`${namespace}/${name}`);
      if (model === undefined || model.uid !== uid || String(model.version_) !== resourceVersion) {
        throw new MaasError('CONFLICT', `${name} is not in that state any more`);
      }
      return model;
    };
    return {
      find: async (namespace, model, resourceName) => {
        await call('find', resourceName);
        return [...this.models]
          .map(([key, stored]) => ({ name: key.split('/')[1] ?? '', where: key.split('/')[0] ?? '', stored }))
          .filter(({ name, where, stored }) => where === namespace && (stored.model === model || name === resourceName))
          .map(({ name, stored }) => {
            const { uid, version_, ...rest } = stored;
            return { ...rest, state: { namespace, name, uid, resourceVersion: String(version_) } };
          });
      },
      create: async ({ name, namespace, requests, spec }) => {
        await call('create', name);
        if (this.models.has(`${namespace}/${name}`)) throw new MaasError('CONFLICT', `${name} already exists`);
        const { name: model, version, instances, memory, payload } = spec;
        const ids = parseRequestIds(requests);
        this.apply(name, { namespace, model, version, instances, memory, path: payload.path, requests: ids });
        const uid = this.models.get(`${namespace}/${name}`)?.uid ?? '';
        this.effects.push({ id: ids.at(-1) ?? '', uid, by: instances });
        return { kind: 'ModelDeployment', namespace, name, uid };
      },
      change: async (state, { instances, memory, requests, removal }) => {
        await call('change', state.name);
        const model = inState(state);
        const ids = parseRequestIds(requests);
        this.effects.push({ id: ids.at(-1) ?? '', uid: state.uid, by: instances - model.instances });
        this.models.set(`${state.namespace}/${state.name}`, {
          ...model,
          version_: model.version_ + 1,
          instances,
          memory: memory ?? model.memory,
          requests: ids,
          removal: removal ?? undefined,
        });
      },
      delete: async (state) => {
        await call('delete', state.name);
        inState(state);
        this.models.delete(`${state.namespace}/${state.name}`);
      },
      record: async () => {
        await call('record', recordConfigMap);
        if (this.record === undefined) return undefined;
        return {
          data: { ...this.record },
          state: { namespace: 'maas', name: recordConfigMap, uid: 'r', resourceVersion: String(this.#recordVersion) },
        };
      },
      writeRecord: async (over, patch) => {
        await call('writeRecord', recordConfigMap);
        const seen =
          over === undefined ? this.record === undefined : over.resourceVersion === String(this.#recordVersion);
        if (!seen) throw new MaasError('CONFLICT', 'the record is not in that state any more');
        const merged = Object.entries({ ...this.record, ...patch });
        this.record = Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== null));
        this.#recordVersion += 1;
        return { kind: 'ConfigMap', namespace: 'maas', name: recordConfigMap, uid: 'r' };
      },
      event: (about, event) => {
        this.events.push({ ...event, about: `${about.kind} ${about.namespace}/${about.name}` });
      },
    };
  }

  #children(path: string): string[] {
    const prefix = `${path}/`;
    return [...this.nodes.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length))
      .filter((name) => !name.includes('/'));
  }

  #next(prefix: string): string {
    const number = this.#sequence.get(prefix) ?? 0;
    this.#sequence.set(prefix, number + 1);
    return `${prefix}${String(number).padStart(10, '0')}`;
  }

  #tell(): void {
    for (const tell of [...this.#watches]) tell();
  }
}
