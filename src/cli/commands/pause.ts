/** `kubectl maas pause`: the operator leaves a model alone until it is resumed. */
import { readModel, stateOf } from '../cluster/model.ts';
import { changeableModel } from '../cluster/named-model.ts';
import { untilUncontended, write } from '../cluster/retry.ts';
import { pauses, waitUntil } from '../cluster/wait.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { everywhere, theModel, waiting } from '../options/shared-options.ts';
import { printResult } from '../output/print-result.ts';

export const pause = defineCommand({
  name: 'pause',
  summary: 'Lets the operator change nothing of a model until it is resumed.',
  description:
    'Lets the operator change nothing of a model until it is resumed. What runs goes on, and what is changed in the ' +
    'resource waits. The status goes on to say what is seen, and what is held back.',
  fields: { ...theModel, ...waiting('until the operator says that it is paused'), ...everywhere },
  examples: [
    ['Leave it alone', 'pause dga-1.0'],
    ['And be certain of it', 'pause dga-1.0 --wait'],
  ],
  notes: [
    'Kubernetes still replaces pods that die, and agents still register and unregister what they run. A resource that is ' +
      'deleted goes, paused or not.',
  ],
  /** @throws MaasError MODEL_NOT_FOUND, MODEL_AMBIGUOUS, CLUSTER_*; TIMEOUT, OPERATOR_AWAY with --wait */
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    const namespace = options.namespace ?? cluster.namespace;
    const change = await untilUncontended(ports, async () => {
      const model = await changeableModel(cluster, namespace, options.name);
      if (model.spec.paused === true) return { model, did: 'is paused already' };
      const patched = await write(cluster.patch(stateOf(model), { spec: { paused: true } }, options.dryRun));
      return {
        model: readModel(patched),
        did: 'paused: what runs goes on, and nothing is changed until it is resumed',
      };
    });
    await printResult(ports, options, change, () =>
      waitUntil(ports, cluster, change.model, {
        judge: pauses(change.model.metadata.generation),
        timeoutMs: options.timeoutMs,
        wanted: 'paused',
        operator: options,
      }),
    );
    return exitCodes.ok;
  },
});
