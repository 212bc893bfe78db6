/** What `pause`, `resume`, `restart` and `undo` have in common: find the model, patch it, print what was done, wait. */
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { printResult } from '../output/print-result.ts';
import type { ModelPatch, Ports } from '../ports.ts';
import { type Model, readModel, stateOf } from './model.ts';
import { changeableModel } from './named-model.ts';
import { untilUncontended, write } from './retry.ts';
import { type Judge, type WaitFor, waitUntil } from './wait.ts';

export interface Decided {
  /** What was done, as the rest of a sentence about the resource. */
  readonly did: string;
  /** Undefined where nothing is to be done. */
  readonly patch?: ModelPatch;
}

export interface Changing {
  /** Asked again when somebody else was faster. @param model as it is before the change */
  readonly decide: (model: Model) => Decided;
  /** @param model as it is after the change */
  readonly judge: (model: Model) => Judge;
  /** `up`, for the message when it did not come in time. */
  readonly wanted: string;
}

type Options = Parameters<typeof printResult>[1] &
  WaitFor['operator'] & { readonly name: string; readonly namespace?: string | undefined; readonly timeoutMs: number };

/** @throws MaasError MODEL_NOT_FOUND, MODEL_AMBIGUOUS, CLUSTER_*; those of waitUntil with --wait; what `decide` throws */
export async function changeModel(ports: Ports, options: Options, changing: Changing): Promise<ExitCode> {
  const cluster = ports.connect(options.cluster);
  const namespace = options.namespace ?? cluster.namespace;
  const change = await untilUncontended(ports, async () => {
    const model = await changeableModel(cluster, namespace, options.name);
    const { did, patch } = changing.decide(model);
    if (patch === undefined) return { model, did };
    return { model: readModel(await write(cluster.patch(stateOf(model), patch, options.dryRun))), did };
  });
  await printResult(ports, options, change, () =>
    waitUntil(ports, cluster, change.model, {
      judge: changing.judge(change.model),
      timeoutMs: options.timeoutMs,
      wanted: changing.wanted,
      operator: options,
    }),
  );
  return exitCodes.ok;
}
