/** What is asked of a cluster to say whether it is well. It writes nothing. */
import { group } from '../../contracts/api-group.ts';
import { MaasError } from '../../contracts/errors.ts';
import { labels, managedBy } from '../../contracts/names.ts';
import { decodePin } from '../../contracts/pin-content.ts';
import { plural } from '../../contracts/resource.ts';
import type { KubeClient, Permission } from './client.ts';
import { plainObject } from './command-cluster.ts';
import {
  configMaps,
  customResourceDefinitions,
  deployments,
  type KubeObject,
  leases,
  namespaces,
  nodes,
  persistentVolumeClaims,
  priorityClasses,
  type ResourceKind,
  runtimeClasses,
  secrets,
  serviceAccounts,
} from './resource-kind.ts';

/** As much of what models refer to as is read of it: no values. */
interface Referenced extends KubeObject {
  readonly data?: Readonly<Record<string, unknown>>;
  readonly binaryData?: Readonly<Record<string, unknown>>;
}

const referenced = {
  Secret: secrets,
  ConfigMap: configMaps,
  ServiceAccount: serviceAccounts,
  PersistentVolumeClaim: persistentVolumeClaims,
  PriorityClass: priorityClasses,
  RuntimeClass: runtimeClasses,
} satisfies Readonly<Record<string, ResourceKind<Referenced>>>;

const operatorLabels = 'app.kubernetes.io/name=maas-operator';

export function clusterInspector(client: KubeClient, signal: AbortSignal) {
  return {
    async crd() {
      return plainObject(await client.get(customResourceDefinitions, { name: `${plural}.${group}` }, { signal }));
    },
    /** UID of the namespace kube-system, which names the cluster where the settings do not. */
    async clusterUid() {
      return (await client.get(namespaces, { name: 'kube-system' }, { signal }))?.metadata.uid;
    },
    async operators(namespace: string) {
      const { items } = await client.list(deployments, { namespace, labelSelector: operatorLabels, signal });
      return items.map((item) => plainObject(item));
    },
    async lease(namespace: string, name: string) {
      return plainObject(await client.get(leases, { namespace, name }, { signal }));
    },
    /** What keys an object has; undefined where there is no such object. */
    async keysOf(kind: keyof typeof referenced, namespace: string | undefined, name: string) {
      const kinds: Readonly<Record<typeof kind, ResourceKind<Referenced>>> = referenced;
      const object = namespace === undefined ? { name } : { namespace, name };
      const found = await client.get(kinds[kind], object, { signal });
      return found && Object.keys({ ...found.data, ...found.binaryData });
    },
    async pins(namespace: string | undefined) {
      const labelSelector = `${labels.managedBy}=${managedBy},${labels.owner}`;
      const { items } = await client.list(configMaps, { namespace, labelSelector, signal });
      return items.map(({ metadata, data, binaryData }) => {
        const { name, namespace: where = '' } = metadata;
        const owner = metadata.labels?.[labels.owner] ?? '';
        const pin = decodePin({ data, binaryData });
        // Whoever asks must not take it for a version that reads nothing.
        if (pin === undefined)
          throw new MaasError('RESOURCE_INVALID', `ConfigMap ${where}/${name} is no pinned payload`);
        return {
          namespace: where,
          name,
          owner,
          paths: [pin.path, ...(pin.copiedFrom === undefined ? [] : [pin.copiedFrom])],
        };
      });
    },
    async namespaceExists(name: string) {
      return (await client.get(namespaces, { name }, { signal })) !== undefined;
    },
    async nodes() {
      return (await client.list(nodes, { signal })).items.map((item) => plainObject(item));
    },
    /** May the service account do this; or, without one, the caller? */
    can(permission: Permission, account?: { readonly namespace: string; readonly name: string }) {
      const subject = account && {
        user: `system:serviceaccount:${account.namespace}:${account.name}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`, 'system:authenticated'],
      };
      return client.can(permission, { signal, subject });
    },
  };
}
