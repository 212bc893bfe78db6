/** `kubectl maas restart`: new instances in place of those that run, one after the other. */
import { formatAge } from '../../contracts/duration.ts';
import { annotations } from '../../contracts/names.ts';
import { conditionOf, type Model, readModel, stateOf } from '../cluster/model.ts';
import { changeableModel } from '../cluster/named-model.ts';
import { untilUncontended, write } from '../cluster/retry.ts';
import { restarted, waitUntil } from '../cluster/wait.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { everywhere, theModel, waiting } from '../options/shared-options.ts';
import { counted } from '../output/counted.ts';
import { printResult } from '../output/print-result.ts';

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
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    const namespace = options.namespace ?? cluster.namespace;
    const change = await untilUncontended(ports, async () => {
      const model = await changeableModel(cluster, namespace, options.name);
      if (model.spec.instances === 0) return { model, did: 'has no instances that could be restarted' };
      const now = ports.clock.now();
      const refresh = { [annotations.refresh]: new Date(now).toISOString() };
      const patched = await write(cluster.patch(stateOf(model), { spec: {}, annotations: refresh }, options.dryRun));
      return { model: readModel(patched), did: whatHappens(model, now) };
    });
    await printResult(ports, options, change, () =>
      waitUntil(ports, cluster, change.model, {
        judge: restarted(change.model),
        timeoutMs: options.timeoutMs,
        wanted: 'restarted',
        operator: options,
      }),
    );
    return exitCodes.ok;
  },
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
