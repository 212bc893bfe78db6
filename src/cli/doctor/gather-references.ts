/** Asks whether what models name is there. Each object is asked for once; who may not ask gets no answer, not a "no". */

import { mapBounded } from '../../kernel/bounded.ts';
import { type Asked, asked } from '../cluster/asked.ts';
import type { ClusterInspector } from '../ports.ts';
import type { Reference } from './references.ts';

export interface ReferenceFacts extends Reference {
  /** Keys of a Secret or ConfigMap; undefined where there is no such object. */
  readonly found: Asked<readonly string[] | undefined>;
}

const parallelism = 8;

/** @param models the references of each model; the answer is in the same order */
export async function gatherReferences(
  inspector: Pick<ClusterInspector, 'keysOf'>,
  models: readonly (readonly Reference[])[],
): Promise<readonly (readonly ReferenceFacts[])[]> {
  const idOf = ({ kind, namespace, name }: Reference) => JSON.stringify([kind, namespace, name]);
  const different = new Map(models.flat().map((reference) => [idOf(reference), reference]));
  const answers = new Map(
    await mapBounded([...different], parallelism, async ([id, { kind, namespace, name }]) => {
      return [id, await asked(() => inspector.keysOf(kind, namespace, name))] as const;
    }),
  );
  return models.map((references) =>
    references.flatMap((reference) => {
      const found = answers.get(idOf(reference));
      return found === undefined ? [] : [{ ...reference, found }];
    }),
  );
}
