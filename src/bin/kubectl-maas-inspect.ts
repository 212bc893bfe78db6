/** Joins the commands that look around with the cluster, ZooKeeper and HDFS. None of it writes. */

import type { KubeClient } from '../adapters/kube/client.ts';
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
} from '../adapters/kube/resource-kind.ts';
import { openHdfs } from '../adapters/webhdfs/hdfs.ts';
import { nameNodeStates } from '../adapters/webhdfs/name-node-state.ts';
import { ZooKeeper } from '../adapters/zookeeper/zookeeper.ts';
import type {
  ApiObject,
  ClusterInspector,
  HdfsReader,
  ReferencedKind,
  ZooKeeperChoice,
  ZooKeeperReader,
} from '../cli/ports.ts';
import { parseHdfsPath } from '../contracts/hdfs-path.ts';
import { group, plural } from '../contracts/resource.ts';
import type { HdfsSettings } from '../contracts/settings.ts';
import { silentLog } from '../kernel/log.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { directoryOf } from '../payload/hdfs-directory.ts';
import { listPayload } from '../payload/list-payload.ts';
import { checkPayloadPaths } from '../payload/payload-rules.ts';
import { tokenOf } from './hdfs-token.ts';

/** As much of what models refer to as is read of it: no values. */
interface Referenced extends KubeObject {
  readonly data?: Readonly<Record<string, unknown>>;
  readonly binaryData?: Readonly<Record<string, unknown>>;
}

const referenced: Readonly<Record<ReferencedKind, ResourceKind<Referenced>>> = {
  Secret: secrets,
  ConfigMap: configMaps,
  ServiceAccount: serviceAccounts,
  PersistentVolumeClaim: persistentVolumeClaims,
  PriorityClass: priorityClasses,
  RuntimeClass: runtimeClasses,
};

const operatorLabels = 'app.kubernetes.io/name=maas-operator';

export function inspectorOf(client: KubeClient, signal: AbortSignal): ClusterInspector {
  return {
    crd: async () => plain(await client.get(customResourceDefinitions, { name: `${plural}.${group}` }, { signal })),
    clusterUid: async () => (await client.get(namespaces, { name: 'kube-system' }, { signal }))?.metadata.uid,
    operators: async (namespace) => {
      const { items } = await client.list(deployments, { namespace, labelSelector: operatorLabels, signal });
      return items.map((item) => ({ ...item }));
    },
    lease: async (namespace, name) => plain(await client.get(leases, { namespace, name }, { signal })),
    keysOf: async (kind, namespace, name) => {
      const found = await client.get(referenced[kind], namespace === undefined ? { name } : { namespace, name }, {
        signal,
      });
      return found && Object.keys({ ...found.data, ...found.binaryData });
    },
    namespaceExists: async (name) => (await client.get(namespaces, { name }, { signal })) !== undefined,
    nodes: async () => (await client.list(nodes, { signal })).items.map((item) => ({ ...item })),
    can: (permission, account) =>
      client.can(permission, {
        signal,
        subject: account && {
          user: `system:serviceaccount:${account.namespace}:${account.name}`,
          groups: ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`, 'system:authenticated'],
        },
      }),
  };
}

function plain(object: KubeObject | undefined): ApiObject | undefined {
  return object && { ...object };
}

export function zookeeperReader({ quorum, sessionTimeoutMs }: ZooKeeperChoice): ZooKeeperReader {
  // What goes wrong with the connection is in the error of whoever waits for it.
  return new ZooKeeper({ quorum, sessionTimeoutMs, clock: systemClock, log: silentLog });
}

export function hdfsReader(settings: HdfsSettings, env: NodeJS.ProcessEnv, signal: AbortSignal): HdfsReader {
  // Somebody waits for the answer: a name node that is away is tried once.
  const impatient = { clock: systemClock, rounds: 1, ...tokenOf(env) };
  return {
    async reach(nameservice) {
      const hdfs = openHdfs(settings, nameservice, impatient);
      await hdfs.home(signal);
      await hdfs.list('/', { limit: 1, signal });
    },
    nameNodes: (nameservice) => nameNodeStates(settings, nameservice, impatient, signal),
    async payload(path) {
      const location = parseHdfsPath(path, settings);
      const hdfs = openHdfs(settings, location.nameservice, impatient);
      const directory = await directoryOf(hdfs, location, signal);
      const files = await listPayload(hdfs, directory, signal);
      const script = checkPayloadPaths(
        directory,
        files.map((file) => file.path),
      );
      const bytes = files.reduce((sum, { status }) => sum + status.length, 0);
      return { path: directory, script, files: files.length, bytes };
    },
  };
}
