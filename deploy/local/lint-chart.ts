/** Part of `make lint`: Helm's own check, then every object that the chart makes as a real API server judges it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bringUpCluster } from './bring-up.ts';
import { projectRoot } from './cache.ts';
import { run } from './run.ts';
import { program, step } from './steps.ts';
import { readWorld } from './world.ts';

const chart = join(projectRoot, 'charts/maas-operator');
const valuesDirectory = join(chart, 'ci');

await program(async () => {
  await bringUpCluster();
  const { tools, cluster } = readWorld();
  if (!tools || !cluster) throw new Error('the cluster does not run');
  const kubectl = (args: readonly string[], input = '') =>
    run(tools.kubectl, ['--kubeconfig', cluster.kubeconfig, ...args], { input });

  for (const values of readdirSync(valuesDirectory).sort()) {
    await step(`Chart with ${values}`, async () => {
      const file = join(valuesDirectory, values);
      await run(tools.helm, ['lint', '--strict', chart, '--values', file]);
      const rendered = await run(tools.helm, ['template', 'lint', chart, '--namespace', 'default', '--values', file]);
      await kubectl(['apply', '--dry-run=server', '--validate=strict', '--filename', '-'], rendered);
    });
  }
  await step('CRD', async () => {
    await kubectl([
      'apply',
      '--server-side',
      '--force-conflicts',
      '--dry-run=server',
      '--filename',
      join(projectRoot, 'crds'),
    ]);
  });
});
