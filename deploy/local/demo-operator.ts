/** The demo's operator: in a namespace of its own, and serving only one other. */
import { writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { localState, projectRoot } from './cache.ts';
import { chartValues } from './demo-values.ts';
import { bundlePrograms } from './images.ts';
import { run } from './run.ts';
import { step } from './steps.ts';
import type { World } from './world.ts';

const release = 'maas-demo';
export const operatorNamespace = 'maas-demo-system';
/** The one that it serves. */
export const modelNamespace = 'maas-demo';

export type Command = (args: readonly string[], input?: string) => Promise<string>;

export interface Commands {
  /** With kubectl-maas as its plug-in. */
  readonly kubectl: Command;
  readonly helm: Command;
}

/** kubectl and Helm for the world's cluster. */
export function commandsFor({ tools, cluster }: World): Commands {
  if (!tools || !cluster) throw new Error('the cluster does not run');
  const env = {
    KUBECONFIG: cluster.kubeconfig,
    MAAS_OPERATOR_NAMESPACE: operatorNamespace,
    PATH: [join(projectRoot, 'dist'), join(tools.kubectl, '..'), process.env['PATH']].join(delimiter),
  };
  return {
    kubectl: (args, input = '') => run(tools.kubectl, args, { env, input }),
    helm: (args) => run(tools.helm, ['--kube-context', cluster.context, ...args], { env }),
  };
}

/** Installs or upgrades it, and has it check its own settings. */
export async function installOperator(world: World, { kubectl, helm }: Commands): Promise<void> {
  await step('Command kubectl maas', () => bundlePrograms('kubectl-maas'));
  await step('Install the operator', async (say) => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: modelNamespace } };
    await kubectl(['apply', '--filename', '-'], JSON.stringify(namespace));
    const values = join(localState, 'demo-values.json');
    writeFileSync(values, JSON.stringify(chartValues(world, modelNamespace), undefined, 2));
    await helm([
      ...['upgrade', '--install', release, join(projectRoot, 'charts/maas-operator')],
      ...['--namespace', operatorNamespace, '--create-namespace', '--values', values, '--wait', '--timeout', '2m'],
      ...(await crdOptions(world, kubectl)),
    ]);
    say(`in ${operatorNamespace}, for models in ${modelNamespace}`);
  });
  await step('It reaches ZooKeeper and HDFS', async () => {
    await helm(['test', release, '--namespace', operatorNamespace, '--timeout', '1m']);
  });
}

/** Deletes the models of an earlier run, and waits until their pods are gone. */
export async function removeModels(kubectl: Command): Promise<void> {
  const all = ['--all', '--namespace', modelNamespace, '--timeout', '60s'];
  await kubectl(['delete', 'modeldeployments.maas.dev', '--wait', ...all]);
  await kubectl(['wait', 'pods', '--for=delete', ...all]);
}

/** Takes everything that the demo put into the cluster out of it again, but for the CRD: others may use it by now. */
export async function removeDemo({ kubectl, helm }: Commands): Promise<void> {
  const namespaces = ['get', 'namespaces', modelNamespace, operatorNamespace, '--ignore-not-found', '--output', 'name'];
  const present = (await kubectl(namespaces)).split('\n').filter(Boolean);
  if (present.includes(`namespace/${modelNamespace}`)) await removeModels(kubectl);
  await helm(['uninstall', release, '--namespace', operatorNamespace, '--ignore-not-found', '--wait']);
  if (present.length > 0) await kubectl(['delete', ...present, '--timeout', '60s']);
}

/**
 * The CRD may be there already, from tests or from an installation that was taken away: it outlives both. In a cluster
 * of ours it becomes this version's; in somebody else's it is left alone.
 */
async function crdOptions(world: World, kubectl: Command): Promise<string[]> {
  if (world.cluster?.kind === 'kind') return ['--take-ownership'];
  const owner = '{.metadata.annotations.meta\\.helm\\.sh/release-namespace}';
  const crd = ['get', 'crd', 'modeldeployments.maas.dev', '--ignore-not-found'];
  const present = (await kubectl([...crd, '--output', 'name'])).trim() !== '';
  const ours = (await kubectl([...crd, '--output', `jsonpath=${owner}`])).trim() === operatorNamespace;
  return present && !ours ? ['--set', 'crds.install=false'] : [];
}
