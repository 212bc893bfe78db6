/**
 * Which ModelDeployment a model name and version mean. Those that the commands made have a name that follows from
 * both; one that a manifest made under any other name is the same model to Stellar, so it is the one that is meant.
 */
import { compareTexts } from '../../kernel/text-order.ts';
import { conditionOf, isGoing, type Model } from './model.ts';

/** The owner first, where several claim the same name and version; those being deleted come last. */
export function findModel(models: readonly Model[], name: string, version: string): readonly Model[] {
  return models
    .filter((model) => model.spec.name === name && model.spec.version === version)
    .sort(
      (a, b) =>
        Number(isGoing(a)) - Number(isGoing(b)) ||
        Number(isStalled(a)) - Number(isStalled(b)) ||
        compareTexts(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
        compareTexts(a.metadata.uid, b.metadata.uid),
    );
}

function isStalled(model: Model): boolean {
  return conditionOf(model, 'Stalled')?.status === 'True';
}
