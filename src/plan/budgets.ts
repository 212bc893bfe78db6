/**
 * The PodDisruptionBudget of each version that is there: how many of its instances the drain of nodes may take away at
 * once. See docs/adr/0028.
 *
 * 1. Each version has its own. One over all versions would count the instances of a new one that does not come up, and
 *    so keep the instances that serve on their nodes for ever.
 * 2. At least one may go, always: one instance never holds up a drain, and neither does a broken one.
 * 3. What it says follows from the resource and the settings at once. It concerns no pod's spec, so nothing restarts.
 */
import type { ModelDeployment } from '../contracts/resource.ts';
import type { OperatorSettings } from '../contracts/settings.ts';
import { childMetadata, type Manifest, selectorOf } from './children.ts';
import { driftOf } from './drift.ts';
import type { BudgetView, DeploymentView, Observation } from './observation.ts';

const budgetApi = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' } as const;

type Settings = Pick<OperatorSettings, 'model'>;

/** Undefined where nobody wants a budget. */
function budgetManifest(resource: ModelDeployment, version: DeploymentView, settings: Settings): Manifest | undefined {
  const wanted = resource.spec.disruptionBudget ?? settings.model.disruptionBudget ?? undefined;
  if (wanted === undefined) return undefined;
  return {
    ...budgetApi,
    metadata: childMetadata(resource, version.name, version.versionKey),
    spec: {
      maxUnavailable: wanted.maxUnavailable,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: selectorOf(resource, version.versionKey) },
    },
  };
}

/**
 * @param superfluous versions that are about to go
 * @returns what is missing or says something else
 */
export function budgetsToApply(
  { resource, deployments, budgets }: Observation,
  superfluous: readonly DeploymentView[],
  settings: Settings,
): readonly { readonly manifest: Manifest; readonly why: string }[] {
  return deployments
    .filter((version) => !version.deleting && !superfluous.includes(version))
    .flatMap((version) => {
      const manifest = budgetManifest(resource, version, settings);
      const live = budgets.find((budget) => budget.name === version.name);
      if (manifest === undefined || live?.deleting === true) return [];
      if (live === undefined) return [{ manifest, why: 'let a drain take instances away one after the other' }];
      const difference = driftOf(manifest['spec'], live.spec);
      return difference === undefined ? [] : [{ manifest, why: `another budget: ${difference}` }];
    });
}

/** Those of versions that are gone, and all where nobody wants any. */
export function budgetsToRemove({ resource, deployments, budgets }: Observation, settings: Settings) {
  const useful = (budget: BudgetView) =>
    deployments.some(
      (version) => version.name === budget.name && budgetManifest(resource, version, settings) !== undefined,
    );
  return budgets
    .filter((budget) => !budget.deleting && !useful(budget))
    .map(({ name, uid }) => ({ ...budgetApi, name, uid, why: 'nothing is left that it is for' }));
}
