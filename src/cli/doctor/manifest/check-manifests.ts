/** Would these manifests do, before anybody applies them? Pure: from facts to findings. */
import { hasCode } from '../../../contracts/errors.ts';
import { parseQuantity } from '../../../contracts/quantity.ts';
import { kind, modelDeploymentSpec } from '../../../contracts/resource.ts';
import { outranked, whatClientsDo, whatToDoInstead } from '../../../contracts/version-order.ts';
import { specOf, textAt } from '../../cluster/api-object.ts';
import type { Asked } from '../../cluster/asked.ts';
import { isGoing, type Model } from '../../cluster/model.ts';
import type { PublishedSettings } from '../../cluster/operator-settings.ts';
import type { ApiObject, FoundPayload } from '../../ports.ts';
import { checkReferences } from '../check-references.ts';
import { type Finding, finding, inOrder } from '../finding.ts';
import type { ReferenceFacts } from '../gather-references.ts';
import { isAway, notChecked } from '../not-checked.ts';
import { imageProblem } from './image-reference.ts';
import { type NodeFacts, nodeProblem } from './nodes.ts';
import { schemaProblems, unknownFields } from './schema-problems.ts';

export interface ManifestFacts {
  /** File and line, for the reader. */
  readonly where: string;
  readonly object: ApiObject;
  readonly namespace: string;
  readonly namespaceExists: Asked<boolean>;
  readonly references: readonly ReferenceFacts[];
  /** Undefined where there was no path, or no HDFS to ask. */
  readonly payload: Asked<FoundPayload> | undefined;
  /** What the API server says to it; undefined where it was not asked. */
  readonly dryRun: Asked<unknown> | undefined;
}

export interface ManifestWorld {
  readonly unreadable: readonly { readonly where: string; readonly problem: string }[];
  readonly manifests: readonly ManifestFacts[];
  /** Of all namespaces, or of those that may be seen. */
  readonly models: Asked<readonly Model[]>;
  readonly settings: Asked<PublishedSettings>;
  readonly nodes: Asked<readonly NodeFacts[]>;
}

export function checkManifests(world: ManifestWorld): readonly Finding[] {
  return inOrder([
    ...world.unreadable.map(({ where, problem }) => finding('ManifestUnreadable', where, problem)),
    ...checkAccess(world),
    ...world.manifests.flatMap((facts) => checkManifest(facts, world)),
  ]);
}

/** What could not be asked about any of them, told once. */
function checkAccess({ models, settings, nodes, manifests }: ManifestWorld): readonly Finding[] {
  const answers = [settings, models, nodes, ...manifests.map(({ dryRun }) => dryRun)];
  const errors = answers.flatMap((answer) => (answer === undefined || answer.known ? [] : [answer.error]));
  const away = errors.find(isAway);
  if (away !== undefined) return [finding('ClusterUnreachable', 'kubernetes', away.message, away.next)];
  return [
    ...(settings.known ? [] : [notChecked("the operator's settings", settings.error)]),
    ...(models.known ? [] : [notChecked('other models', models.error)]),
    ...(nodes.known ? [] : [notChecked('nodes', nodes.error)]),
  ];
}

export function isModelDeployment({ object }: Pick<ManifestFacts, 'object'>): boolean {
  return object['kind'] === kind;
}

export function subjectOf({ where, object }: Pick<ManifestFacts, 'where' | 'object'>): string {
  return [where, nameOf(object)].filter(Boolean).join(' ');
}

function checkManifest(facts: ManifestFacts, world: ManifestWorld): readonly Finding[] {
  const subject = subjectOf(facts);
  if (!isModelDeployment(facts)) {
    const what = `it is of the kind ${JSON.stringify(facts.object['kind'] ?? null)}; only a ${kind} is checked`;
    return [finding('NotChecked', subject, what, 'Nothing, if that is meant.')];
  }
  const problems = schemaProblems(facts.object);
  const invalid = problems.map((problem) => finding('ManifestInvalid', subject, problem));
  const strange = unknownFields(facts.object).map((path) =>
    finding('ManifestFieldUnknown', subject, `${path}: there is no such field`),
  );
  return [
    ...invalid,
    ...strange,
    ...(invalid.length > 0 ? [] : checkDryRun(subject, facts)),
    ...checkNamespace(subject, facts, world),
    ...checkImage(subject, facts),
    ...checkName(subject, facts, world),
    ...checkPayload(subject, facts),
    ...checkReferences(subject, facts.references),
    ...checkNodes(subject, facts, world),
  ];
}

function checkDryRun(subject: string, { dryRun }: ManifestFacts): readonly Finding[] {
  if (dryRun === undefined || dryRun.known || isAway(dryRun.error)) return [];
  const { error } = dryRun;
  if (hasCode(error, 'CLUSTER_REFUSED')) return [finding('ManifestRefused', subject, error.message)];
  return [notChecked(subject, error)];
}

function checkNamespace(subject: string, facts: ManifestFacts, { settings }: ManifestWorld): readonly Finding[] {
  const { namespace, namespaceExists } = facts;
  const served = settings.known ? settings.value.namespaces : [];
  if (served.length > 0 && !served.includes(namespace)) {
    const evidence = `namespace ${namespace}; the operator serves ${served.join(', ')}`;
    return [finding('NamespaceNotServed', subject, evidence)];
  }
  if (namespaceExists.known) {
    return namespaceExists.value ? [] : [finding('NamespaceMissing', subject, `there is no namespace ${namespace}`)];
  }
  return isAway(namespaceExists.error) ? [] : [notChecked(`namespace ${namespace}`, namespaceExists.error)];
}

function checkImage(subject: string, { object }: ManifestFacts): readonly Finding[] {
  const { image } = specOf(object);
  const problem = typeof image === 'string' ? imageProblem(image) : undefined;
  return problem === undefined ? [] : [finding('ImageInvalid', subject, `spec.image: "${String(image)}" ${problem}`)];
}

/** Another namespace owns all versions of a model, another resource of this one its version. */
function checkName(subject: string, facts: ManifestFacts, { models, manifests }: ManifestWorld): readonly Finding[] {
  const spec = modelDeploymentSpec.safeParse(specOf(facts.object));
  if (!spec.success) return [];
  const { name, version } = spec.data;
  const own = nameOf(facts.object);
  const present = (models.known ? models.value : [])
    .filter((model) => !isGoing(model) && model.spec.name === name)
    .map((model) => ({
      where: `modeldeployment ${model.metadata.namespace}/${model.metadata.name}`,
      namespace: model.metadata.namespace,
      resource: model.metadata.name,
      version: model.spec.version,
    }));
  const beside = manifests
    .filter((other) => other !== facts && isModelDeployment(other) && specOf(other.object)['name'] === name)
    .map((other) => ({
      where: subjectOf(other),
      namespace: other.namespace,
      resource: nameOf(other.object),
      version: String(specOf(other.object)['version']),
    }));
  const others = [...present, ...beside].filter(
    (other) => other.namespace !== facts.namespace || other.resource !== own,
  );
  const elsewhere = others.find((other) => other.namespace !== facts.namespace);
  if (elsewhere !== undefined) {
    return [
      finding('NameTaken', subject, `model ${name} belongs to namespace ${elsewhere.namespace}: ${elsewhere.where}`),
    ];
  }
  const same = others.find((other) => other.version === version);
  if (same !== undefined) {
    return [finding('NameTaken', subject, `version ${version} of model ${name} belongs to ${same.where}`)];
  }
  const below = outranked(
    version,
    others.map((other) => other.version),
  );
  if (below === undefined) return [];
  return [finding('VersionOutranked', subject, whatClientsDo(below), whatToDoInstead(below))];
}

function nameOf(object: ApiObject): string {
  return textAt(object, 'metadata', 'name') ?? '';
}

function checkPayload(subject: string, { payload }: ManifestFacts): readonly Finding[] {
  if (payload === undefined || payload.known) return [];
  const { code, message, next } = payload.error;
  if (code === 'HDFS_PATH_MISSING') return [finding('PayloadMissing', subject, message)];
  if (code.startsWith('PAYLOAD_') || code === 'HDFS_PATH_INVALID' || code === 'HDFS_NAMESERVICE_UNKNOWN') {
    return [finding('PayloadUnusable', subject, message, next)];
  }
  return [notChecked(subject, payload.error)];
}

function checkNodes(subject: string, { object }: ManifestFacts, { nodes }: ManifestWorld): readonly Finding[] {
  const spec = modelDeploymentSpec.safeParse(specOf(object));
  if (!nodes.known || !spec.success) return [];
  const { memory, cpu, scheduling } = spec.data;
  const problem = nodeProblem(nodes.value, {
    nodeSelector: scheduling?.nodeSelector ?? {},
    memory: parseQuantity(String(memory)) ?? 0,
    cpu: parseQuantity(String(cpu ?? '0')) ?? 0,
  });
  return problem === undefined ? [] : [finding('NoNodeFits', subject, problem)];
}
