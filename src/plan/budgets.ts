/**
 * The PodDisruptionBudget of each version that is there: how many of its instances the drain of nodes may take away at
 * once. See docs/adr/0028.
 *
 * 1. Each version has its own. One over all versions would count the instances of a new one that does not come up, and
 *    so keep the instances that serve on their nodes for ever.
 * 2. At least one may go, always: one instance never holds up a drain, and neither does a broken one.
 * 3. Except while the wanted version has only a part of its instances, for want of room (`Surge`): then one stays, because it
 *    may be all that is served. That ends with the switch, and with the pods of the version before.
 * 4. What it says follows from the resource and the settings at once. It concerns no pod's spec, so nothing restarts.
 */
import type { ModelDeployment } from '../contracts/resource.ts';
import type { OperatorSettings } from '../contracts/settings.ts';
import { childMetadata, type Manifest, selectorOf } from './children.ts';
import { driftOf } from './drift.ts';
import type { BudgetView, DeploymentView, Observation } from './observation.ts';

const budgetApi = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' } as const;

type Settings = Pick<OperatorSettings, 'model'>;

function budgetOf({ spec }: ModelDeployment, { model }: Settings): { maxUnavailable: number | string } | undefined {
  return spec.disruptionBudget ?? model.disruptionBudget ?? undefined;
}

/** How many of so many instances may be away, as Kubernetes counts it: shares are rounded up. */
function mayBeAway(maxUnavailable: number | string, instances: number): number {
  if (typeof maxUnavailable === 'number') return maxUnavailable;
  return Math.ceil((Number.parseInt(maxUnavailable, 10) * instances) / 100);
}

/** @param replicas instances that a version is to have now, of those that the resource wants */
function allowedOf(maxUnavailable: number | string, instances: number, replicas: number): number | string {
  if (replicas >= instances || mayBeAway(maxUnavailable, instances) >= instances) return maxUnavailable;
  const away = mayBeAway(maxUnavailable, replicas);
  return away < replicas ? maxUnavailable : Math.max(0, replicas - 1);
}

/**
 * Undefined where nobody wants a budget.
 * @param replicas instances that the wanted version is to have now
 */
function budgetManifest(
  { resource, key }: Pick<Observation, 'resource' | 'key'>,
  version: DeploymentView,
  replicas: number,
  settings: Settings,
): Manifest | undefined {
  const wanted = budgetOf(resource, settings);
  if (wanted === undefined) return undefined;
  return {
    ...budgetApi,
    metadata: childMetadata(resource, version.name, version.versionKey),
    spec: {
      maxUnavailable:
        version.versionKey === key
          ? allowedOf(wanted.maxUnavailable, resource.spec.instances, replicas)
          : wanted.maxUnavailable,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: selectorOf(resource, version.versionKey) },
    },
  };
}

/**
 * @param superfluous versions that are about to go
 * @param replicas instances that the wanted version is to have now
 * @returns what is missing or says something else
 */
export function budgetsToApply(
  { resource, key, deployments, budgets }: Observation,
  superfluous: readonly DeploymentView[],
  replicas: number,
  settings: Settings,
): readonly { readonly manifest: Manifest; readonly why: string }[] {
  return deployments
    .filter((version) => !version.deleting && !superfluous.includes(version))
    .flatMap((version) => {
      const manifest = budgetManifest({ resource, key }, version, replicas, settings);
      const live = budgets.find((budget) => budget.name === version.name);
      if (manifest === undefined || live?.deleting === true) return [];
      if (live === undefined) return [{ manifest, why: 'let a drain take instances away one after the other' }];
      const difference = driftOf(manifest['spec'], live.spec);
      return difference === undefined ? [] : [{ manifest, why: `another budget: ${difference}` }];
    });
}

/** Those of versions that are gone, and all where nobody wants any. */
export function budgetsToRemove({ resource, deployments, budgets }: Observation, settings: Settings) {
  const isWanted = budgetOf(resource, settings) !== undefined;
  const useful = ({ name }: BudgetView) => isWanted && deployments.some((version) => version.name === name);
  return budgets
    .filter((budget) => !budget.deleting && !useful(budget))
    .map(({ name, uid }) => ({ ...budgetApi, name, uid, why: 'nothing is left that it is for' }));
}
