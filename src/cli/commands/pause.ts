/** `kubectl maas pause`: the operator leaves a model alone until it is resumed. */
import { changeModel } from '../cluster/change-model.ts';
import { pauses } from '../cluster/wait.ts';
import { defineCommand } from '../define-command.ts';
import { everywhere, theModel, waiting } from '../options/shared-options.ts';

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
  run: (options, ports) =>
    changeModel(ports, options, {
      decide: ({ spec }) =>
        spec.paused === true
          ? { did: 'is paused already' }
          : {
              did: 'paused: what runs goes on, and nothing is changed until it is resumed',
              patch: { spec: { paused: true } },
            },
      judge: ({ metadata }) => pauses(metadata.generation),
      wanted: 'paused',
    }),
});
