/** `kubectl maas resume`: the operator carries out again what a model's resource asks for. */
import { changeModel } from '../cluster/change-model.ts';
import { serves } from '../cluster/wait.ts';
import { defineCommand } from '../define-command.ts';
import { everywhere, theModel, waiting } from '../options/shared-options.ts';

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
  run: (options, ports) =>
    changeModel(ports, options, {
      decide: ({ spec }) =>
        spec.paused === true ? { did: 'resumed', patch: { spec: { paused: null } } } : { did: 'is not paused' },
      judge: ({ metadata }) => serves(metadata.generation),
      wanted: 'up',
    }),
});
