/** Are the models up, or on their way; is somebody looking after each? */
import { formatAge } from '../../contracts/duration.ts';
import { traitsOf } from '../../contracts/reasons.ts';
import type { Asked } from '../cluster/asked.ts';
import { conditionOf, isGoing, isPaused, type Model } from '../cluster/model.ts';
import type { PublishedSettings } from '../cluster/operator-settings.ts';
import { counted } from '../output/counted.ts';
import { checkReferences } from './check-references.ts';
import { type Finding, finding } from './finding.ts';
import type { ReferenceFacts } from './gather-references.ts';
import { isAway, notChecked } from './not-checked.ts';

export interface ModelFacts {
  readonly model: Model;
  readonly references: readonly ReferenceFacts[];
}

/** A failure that is younger may be part of a start. */
const failingAfterMs = 60_000;
/** The usual time that a model has for its start, and half of it again. */
const stuckAfterMs = 15 * 60_000;
/** Within which an operator has seen a change. */
const seenAfterMs = 60_000;

export function checkModels(
  models: Asked<readonly ModelFacts[]>,
  settings: Asked<PublishedSettings>,
  now: number,
): readonly Finding[] {
  if (!models.known) return isAway(models.error) ? [] : [notChecked('models', models.error)];
  const present = models.value.filter(({ model }) => !isGoing(model));
  const served = settings.known ? settings.value.namespaces : [];
  const isServed = ({ metadata }: Model) => served.length === 0 || served.includes(metadata.namespace);
  // Whom another operator looks after is none of this one's business.
  const alone = present.filter(({ model }) => !isServed(model) && isUnseen(model));
  return [
    ...checkNamespaces(
      alone.map(({ model }) => model),
      served,
    ),
    ...present
      .filter((facts) => !alone.includes(facts))
      .flatMap(({ model, references }) => [
        ...checkModel(model, now),
        ...checkReferences(subjectOf(model), references),
      ]),
  ];
}

export function subjectOf({ metadata }: Pick<Model, 'metadata'>): string {
  return `modeldeployment ${metadata.namespace}/${metadata.name}`;
}

function isUnseen({ metadata, status }: Model): boolean {
  return (status.observedGeneration ?? 0) < metadata.generation;
}

function checkNamespaces(models: readonly Model[], served: readonly string[]): readonly Finding[] {
  const byNamespace = Map.groupBy(models, ({ metadata }) => metadata.namespace);
  return [...byNamespace].map(([namespace, together]) => {
    const names = together.map(({ metadata }) => metadata.name).join(', ');
    const evidence = `${counted(together.length, 'model')} that no operator has looked at: ${names}; the operator serves ${served.join(', ')}`;
    return finding('NamespaceNotServed', `namespace ${namespace}`, evidence);
  });
}

function checkModel(model: Model, now: number): readonly Finding[] {
  const subject = subjectOf(model);
  if (isUnseen(model)) {
    const age = now - Date.parse(model.metadata.creationTimestamp);
    if (model.status.observedGeneration === undefined && age < seenAfterMs) return [];
    const evidence =
      model.status.observedGeneration === undefined
        ? `made ${formatAge(age)} ago, and no operator has written a status`
        : `the status is of generation ${model.status.observedGeneration}, and the spec of ${model.metadata.generation}`;
    return [finding('ModelNotSeen', subject, evidence)];
  }
  return [...checkPaused(model, subject, now), ...checkServing(model, subject, now)];
}

function checkPaused(model: Model, subject: string, now: number): readonly Finding[] {
  const reconciling = conditionOf(model, 'Reconciling');
  if (reconciling === undefined || !isPaused(model)) return [];
  const since = formatAge(now - Date.parse(reconciling.lastTransitionTime));
  const { name, namespace } = model.metadata;
  const cure = `Let it go on with \`kubectl maas resume ${name} -n ${namespace}\`.`;
  return [finding('ModelPaused', subject, `nothing has been changed for ${since}; ${words(reconciling)}`, cure)];
}

function checkServing(model: Model, subject: string, now: number): readonly Finding[] {
  const stalled = conditionOf(model, 'Stalled');
  const ready = conditionOf(model, 'Ready');
  if (stalled?.status === 'True') {
    return [finding('ModelStalled', subject, words(stalled), traitsOf(stalled.reason).next)];
  }
  if (ready === undefined || ready.status === 'True') return [];
  const age = now - Date.parse(ready.lastTransitionTime);
  const evidence = `not up for ${formatAge(age)}; ${words(ready)}`;
  // What a reason has no advice for, the catalogue of findings has.
  const { event, expected, next } = traitsOf(ready.reason);
  if (event === 'Warning') return age < failingAfterMs ? [] : [finding('ModelFailing', subject, evidence, next)];
  if (expected === 'untouched' || age < stuckAfterMs) return [];
  return [finding('ModelStuck', subject, evidence, next)];
}

function words({ reason, message }: { readonly reason: string; readonly message: string }): string {
  return message === '' ? reason : `${reason}: ${message}`;
}
