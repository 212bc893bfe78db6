/** What `undo` writes: which of the revisions of a model is gone back to, and the patch that does it. Pure. */
import { MaasError } from '../../contracts/errors.ts';
import { modelDeploymentSpec } from '../../contracts/resource.ts';
import type { Revision } from '../../contracts/resource-status.ts';
import { sameJson } from '../../kernel/canonical-json.ts';
import type { ApiObject } from '../ports.ts';
import { isRecord, specOf } from './api-object.ts';
import { type Model, titleOf } from './model.ts';

export interface GoBack {
  readonly to: Revision;
  readonly patch: ApiObject;
}

/** What no revision has a say in. */
const kept: ReadonlySet<string> = new Set(['name', 'instances', 'paused']);

interface Candidate {
  readonly to: Revision;
  /** Empty where the spec says the same already; undefined where it was not kept. */
  readonly patch: ApiObject | undefined;
}

/**
 * @param wanted number of a revision; undefined means the latest that served before the present one
 * @throws MaasError UNDO_IMPOSSIBLE where there is none, or it is what the spec says already
 */
export function goBack(model: Model, wanted: number | undefined): GoBack {
  const { history = [] } = model.status;
  const all = history.map((to) => ({ to, patch: to.spec && patchTo(specOf(model.object), to.spec) }));
  if (wanted === undefined) return usable(model, servedBefore(model, all), 'no other version of it has served');
  const found = all.find(({ to }) => to.revision === wanted);
  if (isEmpty(found)) throw impossible(model, `its spec says what revision ${wanted} says already`);
  return usable(model, found, `its history has no revision ${wanted}`);
}

/** Who goes back after somebody else has done so must not come to what both wanted to leave. */
function servedBefore(model: Model, all: readonly Candidate[]): Candidate | undefined {
  const [newest, ...earlier] = all;
  const served = ({ to }: Candidate) => to.servedAt !== undefined;
  // What the operator has not seen yet is gone back from, too.
  const isUnseen = newest !== undefined && !isEmpty(newest);
  const twin = earlier.find((each) => served(each) && (isUnseen ? isEmpty(each) : each.to.id === newest?.to.id));
  if (twin !== undefined) {
    throw impossible(model, `that was done already, to revision ${twin.to.revision}; name another one with --to`);
  }
  return (isUnseen ? all : earlier).find(served);
}

function usable(model: Model, found: Candidate | undefined, none: string): GoBack {
  if (found === undefined) throw impossible(model, none);
  const { to, patch } = found;
  if (patch === undefined) throw impossible(model, `the spec of revision ${to.revision} was too long to be kept`);
  return { to, patch };
}

function impossible(model: Model, why: string): MaasError {
  const { name, namespace } = model.metadata;
  return new MaasError('UNDO_IMPOSSIBLE', `${titleOf(model)} cannot be set back: ${why}`, {
    next: `See what there was with \`kubectl maas history ${name} -n ${namespace}\`.`,
  });
}

function isEmpty(candidate: Candidate | undefined): boolean {
  return candidate?.patch !== undefined && Object.keys(candidate.patch).length === 0;
}

/** What goes without saying a revision does not say. */
function patchTo(present: ApiObject, wanted: ApiObject): ApiObject {
  const parsed = modelDeploymentSpec.safeParse(present);
  const spec: ApiObject = parsed.success ? parsed.data : present;
  const said = Object.entries(spec).filter(([field, value]) => field in wanted || !goesWithoutSaying(field, value));
  return mergePatch(Object.fromEntries(said.filter(([field]) => !kept.has(field))), wanted);
}

function goesWithoutSaying(field: string, value: unknown): boolean {
  const schema = Object.entries(modelDeploymentSpec.shape).find(([name]) => name === field)?.[1];
  const meaning = schema?.safeParse(undefined);
  return meaning?.success === true && sameJson(meaning.data, value);
}

/** RFC 7386: what makes the one object of the other. */
function mergePatch(from: ApiObject, to: ApiObject): ApiObject {
  const gone = Object.keys(from).filter((key) => !(key in to));
  const changed = Object.entries(to).filter(([key, value]) => !(key in from) || !sameJson(from[key], value));
  return Object.fromEntries([
    ...gone.map((key) => [key, null]),
    ...changed.map(([key, value]) => {
      const before = from[key];
      return [key, isRecord(before) && isRecord(value) ? mergePatch(before, value) : value];
    }),
  ]);
}
