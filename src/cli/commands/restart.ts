/** `kubectl maas restart`: new instances in place of those that run, one after the other. */
import { formatAge } from '../../contracts/duration.ts';
import { annotations } from '../../contracts/names.ts';
import { changeModel } from '../cluster/change-model.ts';
import { conditionOf, type Model } from '../cluster/model.ts';
import { restarted } from '../cluster/wait.ts';
import { defineCommand } from '../define-command.ts';
import { everywhere, theModel, waiting } from '../options/shared-options.ts';
import { counted } from '../output/counted.ts';

export const restart = defineCommand({
  name: 'restart',
  summary: 'Replaces the instances of a model by new ones.',
  description:
    'Replaces the instances of a model by new ones of the same spec and payload, so that clients are answered all the ' +
    "time. New instances have the operator's present settings and agent.",
  fields: { ...theModel, ...waiting('until new instances serve'), ...everywhere },
  examples: [
    ['Restart a model', 'restart dga-1.0'],
    ['And wait until all its instances are new', 'restart dga-1.0 --wait'],
  ],
  notes: [`It sets the annotation ${annotations.refresh}. A model that is paused restarts when it is resumed.`],
  /** @throws MaasError MODEL_NOT_FOUND, MODEL_AMBIGUOUS, CLUSTER_*; TIMEOUT, MODEL_STALLED, OPERATOR_AWAY with --wait */
  run: (options, ports) =>
    changeModel(ports, options, {
      decide(model) {
        if (model.spec.instances === 0) return { did: 'has no instances that could be restarted' };
        const now = ports.clock.now();
        const refresh = { [annotations.refresh]: new Date(now).toISOString() };
        return { did: whatHappens(model, now), patch: { spec: {}, annotations: refresh } };
      },
      judge: restarted,
      wanted: 'restarted',
    }),
});

/** @param model as it was before */
function whatHappens(model: Model, now: number): string {
  const { instances, paused } = model.spec;
  const them = instances === 1 ? 'its instance' : `its ${counted(instances, 'instance')}`;
  if (paused === true) return `restarts ${them} when it is resumed: it is paused`;
  const asked = Date.parse(model.metadata.annotations[annotations.refresh] ?? '');
  const isUnderWay = conditionOf(model, 'Reconciling')?.status === 'True' && now - asked < recentMs;
  const again = isUnderWay ? `; one that was asked for ${formatAge(Math.max(0, now - asked))} ago is not done` : '';
  const how = instances === 1 ? 'which goes when a new one serves' : 'one after the other, each when a new one serves';
  return `restarts ${them}, ${how}${again}`;
}

/** What is under way longer is hardly that restart. */
const recentMs = 3_600_000;
