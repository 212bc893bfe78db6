/** `kubectl maas undo`: sets a model back to the last version that served. */
import { goBack } from '../cluster/go-back.ts';
import { readModel, stateOf } from '../cluster/model.ts';
import { changeableModel } from '../cluster/named-model.ts';
import { untilUncontended, write } from '../cluster/retry.ts';
import { serves, waitUntil } from '../cluster/wait.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { option } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { everywhere, theModel, waiting } from '../options/shared-options.ts';
import { printResult } from '../output/print-result.ts';

export const undo = defineCommand({
  name: 'undo',
  summary: 'Sets a model back to the last version that served.',
  description:
    'Sets the spec of a model back to what the last version that served was asked for with; its name and the number of ' +
    'instances stay as they are. A version that still serves goes on serving.',
  fields: {
    ...theModel,
    to: option('--to <revision>', 'To this revision, as history numbers them.', value.revisionNumber),
    ...waiting('until all instances serve what it is set back to'),
    ...everywhere,
  },
  examples: [
    ['Back to what served before', 'undo dga-1.0 --wait'],
    ['What would be written', 'undo dga-1.0 --dry-run'],
    ['Back to a certain revision', 'undo dga-1.0 --to 3'],
  ],
  notes: [
    'It writes into the resource: where a tool keeps that as a repository has it, go back there. A payload that has been ' +
      'overwritten in HDFS since is not brought back; `add --immutable` and `readFrom: Store` keep what served.',
  ],
  /** @throws MaasError UNDO_IMPOSSIBLE, MODEL_NOT_FOUND, MODEL_AMBIGUOUS, CLUSTER_*; those of waiting with --wait */
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    const namespace = options.namespace ?? cluster.namespace;
    const change = await untilUncontended(ports, async () => {
      const model = await changeableModel(cluster, namespace, options.name);
      const { to, patch } = goBack(model, options.to);
      const patched = await write(cluster.patch(stateOf(model), { spec: patch }, options.dryRun));
      const paused = model.spec.paused === true ? '; it is paused, and follows when it is resumed' : '';
      const did = `set back to revision ${to.revision}, version ${to.version} of ${to.path}${paused}`;
      return { model: readModel(patched), did };
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
