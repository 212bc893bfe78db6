/**
 * What ADD does to the resources of a namespace, whoever asks. Pure.
 *
 * 1. A resource that is there gets the instances on top of those it has. It keeps its payload: another one would be a
 *    switch, which ADD makes only where it is asked for by a path that says so.
 * 2. Where there is none it is made, under a name that follows from the model and its version. Only then memory and a
 *    payload have to be named.
 * 3. What is being deleted is no resource any more, but its name is taken until it is gone.
 * 4. An autoscaler's bounds are respected; see autoscaler.ts.
 */
import { tidyHdfsPath } from '../contracts/hdfs-path.ts';
import { resourceNameFor } from '../contracts/names.ts';
import { exceedsQuantity, sameQuantity } from '../contracts/quantity.ts';
import { type Autoscaler, shareOf } from './autoscaler.ts';
import { type DeployedModel, modelsMeant } from './deployed-model.ts';

export interface Addition {
  readonly model: string;
  readonly version: string;
  /** How many more. */
  readonly instances: number;
  /** A quantity; undefined leaves it as it is. */
  readonly memory: string | undefined;
  /**
   * What the named memory is to a resource that is there: its new one, or the least that it is to have. The old client's
   * words name it with every ADD, and instances that are there may need what they have.
   */
  readonly memoryIs: 'exact' | 'least';
  /** How many more of one that is there, where that is another number. */
  readonly more?: number | undefined;
  /** The payload's directory in HDFS; undefined leaves it as it is. */
  readonly path: string | undefined;
  /** May one that is there get another path, which switches it? Otherwise that is refused. */
  readonly switches?: boolean | undefined;
  /** Where instances that are there are to read it; undefined leaves it as it is. */
  readonly readFrom: string | undefined;
}

export type AddDecision<M> =
  | { readonly kind: 'create'; readonly name: string; readonly memory: string; readonly path: string }
  | {
      readonly kind: 'change';
      readonly of: M;
      /** All of them then. */
      readonly instances: number;
      /** A quantity; undefined where it stays. */
      readonly memory: string | undefined;
      /** Undefined where it stays. */
      readonly path: string | undefined;
      /** Who decides how many there are, where that is not who asks. */
      readonly leftTo: Autoscaler | undefined;
      /** Another one that claims the same name and version, and is left alone. */
      readonly twin: M | undefined;
    }
  /** Until this one is gone; then decide anew. */
  | { readonly kind: 'wait'; readonly of: M }
  | { readonly kind: 'refuse'; readonly refusal: AddRefusal<M> };

export type AddRefusal<M> =
  | { readonly why: 'other path' | 'other readFrom'; readonly of: M; readonly asked: string }
  | { readonly why: 'name taken'; readonly of: M }
  | { readonly why: 'autoscaled'; readonly of: M; readonly instances: number; readonly by: Autoscaler }
  | { readonly why: 'incomplete'; readonly missing: readonly ('memory' | 'path')[] };

/** @param models of the namespace: at least those of the model, and the one that has the name of a new resource */
export function decideAdd<M extends DeployedModel>(asked: Addition, models: readonly M[]): AddDecision<M> {
  const [present, second] = modelsMeant(models, asked.model, asked.version);
  if (present === undefined) return decideNew(asked, models);
  if (present.deleting) return { kind: 'wait', of: present };
  const { path, readFrom } = asked;
  const other = path !== undefined && tidyHdfsPath(path) !== tidyHdfsPath(present.path) ? path : undefined;
  if (other !== undefined && asked.switches !== true) {
    return refuse({ why: 'other path', of: present, asked: other });
  }
  if (readFrom !== undefined && readFrom !== present.readFrom) {
    return refuse({ why: 'other readFrom', of: present, asked: readFrom });
  }
  const total = present.instances + (asked.more ?? asked.instances);
  const share = shareOf(present.instances, total, present.autoscaler);
  if (share.kind === 'outside')
    return refuse({ why: 'autoscaled', of: present, instances: total, by: share.autoscaler });
  return {
    kind: 'change',
    of: present,
    instances: share.kind === 'left' ? present.instances : share.instances,
    leftTo: share.kind === 'left' ? share.autoscaler : undefined,
    memory: changedMemory(asked, present.memory),
    path: other,
    twin: second?.deleting === false ? second : undefined,
  };
}

function decideNew<M extends DeployedModel>(asked: Addition, models: readonly M[]): AddDecision<M> {
  const name = resourceNameFor(asked.model, asked.version);
  const taken = models.find((model) => model.state.name === name);
  if (taken !== undefined)
    return taken.deleting ? { kind: 'wait', of: taken } : refuse({ why: 'name taken', of: taken });
  const { memory, path } = asked;
  if (memory === undefined || path === undefined || path === '') {
    const missing = [...(memory === undefined ? (['memory'] as const) : []), ...(path ? [] : (['path'] as const))];
    return refuse({ why: 'incomplete', missing });
  }
  return { kind: 'create', name, memory, path };
}

function changedMemory({ memory, memoryIs }: Addition, present: string): string | undefined {
  if (memory === undefined || sameQuantity(present, memory)) return undefined;
  return memoryIs === 'exact' || !exceedsQuantity(present, memory) ? memory : undefined;
}

function refuse<M>(refusal: AddRefusal<M>): AddDecision<M> {
  return { kind: 'refuse', refusal };
}
