/** Looks for the instances of a model where it can be looked. */
import { podUidOf } from '../../contracts/names.ts';
import { type Model, registeredState } from '../cluster/model.ts';
import { modelsInSight } from '../cluster/models-in-sight.ts';
import type { Everywhere } from '../options/shared-options.ts';
import { counted } from '../output/counted.ts';
import type { Cluster, Ports } from '../ports.ts';
import { registrationsIn } from '../zookeeper/registrations.ts';
import { clusterIdOf, findZooKeeper, withZooKeeper } from '../zookeeper/zookeeper-access.ts';
import { readZooKeeperSide, type ZooKeeperSide } from '../zookeeper/zookeeper-side.ts';
import type { Instance, Registered, Source } from './instances.ts';

/** What a registration without functions has for clients. */
const defaultFunctions = { apply: 'apply' };

export interface Search extends Pick<Everywhere, 'namespace' | 'operatorNamespace' | 'cluster'> {
  readonly model: string;
  readonly from: Source;
  readonly zookeeper: string | undefined;
}

/** @throws MaasError CLUSTER_*, and from ZooKeeper SETTINGS_*, ZOOKEEPER_* */
export async function findInstances(search: Search, ports: Ports, cluster: Cluster): Promise<Registered> {
  return search.from === 'status'
    ? fromStatus(search.model, await modelsInSight(cluster, search.namespace))
    : await fromZooKeeper(search, ports, cluster);
}

export function fromStatus(model: string, models: readonly Model[]): Registered {
  const resources = models.filter(({ spec }) => spec.name === model);
  const unlisted = resources.reduce(
    (sum, { status }) => sum + (status.endpointsTotal ?? 0) - (status.endpoints?.length ?? 0),
    0,
  );
  return {
    model,
    source: 'status',
    where: "the resources' status",
    notes: unlisted > 0 ? [`${counted(unlisted, 'instance')} more than the status lists are not called`] : [],
    instances: resources.flatMap(({ metadata: { namespace }, status }) =>
      (status.endpoints ?? []).flatMap(({ pod, version, url, functions = defaultFunctions, state }): Instance[] =>
        state === registeredState && url !== undefined
          ? [{ version, name: pod, url, functions, pod: { namespace, name: pod } }]
          : [],
      ),
    ),
  };
}

async function fromZooKeeper(search: Search, ports: Ports, cluster: Cluster): Promise<Registered> {
  const where = await findZooKeeper(cluster, search.operatorNamespace, search.zookeeper);
  const [side, clusterId] = await Promise.all([
    withZooKeeper(ports, where.zookeeper, (reader) => readZooKeeperSide(reader, where.zookeeper)),
    clusterIdOf(where.published, () => ports.inspect(search.cluster).clusterUid()),
  ]);
  return fromSide(search.model, side, clusterId);
}

export function fromSide(model: string, side: ZooKeeperSide, clusterId: string | undefined): Registered {
  const all = registrationsIn(side, ({ cluster }) => cluster === clusterId);
  const unreadable = all.filter(({ problem }) => problem !== undefined).length;
  const blind = `clients cannot read ${counted(unreadable, 'registration')}, which hides all models from them: see \`kubectl maas doctor\``;
  return {
    model,
    source: 'zookeeper',
    where: `ZooKeeper below ${side.serviceRoot}`,
    notes: unreadable > 0 ? [blind] : [],
    instances: all.flatMap((found): Instance[] => {
      if (found.problem !== undefined || found.model !== model || found.url === undefined) return [];
      const id = found.path.slice(found.path.lastIndexOf('/') + 1);
      const { version, url, functions } = found;
      return [{ version, name: id, url, functions, pod: found.owner === 'here' ? podOf(id, side) : undefined }];
    }),
  };
}

function podOf(id: string, { markers }: ZooKeeperSide): Instance['pod'] {
  if (podUidOf(id) === undefined) return undefined;
  for (const { marker } of markers.get(id) ?? []) {
    if (marker !== undefined && marker !== 'revoked') return { namespace: marker.namespace, name: marker.pod };
  }
  return undefined;
}
