/** What REMOVE does to the resources of a namespace, whoever asks. Pure. */
import { type DeployedModel, modelsMeant } from './deployed-model.ts';

export type RemoveDecision<M> =
  | { readonly kind: 'not there' }
  /** Somebody takes all of it away already. */
  | { readonly kind: 'going'; readonly of: M }
  | {
      readonly kind: 'change';
      readonly of: M;
      /** All that are left then; with the last one the resource goes. */
      readonly instances: number;
    };

/** @param instances how many fewer; more than there are, and undefined, mean all */
export function decideRemove<M extends DeployedModel>(
  asked: { readonly model: string; readonly version: string; readonly instances: number | undefined },
  models: readonly M[],
): RemoveDecision<M> {
  const [present] = modelsMeant(models, asked.model, asked.version);
  if (present === undefined) return { kind: 'not there' };
  if (present.deleting) return { kind: 'going', of: present };
  const left = asked.instances === undefined ? 0 : Math.max(0, present.instances - asked.instances);
  return { kind: 'change', of: present, instances: left };
}
