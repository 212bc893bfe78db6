/** The old queue's view of the cluster: ModelDeployments, the record and events, by the Kubernetes client. */
import type { KubeClient } from '../adapters/kube/client.ts';
import type { EventRecorder } from '../adapters/kube/events.ts';
import { type ModelDeploymentObject, modelDeployments } from '../adapters/kube/model-cluster.ts';
import { configMaps, type KubeObject, type Stored } from '../adapters/kube/resource-kind.ts';
import { annotations } from '../contracts/names.ts';
import type { ObjectState, ObservedModel } from '../legacy/model-object.ts';
import type { QueueCluster } from '../legacy/ports.ts';
import { recordConfigMap } from '../legacy/queue-record.ts';
import { parseRequestIds } from '../legacy/request-id.ts';
import { type ResourceEntry, resourceEntry } from '../operator/views.ts';

/**
 * @param namespace the operator's own, where the record is
 * @param known the resources of a model as the watch has them; each is then read anew
 */
export function requestQueueCluster(
  client: KubeClient,
  recorder: Pick<EventRecorder, 'record'>,
  namespace: string,
  known: (model: string) => readonly ResourceEntry[],
): QueueCluster {
  const record = { namespace, name: recordConfigMap };
  const recordEvents = (stored: Stored<KubeObject>) =>
    ({ kind: 'ConfigMap', ...record, uid: stored.metadata.uid }) as const;
  return {
    async find(where, model, resourceName) {
      const names = known(model)
        .map(({ resource }) => resource.metadata)
        .filter((metadata) => metadata.namespace === where)
        .map((metadata) => metadata.name);
      const found = await Promise.all(
        [...new Set([resourceName, ...names])].map((name) => client.get(modelDeployments, { namespace: where, name })),
      );
      return found.filter((object) => object !== undefined).map((object) => observedModel(where, object));
    },

    async create({ name, namespace: where, requests, payloadComplete, spec }) {
      const done = { [annotations.queueRequests]: requests, [annotations.payloadComplete]: payloadComplete };
      const made = await client.create<ModelDeploymentObject>(modelDeployments, {
        metadata: { name, namespace: where, annotations: done },
        spec,
      });
      return { kind: 'ModelDeployment', namespace: where, name, uid: made.metadata.uid };
    },

    async change(state, { instances, memory, requests, payloadComplete, removal }) {
      const { object, conditions } = split(state);
      const changed = {
        [annotations.queueRequests]: requests,
        [annotations.queueRemoval]: removal,
        ...(payloadComplete === undefined ? {} : { [annotations.payloadComplete]: payloadComplete }),
      };
      const spec = { instances, ...(memory === undefined ? {} : { memory }) };
      await client.mergePatch(modelDeployments, object, { metadata: { annotations: changed }, spec }, conditions);
    },

    async delete(state) {
      const { object, conditions } = split(state);
      await client.delete(modelDeployments, object, { ...conditions, propagation: 'Background' });
    },

    async record() {
      const found = await client.get(configMaps, record);
      if (found === undefined) return undefined;
      const { uid, resourceVersion } = found.metadata;
      return { data: found.data ?? {}, state: { ...record, uid, resourceVersion } };
    },

    async writeRecord(over, patch) {
      if (over === undefined) {
        const data = Object.entries(patch).filter((entry): entry is [string, string] => entry[1] !== null);
        return recordEvents(await client.create(configMaps, { metadata: record, data: Object.fromEntries(data) }));
      }
      const { object, conditions } = split(over);
      return recordEvents(await client.mergePatch(configMaps, object, { data: patch }, conditions));
    },

    event({ kind, ...object }, event) {
      const apiVersion = kind === 'ConfigMap' ? configMaps.apiVersion : modelDeployments.apiVersion;
      recorder.record({ apiVersion, kind, ...object }, event);
    },
  };
}

function split({ namespace, name, uid, resourceVersion }: ObjectState) {
  return { object: { namespace, name }, conditions: { uid, resourceVersion } };
}

function observedModel(namespace: string, object: Stored<ModelDeploymentObject>): ObservedModel {
  const { resource, invalid } = resourceEntry(object);
  const { metadata, spec, status } = resource;
  return {
    state: { namespace, name: metadata.name, uid: metadata.uid, resourceVersion: metadata.resourceVersion },
    createdAt: metadata.creationTimestamp,
    deleting: metadata.deletionTimestamp !== undefined,
    stalled: status.conditions?.some(({ type, status: is }) => type === 'Stalled' && is === 'True') ?? false,
    invalid,
    model: spec.name,
    version: spec.version,
    instances: spec.instances,
    memory: spec.memory,
    path: spec.payload.path,
    requests: parseRequestIds(metadata.annotations[annotations.queueRequests]),
    removal: metadata.annotations[annotations.queueRemoval],
  };
}
