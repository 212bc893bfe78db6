/** Joins the operator's stores with watches on the cluster. */
import type { KubeClient } from '../adapters/kube/client.ts';
import { modelDeployments } from '../adapters/kube/model-cluster.ts';
import { configMaps, deployments, podDisruptionBudgets, pods } from '../adapters/kube/resource-kind.ts';
import { startWatch } from '../adapters/kube/watch.ts';
import { WatchStore } from '../adapters/kube/watch-store.ts';
import { modesConfigMap, modesKey } from '../contracts/modes.ts';
import { labels } from '../contracts/names.ts';
import { type ResourceEntry, resourceEntry } from '../contracts/resource-entry.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { ModesObject, News, PlannedKind } from '../manager/ports.ts';
import { budgetView, deploymentView, type Owned, pinView, podView } from '../operator/views.ts';
import type { BudgetView, DeploymentView, PinView, PodView } from '../plan/observation.ts';

type OperatorStores = ReturnType<typeof operatorStores>;

interface Cluster {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Namespaces to be served; empty means all. */
  readonly namespaces: readonly string[];
  /** The operator's own. */
  readonly namespace: string;
}

export function operatorStores() {
  const owner = ({ ownerUid }: Owned<unknown>) => ownerUid;
  return {
    resources: new WatchStore<ResourceEntry>(({ resource }) => resource.spec.name),
    deployments: new WatchStore<Owned<DeploymentView>>(owner),
    pins: new WatchStore<Owned<PinView>>(owner),
    budgets: new WatchStore<Owned<BudgetView>>(owner),
    pods: new WatchStore<Owned<PodView>>(owner),
    modes: new WatchStore<ModesObject>(),
  };
}

export function startOperatorWatches(stores: OperatorStores, cluster: Cluster, news: News) {
  const { client, clock, log, namespaces, namespace } = cluster;
  const common = { client, clock, log };
  const served = (kind: PlannedKind) => ({
    ...common,
    namespaces: namespaces.length === 0 ? undefined : namespaces,
    onAccess: (where: string | undefined, refusal: unknown) => news.access(kind, where, refusal),
  });
  const children = (kind: PlannedKind) => ({
    ...served(kind),
    labelSelector: labels.owner,
    onChange: news.child,
  });
  return {
    resources: startWatch({
      ...served('resources'),
      kind: modelDeployments,
      project: resourceEntry,
      store: stores.resources,
      onChange: news.resource,
    }),
    deployments: startWatch({
      ...children('deployments'),
      kind: deployments,
      project: deploymentView,
      store: stores.deployments,
    }),
    pins: startWatch({ ...children('pins'), kind: configMaps, project: pinView, store: stores.pins }),
    budgets: startWatch({
      ...children('budgets'),
      kind: podDisruptionBudgets,
      project: budgetView,
      store: stores.budgets,
    }),
    pods: startWatch({ ...children('pods'), kind: pods, project: podView, store: stores.pods }),
    modes: startWatch({
      ...common,
      namespaces: [namespace],
      fieldSelector: `metadata.name=${modesConfigMap}`,
      kind: configMaps,
      project: ({ metadata, data }) => ({ uid: metadata.uid, text: data?.[modesKey] }),
      store: stores.modes,
      onChange: news.modes,
    }),
  };
}
