/**
 * A ModelDeployment as the commands see it. Read leniently: the cluster may run a newer operator with fields and
 * values that this program does not know, and a list must not fail because of one object.
 */
import { z } from 'zod';
import { group } from '../../contracts/api-group.ts';
import { MaasError } from '../../contracts/errors.ts';
import type { ObjectState } from '../../contracts/object-state.ts';
import type { Reason } from '../../contracts/reasons.ts';
import { plural } from '../../contracts/resource.ts';
import { type ModelDeploymentStatus, modelDeploymentStatus, pausedReason } from '../../contracts/resource-status.ts';
import type { ApiObject } from '../ports.ts';

const text = z.string();
/** With quotes or without, as in a Pod. */
const quantity = z.union([text, z.number()]).transform(String);

const readable = z.object({
  metadata: z.object({
    name: text,
    namespace: text,
    uid: text,
    resourceVersion: text,
    generation: z.int().default(0),
    creationTimestamp: text.default(''),
    deletionTimestamp: text.optional(),
    annotations: z.record(text, text).default({}),
  }),
  spec: z.object({
    name: text,
    version: text,
    instances: z.int().default(1),
    paused: z.boolean().optional(),
    memory: quantity.default(''),
    cpu: quantity.optional(),
    image: text.optional(),
    startupTimeout: text.optional(),
    drain: text.optional(),
    advertise: text.optional(),
    payload: z
      .object({ path: text.default(''), readFrom: text.default('Path') })
      .default({ path: '', readFrom: 'Path' }),
    env: z.array(z.looseObject({ name: text })).default([]),
  }),
});

export type Model = z.infer<typeof readable> & {
  readonly status: ModelDeploymentStatus;
  /** As it came. */
  readonly object: ApiObject;
};

/** @throws MaasError RESOURCE_INVALID for an object that is no ModelDeployment at all */
export function readModel(object: ApiObject): Model {
  const parsed = readable.safeParse(object);
  if (!parsed.success) {
    throw new MaasError('RESOURCE_INVALID', `the cluster answered with an object that is no ModelDeployment`, {
      cause: parsed.error,
    });
  }
  return { ...parsed.data, status: readStatus(object['status']), object };
}

/** Each field for itself: one that cannot be understood leaves the others readable. */
function readStatus(status: unknown): ModelDeploymentStatus {
  if (typeof status !== 'object' || status === null) return {};
  const understood = Object.entries(status).filter(([key, value]) => {
    const schema = Object.entries(modelDeploymentStatus.shape).find(([name]) => name === key)?.[1];
    return schema?.safeParse(value).success === true;
  });
  return modelDeploymentStatus.parse(Object.fromEntries(understood));
}

/** kubectl's name for it: `modeldeployment.maas.dev/dga-1.0`. */
export function qualifiedName(model: Pick<Model, 'metadata'>): string {
  return `${plural.replace(/s$/, '')}.${group}/${model.metadata.name}`;
}

/** What people call it: `dga 1.0`. */
export function title(named: { readonly model: string; readonly version: string }): string {
  return `${named.model} ${named.version}`;
}

export function titleOf(model: Model): string {
  return title({ model: model.spec.name, version: model.spec.version });
}

export function stateOf(model: Model): ObjectState {
  const { namespace, name, uid, resourceVersion } = model.metadata;
  return { namespace, name, uid, resourceVersion };
}

export function conditionOf(model: Model, type: string) {
  return model.status.conditions?.find((condition) => condition.type === type);
}

export function isGoing(model: Model): boolean {
  return model.metadata.deletionTimestamp !== undefined;
}

/** By what the operator says: a spec that it has not seen yet holds nobody back. */
export function isPaused(model: Model): boolean {
  return conditionOf(model, 'Reconciling')?.reason === pausedReason;
}

/** What fails behind its shields, in words. */
export function failingCalls(model: Model): string | undefined {
  const failing = conditionOf(model, 'CallsFailing');
  return failing?.status === 'True' ? failing.message : undefined;
}

export const registeredState = 'Registered' satisfies Reason;
