/**
 * Both sides of each model's version: what is to run here, and what clients find in ZooKeeper, ours and others'. Also the
 * shape of `status -o json`: fields are added, never renamed or removed. Pure.
 */
import type { Reason } from '../../contracts/reasons.ts';
import { compareAsClients, servedVersion } from '../../contracts/version-order.ts';
import type { Model } from '../cluster/model.ts';
import type { JsonShape } from '../define-command.ts';
import { viewOf } from '../output/model-view.ts';
import type { MarkerNode, Owner } from './owner.ts';
import { registrationsIn } from './registrations.ts';
import type { ZooKeeperSide } from './zookeeper-side.ts';

/** `statusFields` says what each field means. */
export interface StatusView {
  readonly kind: 'StatusReport';
  readonly apiVersion: 'cli.maas.dev/v1';
  readonly serviceRoot: string;
  readonly items: readonly VersionView[];
  readonly unreadable: readonly UnreadableView[];
  readonly queued: number | null;
}

export interface UnreadableView {
  readonly path: string;
  readonly reason: string;
}

export interface VersionView {
  readonly model: string;
  readonly version: string;
  readonly served: boolean;
  readonly resources: readonly ResourceView[];
  readonly registered: { readonly here: number; readonly otherCluster: number; readonly foreign: number };
  readonly endpoints: readonly RegisteredView[];
}

export interface ResourceView {
  readonly namespace: string;
  readonly resource: string;
  readonly desired: number;
  readonly ready: number | null;
  readonly reason: Reason;
  readonly paused: boolean;
}

export interface RegisteredView {
  readonly owner: Owner;
  readonly url: string | null;
  readonly functions: Readonly<Record<string, string>>;
  readonly path: string;
}

export interface StatusInput {
  readonly models: readonly Model[];
  readonly side: ZooKeeperSide;
  /** Undefined where nobody could tell it. */
  readonly clusterId: string | undefined;
}

/** Fields of `status -o json`, in the order of the output. */
export const statusFields: JsonShape['fields'] = [
  ['serviceRoot', 'Below which node of ZooKeeper clients look.'],
  ['items[].model', 'The model, as clients name it.'],
  ['items[].version', 'The version.'],
  ['items[].served', 'True for the version that clients get who name none.'],
  ['items[].resources[].namespace', 'Namespace of a ModelDeployment that wants this version.'],
  ['items[].resources[].resource', 'Its metadata.name.'],
  ['items[].resources[].desired', 'Wanted instances.'],
  ['items[].resources[].ready', 'Instances that answer; null before the operator has said anything.'],
  ['items[].resources[].reason', 'Reason of its Ready condition.'],
  ['items[].resources[].paused', 'True while the operator changes nothing, because `spec.paused` is set.'],
  ['items[].registered.here', 'Registrations of agents of this cluster.'],
  ['items[].registered.otherCluster', 'Registrations of agents of another cluster.'],
  ['items[].registered.foreign', 'Registrations of anybody else: the original, or somebody by hand.'],
  ['items[].endpoints[].owner', '`here`, `other-cluster` or `foreign`.'],
  ['items[].endpoints[].url', 'The URL that clients call; null where there is none.'],
  ['items[].endpoints[].functions', 'Paths of the functions by the names that clients use.'],
  ['items[].endpoints[].path', 'Path of the registration in ZooKeeper.'],
  ['unreadable[].path', 'A registration that clients cannot read; one of them hides all models.'],
  ['unreadable[].reason', 'Why they cannot.'],
  ['queued', 'Requests in the queue of the old deploy client; null where there is no queue that can be read.'],
];

/** @param wanted only this model, only this version */
export function statusView(
  { models, side, clusterId }: StatusInput,
  wanted: { readonly model: string | undefined; readonly version: string | undefined },
): StatusView {
  const rows = new Map<
    string,
    { model: string; version: string; resources: ResourceView[]; found: RegisteredView[] }
  >();
  const row = (model: string, version: string) => {
    const key = JSON.stringify([model, version]);
    const present = rows.get(key) ?? { model, version, resources: [], found: [] };
    rows.set(key, present);
    return present;
  };
  for (const model of models) row(model.spec.name, model.spec.version).resources.push(resourceView(model));

  const here = isHere(models, clusterId);
  const unreadable: UnreadableView[] = [];
  for (const found of registrationsIn(side, here)) {
    const { path } = found;
    if (found.problem !== undefined) unreadable.push({ path, reason: found.problem });
    else {
      const { model, version, owner, url = null, functions } = found;
      row(model, version).found.push({ owner, url, functions, path });
    }
  }
  const registered = Map.groupBy(
    [...rows.values()].filter(({ found }) => found.length > 0),
    ({ model }) => model,
  );
  const items = [...rows.values()]
    .filter(({ model }) => wanted.model === undefined || model === wanted.model)
    .filter(({ version }) => wanted.version === undefined || version === wanted.version)
    .sort((a, b) => compareAsClients(a.model, b.model) || compareAsClients(b.version, a.version))
    .map(({ model, version, resources, found }) => ({
      model,
      version,
      served: servedVersion((registered.get(model) ?? []).map((each) => each.version)) === version,
      resources,
      registered: {
        here: countOf(found, 'here'),
        otherCluster: countOf(found, 'other-cluster'),
        foreign: countOf(found, 'foreign'),
      },
      endpoints: found,
    }));
  const { requests } = side.queue;
  return {
    kind: 'StatusReport',
    apiVersion: 'cli.maas.dev/v1',
    serviceRoot: side.serviceRoot,
    items,
    unreadable,
    queued: requests.state === 'listed' ? requests.value.length : null,
  };
}

function countOf(found: readonly RegisteredView[], owner: Owner): number {
  return found.filter((each) => each.owner === owner).length;
}

function resourceView(model: Model): ResourceView {
  const { namespace, resource, desired, ready, state } = viewOf(model);
  return { namespace, resource, desired, ready, reason: state.reason, paused: state.paused };
}

/**
 * Of this cluster is what stands in its directory; where the cluster's id is not known, what an instance of a resource
 * that can be seen stands behind.
 */
function isHere(models: readonly Model[], clusterId: string | undefined): (marker: MarkerNode) => boolean {
  if (clusterId !== undefined) return ({ cluster }) => cluster === clusterId;
  const pods = new Set(
    models.flatMap(({ metadata, status }) => (status.endpoints ?? []).map(({ pod }) => `${metadata.namespace}/${pod}`)),
  );
  return ({ marker }) => marker !== undefined && marker !== 'revoked' && pods.has(`${marker.namespace}/${marker.pod}`);
}
