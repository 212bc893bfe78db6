/** The cluster as `kubectl maas` reads and writes it: ModelDeployments and ConfigMaps, as whoever calls it. */
import type { ObjectState } from '../../contracts/object-state.ts';
import { autoscalersIn } from './autoscalers.ts';
import type { KubeClient } from './client.ts';
import { modelDeployments } from './model-cluster.ts';
import { type ConfigMap, configMaps, type KubeObject, type Stored } from './resource-kind.ts';

/** Owns the fields that the commands apply. */
const fieldManager = 'kubectl-maas';

interface Manifest {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: object;
}

/** @param namespace that of the kubeconfig's context */
export function commandCluster(client: KubeClient, namespace: string, signal: AbortSignal) {
  const configMap = (where: string, name: string) => client.get(configMaps, { namespace: where, name }, { signal });
  return {
    namespace,
    async list(where: string | undefined) {
      const { items } = await client.list(modelDeployments, { namespace: where, signal });
      return items.map((item) => plainObject(item));
    },
    async get(where: string, name: string) {
      return plainObject(await client.get(modelDeployments, { namespace: where, name }, { signal }));
    },
    async create(manifest: Manifest, dryRun: boolean) {
      return plainObject(await client.create(modelDeployments, structuredClone(manifest), { dryRun, signal }));
    },
    async patch(
      { uid, resourceVersion, ...object }: ObjectState,
      { spec, annotations }: { readonly spec: object; readonly annotations?: Readonly<Record<string, string>> },
      dryRun: boolean,
    ) {
      const patch = { ...(annotations === undefined ? {} : { metadata: { annotations } }), spec };
      const options = { uid, resourceVersion, dryRun, signal };
      return plainObject(await client.mergePatch(modelDeployments, object, patch, options));
    },
    async delete(
      { uid, resourceVersion, ...object }: ObjectState,
      { foreground, dryRun }: { readonly foreground: boolean; readonly dryRun: boolean },
    ) {
      await client.delete(modelDeployments, object, { uid, resourceVersion, foreground, dryRun, signal });
    },
    autoscalers: (where: string) => autoscalersIn(client, where, signal),
    async configMap(where: string, name: string) {
      const found = await configMap(where, name);
      return found && (found.data ?? {});
    },
    async configMapState(where: string, name: string) {
      const found = await configMap(where, name);
      return found && configMapState(found);
    },
    async makeConfigMap(where: string, name: string) {
      const object: ConfigMap = { metadata: { namespace: where, name } };
      return configMapState(await client.apply(configMaps, object, { fieldManager, signal }));
    },
    async patchConfigMap({ uid, resourceVersion, ...object }: ObjectState, data: Readonly<Record<string, string>>) {
      const { namespace: where, name } = object;
      await client.mergePatch(configMaps, { namespace: where, name }, { data }, { uid, resourceVersion, signal });
    },
    serverVersion: () => client.serverVersion({ signal }),
  };
}

function configMapState({ metadata, data }: Stored<ConfigMap>) {
  const { namespace = '', name, uid, resourceVersion } = metadata;
  return { namespace, name, uid, resourceVersion, data: data ?? {} };
}

/** An object that is read field by field. */
export function plainObject(object: KubeObject): Readonly<Record<string, unknown>>;
export function plainObject(object: KubeObject | undefined): Readonly<Record<string, unknown>> | undefined;
export function plainObject(object: KubeObject | undefined): Readonly<Record<string, unknown>> | undefined {
  return object && { ...object };
}
