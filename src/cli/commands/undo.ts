/** `kubectl maas undo`: sets a model back to the last version that served. */
import { changeModel } from '../cluster/change-model.ts';
import { goBack } from '../cluster/go-back.ts';
import { serves } from '../cluster/wait.ts';
import { defineCommand } from '../define-command.ts';
import { option } from '../options/field.ts';
import * as value from '../options/option-values.ts';
import { everywhere, theModel, waiting } from '../options/shared-options.ts';

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
  run: (options, ports) =>
    changeModel(ports, options, {
      decide(model) {
        const { to, patch } = goBack(model, options.to);
        const paused = model.spec.paused === true ? '; it is paused, and follows when it is resumed' : '';
        const did = `set back to revision ${to.revision}, version ${to.version} of ${to.path}${paused}`;
        return { did, patch: { spec: patch } };
      },
      judge: ({ metadata }) => serves(metadata.generation),
      wanted: 'up',
    }),
});
