/**
 * The next step of a request to a model of ours. Pure: the request and what is there now, in; one step, out.
 *
 * Only one step is planned at a time, and the next from a new look at the world. So nothing is remembered between two
 * steps that a crash could lose: whoever comes after sees what was done in what is there.
 *
 * 1. What was done is not done again. A resource that has the request's id had its instances changed in the same
 *    write; the record has the ids of rejected requests and of those that were about to delete a resource.
 * 2. ADD and REMOVE do what src/deploy-rules decides. What is at the path of an ADD by then is whole: the old client
 *    asks when its upload is done.
 * 3. Where REMOVE leaves no instance, the record remembers which resource goes for which request, and then it is
 *    deleted; a successor of its name is never touched.
 * 4. What can never be done is rejected, and comes into the record.
 */

import type { ErrorCode } from '../contracts/error-catalogue.ts';
import { modelDeploymentSpec } from '../contracts/resource.ts';
import type { RequestQueueSettings } from '../contracts/settings.ts';
import { type AddRefusal, decideAdd } from '../deploy-rules/add.ts';
import { type Autoscaler, shownAutoscaler } from '../deploy-rules/autoscaler.ts';
import { modelsMeant } from '../deploy-rules/deployed-model.ts';
import { grantedMemory, type OldDefaults, oldRollout } from '../deploy-rules/old-words.ts';
import { decideRemove } from '../deploy-rules/remove.ts';
import { quoted } from '../kernel/shown-text.ts';
import type { ModelChange, NewModel, ObservedModel } from './model-object.ts';
import { encodeRequestIds, requestTime } from './request-id.ts';
import type { NamedRequest } from './triage.ts';

export interface Observed {
  /** In the request's namespace: those of the model, and the one that has the name of the request's resource. */
  readonly models: readonly ObservedModel[];
  /** UID of the resource that was to be deleted for this request, where the record has it. */
  readonly removing: string | undefined;
  /** Why Kubernetes refused the step before. */
  readonly refused: string | undefined;
}

export interface Rejection {
  readonly code: ErrorCode;
  /** One sentence, without a full stop. */
  readonly why: string;
}

export type Step =
  | { readonly kind: 'create'; readonly manifest: NewModel }
  | {
      readonly kind: 'change';
      readonly of: ObservedModel;
      readonly change: ModelChange;
      /** Who decides how many instances there are, where the request does not. */
      readonly leftTo: Autoscaler | undefined;
    }
  | { readonly kind: 'remember'; readonly uid: string }
  | { readonly kind: 'delete'; readonly of: ObservedModel }
  | { readonly kind: 'reject'; readonly rejection: Rejection }
  | { readonly kind: 'take off' }
  /** Not now; `why` as the end of a sentence. */
  | { readonly kind: 'wait'; readonly why: string };

/** What the settings say of resources that requests make. */
export interface RequestRules {
  readonly memory: RequestQueueSettings['memory'];
  readonly defaults: OldDefaults;
}

export function planRequest(
  id: string,
  request: NamedRequest,
  namespace: string,
  observed: Observed,
  rules: RequestRules,
): Step {
  const { models, removing } = observed;
  const done = models.find((model) => model.requests.includes(id));
  if (removing !== undefined || done?.removal === id) return goOnRemoving(id, done, removing);
  if (done !== undefined) return { kind: 'take off' };
  if (observed.refused !== undefined) return reject('CLUSTER_REFUSED', observed.refused);

  const { name, version, action, instances } = request;
  const problem = partProblem('name', name) ?? partProblem('version', version);
  if (problem !== undefined) return impossible(problem);
  if (version === null) return impossible('it names no version');
  if (action === null) return impossible('it says neither ADD nor REMOVE');
  if (instances < 1) return impossible(`it asks for ${instances} instances`);

  const [present] = modelsMeant(models, name, version);
  if (present?.invalid !== undefined) {
    return reject(
      'RESOURCE_INVALID',
      `${shown(present)} has a spec that this operator cannot read: ${present.invalid}`,
    );
  }
  const whole = { ...request, version };
  return action === 'ADD' ? planAdd(id, whole, namespace, models, rules) : planRemove(id, whole, namespace, models);
}

function goOnRemoving(id: string, model: ObservedModel | undefined, removing: string | undefined): Step {
  // Somebody gave it instances since, or deleted it: that is the later wish.
  if (model === undefined || model.deleting || model.instances > 0 || model.removal !== id) return { kind: 'take off' };
  if (removing === undefined) return { kind: 'remember', uid: model.state.uid };
  return model.state.uid === removing ? { kind: 'delete', of: model } : { kind: 'take off' };
}

function planAdd(
  id: string,
  request: NamedRequest & { readonly version: string },
  namespace: string,
  models: readonly ObservedModel[],
  { memory: bounds, defaults }: RequestRules,
): Step {
  const { name: model, version, instances, path } = request;
  const granted = request.memoryMb < 1 ? undefined : grantedMemory(request.memoryMb, bounds);
  if (granted?.exceeds !== undefined) {
    return impossible(`${granted.memoryMb} MB an instance are more than the maximum of ${granted.exceeds} MB`);
  }
  const asked = {
    model,
    version,
    instances,
    memory: granted === undefined ? undefined : `${granted.memoryMb}Mi`,
    memoryIs: 'least',
    path: path ?? undefined,
    readFrom: undefined,
  } as const;
  const decided = decideAdd(asked, models);
  const total = decided.kind === 'change' ? decided.instances : instances;
  if (!modelDeploymentSpec.shape.instances.safeParse(total).success) {
    return impossible(`there would be ${total} instances, which is too many`);
  }
  switch (decided.kind) {
    case 'wait':
      return { kind: 'wait', why: `${shown(decided.of)} is being deleted` };
    case 'refuse':
      return refused(decided.refusal);
    case 'change':
      return {
        kind: 'change',
        of: decided.of,
        leftTo: decided.leftTo,
        change: {
          instances: decided.instances,
          ...(decided.memory === undefined ? {} : { memory: decided.memory }),
          requests: encodeRequestIds(decided.of.requests, id),
          ...(path === null ? {} : { payloadComplete: madeAt(id) }),
          removal: null,
        },
      };
    case 'create': {
      const { name, memory, path } = decided;
      if (!modelDeploymentSpec.shape.payload.shape.path.safeParse(path).success) {
        return impossible('its path is too long');
      }
      const { readFrom, ...processor } = defaults;
      return {
        kind: 'create',
        manifest: {
          name,
          namespace,
          requests: encodeRequestIds([], id),
          payloadComplete: madeAt(id),
          spec: {
            name: model,
            version,
            instances,
            memory,
            ...processor,
            payload: { path, readFrom },
            rollout: oldRollout,
          },
        },
      };
    }
  }
}

function refused(refusal: AddRefusal<ObservedModel>): Step {
  switch (refusal.why) {
    case 'name taken': {
      const { model, version } = refusal.of;
      return reject('NAME_OWNED', `${shown(refusal.of)} is there already and is ${quoted(model)} ${quoted(version)}`);
    }
    case 'autoscaled':
      return autoscaled(refusal.of, refusal.instances, refusal.by);
    case 'incomplete':
      return impossible(`it names no ${refusal.missing[0]}, which a new model needs`);
    case 'other path':
    case 'other readFrom': {
      const payload = `the payload ${quoted(refusal.of.path)}`;
      return reject('PAYLOAD_PATH_DIFFERS', `${shown(refusal.of)} has ${payload}, not ${quoted(refusal.asked)}`);
    }
  }
}

function planRemove(
  id: string,
  request: NamedRequest & { readonly version: string },
  namespace: string,
  models: readonly ObservedModel[],
): Step {
  const { name: model, version, instances } = request;
  const decided = decideRemove({ model, version, instances }, models);
  switch (decided.kind) {
    case 'not there':
      return reject('MODEL_NOT_FOUND', `${quoted(model)} ${quoted(version)} is not deployed in namespace ${namespace}`);
    case 'going':
      return { kind: 'take off' };
    case 'autoscaled':
      return autoscaled(decided.of, decided.instances, decided.by);
    case 'change':
      return {
        kind: 'change',
        of: decided.of,
        leftTo: decided.leftTo,
        change: {
          instances: decided.instances,
          requests: encodeRequestIds(decided.of.requests, id),
          removal: decided.instances === 0 ? id : null,
        },
      };
  }
}

function autoscaled(model: ObservedModel, instances: number, by: Autoscaler): Step {
  return reject('AUTOSCALED', `${shown(model)} would have ${instances} instances, against ${shownAutoscaler(by)}`);
}

/** What is wrong with a text that is there. */
function partProblem(part: 'name' | 'version', text: string | null): string | undefined {
  if (text === null) return undefined;
  const parsed = modelDeploymentSpec.shape[part].safeParse(text);
  if (parsed.success) return undefined;
  return `its ${part} ${quoted(text)} cannot be used: ${parsed.error.issues[0]?.message ?? 'invalid'}`;
}

function shown({ state }: ObservedModel): string {
  return `${state.namespace}/${state.name}`;
}

/** The old client asks when its upload is done. */
function madeAt(id: string): string {
  return new Date(requestTime(id)).toISOString();
}

function impossible(why: string): Step {
  return reject('REQUEST_IMPOSSIBLE', why);
}

function reject(code: ErrorCode, why: string): Step {
  return { kind: 'reject', rejection: { code, why } };
}
