/** ModelDeployments as an API server keeps them, in memory: names are unique, writes need the state that they saw. */

import type { ApiObject, Cluster, ConfigMapState } from '../../src/cli/ports.ts';
import { MaasError } from '../../src/contracts/errors.ts';
import type { ObjectState } from '../../src/contracts/object-state.ts';
import type { Autoscaler } from '../../src/deploy-rules/autoscaler.ts';

interface Options {
  readonly namespace?: string;
  /** Called before each call is executed; a test decides when it goes on, or that it fails. */
  readonly before?: (call: string) => Promise<void>;
}

export class ModelStore {
  /** Writes that were done, in their order. */
  readonly writes: string[] = [];
  readonly configMaps = new Map<string, Record<string, string>>();
  readonly #configMapVersions = new Map<string, string>();
  readonly #objects = new Map<string, ApiObject>();
  #version = 0;

  /** Puts an object there, as a manifest or the operator would. Gives it what an API server gives. */
  put(object: { metadata: ApiObject; spec: ApiObject; status?: ApiObject }): ApiObject {
    this.#version += 1;
    const key = keyOf(String(object.metadata['namespace'] ?? 'fraud'), String(object.metadata['name']));
    const stored = {
      apiVersion: 'maas.dev/v1',
      kind: 'ModelDeployment',
      ...object,
      metadata: {
        namespace: 'fraud',
        uid: `uid-${this.#version}`,
        generation: 1,
        creationTimestamp: '2026-01-01T00:00:00Z',
        ...object.metadata,
        resourceVersion: String(this.#version),
      },
    };
    this.#objects.set(key, stored);
    return stored;
  }

  remove(name: string, namespace = 'fraud'): void {
    this.#objects.delete(keyOf(namespace, name));
  }

  peek(name: string, namespace = 'fraud'): ApiObject | undefined {
    return this.#objects.get(keyOf(namespace, name));
  }

  /** Changes parts of an object; the status when the operator writes it. */
  update(name: string, change: { metadata?: ApiObject; spec?: ApiObject; status?: ApiObject }): ApiObject {
    const present = this.peek(name);
    if (present === undefined) throw new Error(`there is no ${name}`);
    return this.put({
      metadata: { ...part(present, 'metadata'), ...change.metadata },
      spec: merged(part(present, 'spec'), change.spec),
      status: { ...part(present, 'status'), ...change.status },
    });
  }

  /** By the names of the resources that they are for. */
  readonly autoscalers = new Map<string, Autoscaler>();

  get all(): readonly ApiObject[] {
    return [...this.#objects.values()];
  }

  cluster({ namespace = 'fraud', before = async () => {} }: Options = {}): Cluster {
    return {
      namespace,
      list: async (where) => {
        await before('list');
        return this.all.filter((object) => where === undefined || part(object, 'metadata')['namespace'] === where);
      },
      get: async (where, name) => {
        await before('get');
        return this.peek(name, where);
      },
      create: async (manifest, dryRun) => {
        await before('create');
        const { name, namespace: where } = manifest.metadata;
        if (this.peek(name, where) !== undefined) throw new MaasError('CONFLICT', `${name} already exists`);
        if (dryRun) return { ...manifest, metadata: { ...manifest.metadata, uid: 'dry', resourceVersion: '' } };
        this.writes.push(`create ${name}`);
        return this.put({ metadata: manifest.metadata, spec: manifest.spec });
      },
      patch: async (state, { spec, annotations }, dryRun) => {
        await before('patch');
        const present = this.#inState(state);
        const changed = merged(part(present, 'spec'), spec);
        if (dryRun) return { ...present, spec: changed };
        this.writes.push(`patch ${state.name} ${JSON.stringify(spec)}`);
        const metadata = part(present, 'metadata');
        return this.update(state.name, {
          metadata: {
            generation: Number(metadata['generation']) + 1,
            ...(annotations === undefined ? {} : { annotations: { ...part(metadata, 'annotations'), ...annotations } }),
          },
          spec,
        });
      },
      delete: async (state, { dryRun, foreground }) => {
        await before('delete');
        this.#inState(state);
        if (dryRun) return;
        this.writes.push(`delete ${state.name}${foreground ? ' in the foreground' : ''}`);
        this.remove(state.name, state.namespace);
      },
      autoscalers: async () => this.autoscalers,
      configMap: async (where, name) => {
        await before('configMap');
        return this.configMaps.get(keyOf(where, name));
      },
      configMapState: async (where, name) => {
        await before('configMapState');
        return this.#configMapState(where, name);
      },
      makeConfigMap: async (where, name) => {
        await before('makeConfigMap');
        if (!this.configMaps.has(keyOf(where, name))) this.putConfigMap(where, name, {});
        return this.#configMapState(where, name) ?? { namespace: where, name, uid: '', resourceVersion: '', data: {} };
      },
      patchConfigMap: async ({ namespace: where, name, resourceVersion }, data) => {
        await before('patchConfigMap');
        const present = this.#configMapState(where, name);
        if (present?.resourceVersion !== resourceVersion) throw new MaasError('CONFLICT', `${name} has changed`);
        this.putConfigMap(where, name, { ...present.data, ...data });
      },
      serverVersion: async () => {
        await before('serverVersion');
        return 'v1.37.2';
      },
    };
  }

  putConfigMap(namespace: string, name: string, data: Record<string, string>): void {
    this.#version += 1;
    this.configMaps.set(keyOf(namespace, name), data);
    this.#configMapVersions.set(keyOf(namespace, name), String(this.#version));
  }

  #configMapState(namespace: string, name: string): ConfigMapState | undefined {
    const data = this.configMaps.get(keyOf(namespace, name));
    const resourceVersion = this.#configMapVersions.get(keyOf(namespace, name)) ?? '0';
    return data && { namespace, name, uid: `uid-of-${name}`, resourceVersion, data };
  }

  #inState({ namespace, name, uid, resourceVersion }: ObjectState): ApiObject {
    const present = this.peek(name, namespace);
    const metadata = present === undefined ? {} : part(present, 'metadata');
    if (present === undefined || metadata['uid'] !== uid || metadata['resourceVersion'] !== resourceVersion) {
      throw new MaasError('CONFLICT', `${name} is not in that state any more`);
    }
    return present;
  }
}

/** As a JSON merge patch does it: what is null goes. */
function merged(object: ApiObject, patch: ApiObject = {}): ApiObject {
  const isObject = (value: unknown): value is ApiObject =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const changed = Object.entries(patch).map(([key, value]) => {
    const before = object[key];
    return [key, isObject(before) && isObject(value) ? merged(before, value) : value];
  });
  const all = Object.entries({ ...object, ...Object.fromEntries(changed) });
  return Object.fromEntries(all.filter(([, value]) => value !== null));
}

export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

export function part(object: ApiObject, key: string): ApiObject {
  const value = object[key];
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Three models of two names in one namespace, one of them again in another. */
export function someModels(): ModelStore {
  const store = new ModelStore();
  const model = (name: string, version: string, namespace: string, status = {}) =>
    store.put({
      metadata: { name: `${name}-${version}`, namespace },
      spec: { name, version, instances: 1, memory: '1Gi', payload: { path: 'p' } },
      status,
    });
  model('echo', '1.0', 'fraud');
  model('dga', '2.0', 'fraud', { serving: '1.5' });
  model('dga', '1.0', 'fraud');
  model('dga', '1.0', 'lab');
  return store;
}
