/** `kubectl maas resume`: the operator carries out again what a model's resource asks for. */
import { readModel, stateOf } from '../cluster/model.ts';
import { changeableModel } from '../cluster/named-model.ts';
import { untilUncontended, write } from '../cluster/retry.ts';
import { serves, waitUntil } from '../cluster/wait.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { everywhere, theModel, waiting } from '../options/shared-options.ts';
import { printResult } from '../output/print-result.ts';

export const resume = defineCommand({
  name: 'resume',
  summary: 'Lets the operator go on with a model that was paused.',
  description: 'Lets the operator go on with a model that was paused: what was held back is done now.',
  fields: { ...theModel, ...waiting('until all instances serve the present spec'), ...everywhere },
  examples: [
    ['Let it go on', 'resume dga-1.0'],
    ['And wait until what was held back is done', 'resume dga-1.0 --wait'],
  ],
  /** @throws MaasError MODEL_NOT_FOUND, MODEL_AMBIGUOUS, CLUSTER_*; TIMEOUT, MODEL_STALLED, OPERATOR_AWAY with --wait */
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    const namespace = options.namespace ?? cluster.namespace;
    const change = await untilUncontended(ports, async () => {
      const model = await changeableModel(cluster, namespace, options.name);
      if (model.spec.paused !== true) return { model, did: 'is not paused' };
      const patched = await write(cluster.patch(stateOf(model), { spec: { paused: null } }, options.dryRun));
      return { model: readModel(patched), did: 'resumed' };
    });
    await printResult(ports, options, change, () =>
      waitUntil(ports, cluster, change.model, {
        judge: serves(change.model.metadata.generation),
        timeoutMs: options.timeoutMs,
        wanted: 'up',
        operator: options,
      }),
    );
    return exitCodes.ok;
  },
});
