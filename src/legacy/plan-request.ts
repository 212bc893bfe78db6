/**
 * The next step of a request to a model of ours. Pure: the request and what is there now, in; one step, out.
 *
 * Only one step is planned at a time, and the next from a new look at the world. So nothing is remembered between two
 * steps that a crash could lose: whoever comes after sees what was done in what is there.
 *
 * 1. What was done is not done again. A resource that has the request's id had its instances changed in the same
 *    write; the record has the ids of rejected requests and of those that were about to delete a resource.
 * 2. ADD: the resource of that name and version is made, or gets the instances on top of those it has.
 *    What is at its path by then is whole: the old client asks when its upload is done.
 * 3. REMOVE: the resource gets so many fewer. Where none are left, the record remembers which resource goes for which
 *    request, and then it is deleted; a successor of its name is never touched.
 * 4. What can never be done is rejected, and comes into the record.
 */

import type { ErrorCode } from '../contracts/error-catalogue.ts';
import { tidyHdfsPath } from '../contracts/hdfs-path.ts';
import { resourceNameFor } from '../contracts/names.ts';
import { grantedMemory } from '../contracts/old-deploy-rules.ts';
import type { ReadFrom } from '../contracts/payload.ts';
import { parseQuantity } from '../contracts/quantity.ts';
import { modelDeploymentSpec } from '../contracts/resource.ts';
import type { RequestQueueSettings } from '../contracts/settings.ts';
import { quoted } from '../kernel/shown-text.ts';
import { compareTexts } from '../kernel/text-order.ts';
import type { ModelChange, ModelManifest, ObservedModel } from './model-object.ts';
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
  | { readonly kind: 'create'; readonly manifest: ModelManifest }
  | { readonly kind: 'change'; readonly of: ObservedModel; readonly change: ModelChange }
  | { readonly kind: 'remember'; readonly uid: string }
  | { readonly kind: 'delete'; readonly of: ObservedModel }
  | { readonly kind: 'reject'; readonly rejection: Rejection }
  | { readonly kind: 'take off' }
  /** Not now; `why` as the end of a sentence. */
  | { readonly kind: 'wait'; readonly why: string };

/** What the settings say of resources that requests make. */
export interface RequestRules {
  readonly memory: RequestQueueSettings['memory'];
  /** What an instance requests of the processor; undefined leaves it to the operator. */
  readonly cpu: string | undefined;
  readonly readFrom: ReadFrom;
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

  const version = request.version ?? '';
  const name = partProblem('name', request.name);
  if (name !== undefined) return name;
  const versionProblem = request.version === null ? impossible('it names no version') : partProblem('version', version);
  if (versionProblem !== undefined) return versionProblem;
  if (request.action === null) return impossible('it says neither ADD nor REMOVE');
  if (request.instances < 1) return impossible(`it asks for ${request.instances} instances`);

  const own = models.filter((model) => model.model === request.name && model.version === version).sort(preferred);
  const [present] = own;
  if (present?.invalid !== undefined) {
    return reject(
      'RESOURCE_INVALID',
      `${shown(present)} has a spec that this operator cannot read: ${present.invalid}`,
    );
  }
  return request.action === 'ADD'
    ? planAdd(id, request, version, namespace, present, models, rules)
    : planRemove(id, request, version, namespace, present);
}

function goOnRemoving(id: string, model: ObservedModel | undefined, removing: string | undefined): Step {
  // Somebody gave it instances since, or deleted it: that is the later wish.
  if (model === undefined || model.deleting || model.instances > 0 || model.removal !== id) return { kind: 'take off' };
  if (removing === undefined) return { kind: 'remember', uid: model.state.uid };
  return model.state.uid === removing ? { kind: 'delete', of: model } : { kind: 'take off' };
}

function planAdd(
  id: string,
  request: NamedRequest,
  version: string,
  namespace: string,
  present: ObservedModel | undefined,
  models: readonly ObservedModel[],
  rules: RequestRules,
): Step {
  const { memoryMb, exceeds } = grantedMemory(request.memoryMb, rules.memory);
  if (exceeds !== undefined) {
    return impossible(`${memoryMb} MB an instance are more than the maximum of ${exceeds} MB`);
  }
  const total = (present?.deleting === false ? present.instances : 0) + request.instances;
  if (!modelDeploymentSpec.shape.instances.safeParse(total).success) {
    return impossible(`there would be ${total} instances, which is too many`);
  }
  if (present !== undefined) {
    if (present.deleting) return { kind: 'wait', why: `${shown(present)} is being deleted` };
    if (request.path !== null && tidyHdfsPath(request.path) !== tidyHdfsPath(present.path)) {
      return reject(
        'PAYLOAD_PATH_DIFFERS',
        `${shown(present)} has the payload ${quoted(present.path)}, not ${quoted(request.path)}`,
      );
    }
    // Those that are there keep what they have: they may need it.
    const more = request.memoryMb > 0 && memoryMb * 2 ** 20 > (parseQuantity(present.memory) ?? 0);
    return {
      kind: 'change',
      of: present,
      change: {
        instances: total,
        ...(more ? { memory: `${memoryMb}Mi` } : {}),
        requests: encodeRequestIds(present.requests, id),
        ...(request.path === null ? {} : { payloadComplete: madeAt(id) }),
        removal: null,
      },
    };
  }
  const resourceName = resourceNameFor(request.name, version);
  const taken = models.find((model) => model.state.name === resourceName);
  if (taken?.deleting === true) return { kind: 'wait', why: `${shown(taken)} is being deleted` };
  if (taken !== undefined) {
    return reject(
      'NAME_OWNED',
      `${shown(taken)} is there already and is ${quoted(taken.model)} ${quoted(taken.version)}`,
    );
  }
  if (request.memoryMb < 1) return impossible('it names no memory, which a new model needs');
  if (request.path === null || request.path === '') return impossible('it names no path, which a new model needs');
  const path = modelDeploymentSpec.shape.payload.shape.path.safeParse(request.path);
  if (!path.success) return impossible('its path is too long');
  return {
    kind: 'create',
    manifest: {
      name: resourceName,
      namespace,
      requests: encodeRequestIds([], id),
      payloadComplete: madeAt(id),
      spec: {
        name: request.name,
        version,
        instances: request.instances,
        memory: `${memoryMb}Mi`,
        ...(rules.cpu === undefined ? {} : { cpu: rules.cpu }),
        payload: { path: request.path, readFrom: rules.readFrom },
      },
    },
  };
}

function planRemove(
  id: string,
  request: NamedRequest,
  version: string,
  namespace: string,
  present: ObservedModel | undefined,
): Step {
  if (present === undefined) {
    const title = `${quoted(request.name)} ${quoted(version)}`;
    return reject('MODEL_NOT_FOUND', `${title} is not deployed in namespace ${namespace}`);
  }
  // Somebody takes all of it away already.
  if (present.deleting) return { kind: 'take off' };
  const left = Math.max(0, present.instances - request.instances);
  return {
    kind: 'change',
    of: present,
    change: {
      instances: left,
      requests: encodeRequestIds(present.requests, id),
      removal: left === 0 ? id : null,
    },
  };
}

/** The owner first, where several claim the same name and version; those that go come last. */
function preferred(a: ObservedModel, b: ObservedModel): number {
  return (
    Number(a.deleting) - Number(b.deleting) ||
    Number(a.stalled) - Number(b.stalled) ||
    compareTexts(a.createdAt, b.createdAt) ||
    compareTexts(a.state.uid, b.state.uid)
  );
}

function partProblem(part: 'name' | 'version', text: string): Step | undefined {
  const parsed = modelDeploymentSpec.shape[part].safeParse(text);
  if (parsed.success) return undefined;
  return impossible(`its ${part} ${quoted(text)} cannot be used: ${parsed.error.issues[0]?.message ?? 'invalid'}`);
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
