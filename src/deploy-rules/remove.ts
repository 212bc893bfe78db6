/**
 * What REMOVE does to the resources of a namespace, whoever asks. Pure. An autoscaler's bounds are respected (see
 * autoscaler.ts), except that all instances may always go, with the resource.
 */
import { type Autoscaler, shareOf } from './autoscaler.ts';
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
      /** Who decides how many there are, where that is not who asks. */
      readonly leftTo: Autoscaler | undefined;
    }
  | { readonly kind: 'autoscaled'; readonly of: M; readonly instances: number; readonly by: Autoscaler };

/** @param instances how many fewer; more than there are, and undefined, mean all */
export function decideRemove<M extends DeployedModel>(
  asked: { readonly model: string; readonly version: string; readonly instances: number | undefined },
  models: readonly M[],
): RemoveDecision<M> {
  const [present] = modelsMeant(models, asked.model, asked.version);
  if (present === undefined) return { kind: 'not there' };
  if (present.deleting) return { kind: 'going', of: present };
  const left = asked.instances === undefined ? 0 : Math.max(0, present.instances - asked.instances);
  if (left === 0) return { kind: 'change', of: present, instances: 0, leftTo: undefined };
  const share = shareOf(present.instances, left, present.autoscaler);
  switch (share.kind) {
    case 'set':
      return { kind: 'change', of: present, instances: share.instances, leftTo: undefined };
    case 'left':
      return { kind: 'change', of: present, instances: present.instances, leftTo: share.autoscaler };
    case 'outside':
      return { kind: 'autoscaled', of: present, instances: left, by: share.autoscaler };
  }
}
