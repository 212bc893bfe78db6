/** What `add` writes: a new resource, or the patch of one that is there. What it decides is in src/deploy-rules. Pure. */
import { annotations } from '../../contracts/names.ts';
import type { ReadFrom } from '../../contracts/payload.ts';
import { sameQuantity } from '../../contracts/quantity.ts';
import { apiVersion, kind } from '../../contracts/resource.ts';
import type { AddDecision } from '../../deploy-rules/add.ts';
import { type OldDefaults, oldRollout } from '../../deploy-rules/old-words.ts';
import type { EnvChange } from '../options/option-values.ts';
import type { ModelManifest, ModelPatch } from '../ports.ts';
import type { Deployed } from './deployed.ts';
import type { Model } from './model.ts';

/** What the user named of a spec. */
interface SpecWish {
  readonly cpu?: string | undefined;
  readonly image?: string | undefined;
  readonly startupTimeout?: string | undefined;
  readonly drain?: string | undefined;
  readonly advertise?: string | undefined;
  readonly env?: readonly EnvChange[];
}

export interface AddWish extends SpecWish {
  readonly model: string;
  readonly version: string;
  /** How many more. */
  readonly instances: number;
  /** A Kubernetes quantity. */
  readonly memory?: string | undefined;
  /** Where instances read it; undefined leaves it as it is, or to the resource's default. */
  readonly readFrom?: ReadFrom | undefined;
  /** RFC 3339: what was at the payload's path by then is whole; undefined where nobody knows. */
  readonly payloadComplete?: string | undefined;
  /**
   * What else a new resource gets, where it is asked for in the old client's words; then the memory is the least that
   * one that is there is to have. Absent for `kubectl maas`.
   */
  readonly oldDefaults?: OldDefaults;
}

type Decided<K> = Extract<AddDecision<Deployed>, { readonly kind: K }>;

/** A manifest that says only what the user said; the API server fills in the defaults. */
export function newManifest(wish: AddWish, namespace: string, decided: Decided<'create'>): ModelManifest {
  const { env: changes = [], oldDefaults } = wish;
  const env = changes.filter((change) => change.value !== undefined);
  const readFrom = wish.readFrom ?? oldDefaults?.readFrom;
  return {
    apiVersion,
    kind,
    metadata: { name: decided.name, namespace, ...saysWhenComplete(wish) },
    spec: {
      name: wish.model,
      version: wish.version,
      instances: wish.instances,
      memory: decided.memory,
      ...scalars({ ...wish, cpu: wish.cpu ?? oldDefaults?.cpu }),
      payload: { path: decided.path, ...(readFrom === undefined ? {} : { readFrom }) },
      ...(env.length > 0 ? { env } : {}),
      ...(oldDefaults === undefined ? {} : { rollout: oldRollout }),
    },
  };
}

/** Adds the instances and changes what the user named; undefined when there is nothing to change. */
export function addPatch(wish: AddWish, { of, instances, memory, path }: Decided<'change'>): ModelPatch | undefined {
  const { spec } = of.resource;
  const others = Object.entries(scalars(wish)).filter(([field, value]) => {
    const present: unknown = Object.entries(spec).find(([name]) => name === field)?.[1];
    return !(field === 'cpu' ? sameQuantity(String(present), value) : present === value);
  });
  const env = changedEnv(spec.env, wish.env ?? []);
  const patch = {
    ...(instances === spec.instances ? {} : { instances }),
    ...(memory === undefined ? {} : { memory }),
    ...(path === undefined ? {} : { payload: { path } }),
    ...Object.fromEntries(others),
    ...(env === undefined ? {} : { env }),
  };
  return Object.keys(patch).length === 0 ? undefined : { spec: patch, ...saysWhenComplete(wish) };
}

function saysWhenComplete({ payloadComplete }: AddWish): Pick<ModelPatch, 'annotations'> {
  return payloadComplete === undefined ? {} : { annotations: { [annotations.payloadComplete]: payloadComplete } };
}

/** The fields that have a value, always in the same order. */
function scalars({ cpu, image, startupTimeout, drain, advertise }: SpecWish): Record<string, string> {
  const named = Object.entries({ cpu, image, startupTimeout, drain, advertise });
  return Object.fromEntries(named.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The variables after the changes, undefined when they stay as they are; what is not named is kept as it is. */
function changedEnv(present: Model['spec']['env'], changes: readonly EnvChange[]): Model['spec']['env'] | undefined {
  let env = [...present];
  for (const { name, value } of changes) {
    const at = env.findIndex((variable) => variable.name === name);
    if (value === undefined) env = env.filter((variable) => variable.name !== name);
    else if (at < 0) env.push({ name, value });
    else env[at] = { name, value };
  }
  return JSON.stringify(env) === JSON.stringify(present) ? undefined : env;
}
