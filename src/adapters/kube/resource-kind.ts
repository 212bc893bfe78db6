/**
 * What the client must know of a kind to find it on the API server, and the shapes of objects as they travel in JSON.
 */
import type {
  CoreV1Event,
  V1ConfigMap,
  V1CustomResourceDefinition,
  V1Deployment,
  V1Lease,
  V1Namespace,
  V1Node,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1PriorityClass,
  V1RuntimeClass,
  V1Secret,
  V1ServiceAccount,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node';

/**
 * An object of the library's models as it is in JSON: times are RFC 3339 strings (the models say Date) and fields
 * whose name is a word of the language have no underscore in front.
 */
type Wire<T> = T extends Date
  ? string
  : T extends (infer Item)[]
    ? Wire<Item>[]
    : T extends object
      ? { [Key in keyof T as Key extends `_${infer Plain}` ? Plain : Key]: Wire<T[Key]> }
      : T;

/** The least that every object of the API has or may have. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata?: {
    name?: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
}

/** An object that came from the API server: it has a name, a UID and a resourceVersion, which the client checked. */
export type Stored<T extends KubeObject> = T & {
  metadata: { name: string; uid: string; resourceVersion: string };
};

declare const objectType: unique symbol;

/** A kind of objects, `T` as they are in JSON. */
export interface ResourceKind<T extends KubeObject> {
  /** `v1` or `group/version`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** Lower case, as in URLs and RBAC rules. */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly [objectType]?: T;
}

/** Names one object of a known kind; `namespace` only where the kind has one. */
export interface ObjectName {
  readonly namespace?: string;
  readonly name: string;
}

const namespaced = <T extends KubeObject>(apiVersion: string, kind: string, plural: string): ResourceKind<T> => ({
  apiVersion,
  kind,
  plural,
  namespaced: true,
});
const clusterWide = <T extends KubeObject>(apiVersion: string, kind: string, plural: string): ResourceKind<T> => ({
  apiVersion,
  kind,
  plural,
  namespaced: false,
});

export type Deployment = Wire<V1Deployment>;
export type ConfigMap = Wire<V1ConfigMap>;
export type Lease = Wire<V1Lease>;
export type Event = Wire<CoreV1Event>;

export const pods = namespaced<Wire<V1Pod>>('v1', 'Pod', 'pods');
export const configMaps = namespaced<ConfigMap>('v1', 'ConfigMap', 'configmaps');
export const secrets = namespaced<Wire<V1Secret>>('v1', 'Secret', 'secrets');
export const events = namespaced<Event>('v1', 'Event', 'events');
export const deployments = namespaced<Deployment>('apps/v1', 'Deployment', 'deployments');
export const podDisruptionBudgets = namespaced<Wire<V1PodDisruptionBudget>>(
  'policy/v1',
  'PodDisruptionBudget',
  'poddisruptionbudgets',
);
export const horizontalPodAutoscalers = namespaced<Wire<V2HorizontalPodAutoscaler>>(
  'autoscaling/v2',
  'HorizontalPodAutoscaler',
  'horizontalpodautoscalers',
);
export const leases = namespaced<Lease>('coordination.k8s.io/v1', 'Lease', 'leases');
export const namespaces = clusterWide<Wire<V1Namespace>>('v1', 'Namespace', 'namespaces');
export const nodes = clusterWide<Wire<V1Node>>('v1', 'Node', 'nodes');
export const serviceAccounts = namespaced<Wire<V1ServiceAccount>>('v1', 'ServiceAccount', 'serviceaccounts');
export const persistentVolumeClaims = namespaced<Wire<V1PersistentVolumeClaim>>(
  'v1',
  'PersistentVolumeClaim',
  'persistentvolumeclaims',
);
export const priorityClasses = clusterWide<Wire<V1PriorityClass>>(
  'scheduling.k8s.io/v1',
  'PriorityClass',
  'priorityclasses',
);
export const runtimeClasses = clusterWide<Wire<V1RuntimeClass>>('node.k8s.io/v1', 'RuntimeClass', 'runtimeclasses');
export const customResourceDefinitions = clusterWide<Wire<V1CustomResourceDefinition>>(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
);

/** The group of an apiVersion, empty for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** How RBAC and kubectl name the kind: `pods`, `deployments.apps`. */
export function qualifiedName(kind: ResourceKind<KubeObject>): string {
  const group = groupOf(kind.apiVersion);
  return group === '' ? kind.plural : `${kind.plural}.${group}`;
}

/**
 * The URL path of a collection: of one namespace, or of all when none is given.
 * @throws TypeError for a namespace on a cluster-wide kind, a programming error
 */
export function collectionPath(kind: ResourceKind<KubeObject>, namespace?: string): string {
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  if (namespace === undefined) return `${root}/${kind.plural}`;
  if (!kind.namespaced) throw new TypeError(`${kind.kind} has no namespace`);
  return `${root}/namespaces/${segment(namespace)}/${kind.plural}`;
}

/**
 * The URL path of one object, or of a subresource of it.
 * @throws TypeError when the namespace is missing or out of place, a programming error
 */
export function objectPath(kind: ResourceKind<KubeObject>, object: ObjectName, subresource?: 'status'): string {
  if (kind.namespaced && object.namespace === undefined) throw new TypeError(`${kind.kind} needs a namespace`);
  const path = `${collectionPath(kind, object.namespace)}/${segment(object.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** A name as one path segment; an empty one or dots would address something else. */
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..') throw new TypeError(`not the name of an object: "${name}"`);
  return encodeURIComponent(name);
}
