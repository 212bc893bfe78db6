/** The old queue's view of the cluster: ModelDeployments, the record and events, by the Kubernetes client. */
import { annotations } from '../../contracts/names.ts';
import type { ObjectState } from '../../contracts/object-state.ts';
import { autoscalersIn } from './autoscalers.ts';
import type { KubeClient } from './client.ts';
import type { EventRecorder, EventText } from './events.ts';
import { type ModelDeploymentObject, modelDeployments } from './model-cluster.ts';
import { configMaps, type KubeObject, type Stored } from './resource-kind.ts';

interface EventObject {
  readonly kind: 'ModelDeployment' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

interface NewModel {
  readonly name: string;
  readonly namespace: string;
  readonly requests: string;
  readonly payloadComplete: string;
  readonly spec: object;
}

interface ModelChange {
  readonly instances: number;
  readonly memory?: string;
  readonly requests: string;
  readonly payloadComplete?: string;
  readonly removal: string | null;
}

interface Autoscaler {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

export interface QueueClusterOptions<Model> {
  readonly client: KubeClient;
  readonly recorder: Pick<EventRecorder, 'record'>;
  /** The ConfigMap with the record. */
  readonly record: { readonly namespace: string; readonly name: string };
  /** The resources of a model as the watch has them; each is then read anew. */
  readonly known: (model: string) => readonly { readonly namespace: string; readonly name: string }[];
  /** What is to be known of each. */
  readonly project: (object: Stored<ModelDeploymentObject>, autoscaler: Autoscaler | undefined) => Model;
}

/** Every write is tied to the state that was seen: CONFLICT where the object is not in it any more. */
export function queueCluster<Model>({ client, recorder, record, known, project }: QueueClusterOptions<Model>) {
  const recordObject = (stored: Stored<KubeObject>): EventObject => ({
    kind: 'ConfigMap',
    ...record,
    uid: stored.metadata.uid,
  });
  return {
    /** The resources of this model in this namespace, and the one of this name. */
    async find(namespace: string, model: string, resourceName: string): Promise<readonly Model[]> {
      const names = known(model)
        .filter((each) => each.namespace === namespace)
        .map((each) => each.name);
      const found = await Promise.all(
        [...new Set([resourceName, ...names])].map((name) => client.get(modelDeployments, { namespace, name })),
      );
      const present = found.filter((object) => object !== undefined);
      if (present.length === 0) return [];
      const autoscalers = await autoscalersIn(client, namespace);
      return present.map((object) => project(object, autoscalers.get(object.metadata.name)));
    },

    async create({ name, namespace, requests, payloadComplete, spec }: NewModel): Promise<EventObject> {
      const done = { [annotations.queueRequests]: requests, [annotations.payloadComplete]: payloadComplete };
      const made = await client.create<ModelDeploymentObject>(modelDeployments, {
        metadata: { name, namespace, annotations: done },
        spec,
      });
      return { kind: 'ModelDeployment', namespace, name, uid: made.metadata.uid };
    },

    async change(state: ObjectState, change: ModelChange): Promise<void> {
      const { instances, memory, requests, payloadComplete, removal } = change;
      const { object, conditions } = split(state);
      const changed = {
        [annotations.queueRequests]: requests,
        [annotations.queueRemoval]: removal,
        ...(payloadComplete === undefined ? {} : { [annotations.payloadComplete]: payloadComplete }),
      };
      const spec = { instances, ...(memory === undefined ? {} : { memory }) };
      await client.mergePatch(modelDeployments, object, { metadata: { annotations: changed }, spec }, conditions);
    },

    async delete(state: ObjectState): Promise<void> {
      const { object, conditions } = split(state);
      await client.delete(modelDeployments, object, conditions);
    },

    async record(): Promise<
      { readonly data: Readonly<Record<string, string>>; readonly state: ObjectState } | undefined
    > {
      const found = await client.get(configMaps, record);
      if (found === undefined) return undefined;
      const { uid, resourceVersion } = found.metadata;
      return { data: found.data ?? {}, state: { ...record, uid, resourceVersion } };
    },

    /** Over this state of it, or made anew. Gives what events about it are about. */
    async writeRecord(
      over: ObjectState | undefined,
      patch: Readonly<Record<string, string | null>>,
    ): Promise<EventObject> {
      if (over === undefined) {
        const data = Object.entries(patch).filter((entry): entry is [string, string] => entry[1] !== null);
        return recordObject(await client.create(configMaps, { metadata: record, data: Object.fromEntries(data) }));
      }
      const { object, conditions } = split(over);
      return recordObject(await client.mergePatch(configMaps, object, { data: patch }, conditions));
    },

    event({ kind, ...object }: EventObject, event: EventText): void {
      const apiVersion = kind === 'ConfigMap' ? configMaps.apiVersion : modelDeployments.apiVersion;
      recorder.record({ apiVersion, kind, ...object }, event);
    },
  };
}

function split({ namespace, name, uid, resourceVersion }: ObjectState) {
  return { object: { namespace, name }, conditions: { uid, resourceVersion } };
}
