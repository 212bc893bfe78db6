/** What `add` writes: a new resource, or the patch of one that is there. What it decides is in src/deploy-rules. Pure. */
import { annotations } from '../../contracts/names.ts';
import { sameQuantity } from '../../contracts/quantity.ts';
import { apiVersion, kind } from '../../contracts/resource.ts';
import type { AddDecision } from '../../deploy-rules/add.ts';
import type { AddCommand, EnvChange, SpecOptions } from '../command.ts';
import type { ModelManifest, ModelPatch } from '../ports.ts';
import type { Deployed } from './deployed.ts';
import type { Model } from './model.ts';

type Decided<K> = Extract<AddDecision<Deployed>, { readonly kind: K }>;

/** A manifest that says only what the user said; the API server fills in the defaults. */
export function newManifest(command: AddCommand, namespace: string, decided: Decided<'create'>): ModelManifest {
  const { options, oldDefaults } = command;
  const env = options.env.filter((change) => change.value !== undefined);
  const readFrom = command.readFrom ?? oldDefaults?.readFrom;
  return {
    apiVersion,
    kind,
    metadata: { name: decided.name, namespace, ...saysWhenComplete(command) },
    spec: {
      name: command.model,
      version: command.version,
      instances: command.instances,
      memory: decided.memory,
      ...scalars({ ...oldDefaults, ...options }),
      payload: { path: decided.path, ...(readFrom === undefined ? {} : { readFrom }) },
      ...(env.length > 0 ? { env } : {}),
    },
  };
}

/** Adds the instances and changes what the user named; undefined when there is nothing to change. */
export function addPatch(command: AddCommand, { of, instances, memory }: Decided<'change'>): ModelPatch | undefined {
  const { spec } = of.resource;
  const others = Object.entries(scalars(command.options)).filter(([field, value]) => {
    const present: unknown = Object.entries(spec).find(([name]) => name === field)?.[1];
    return !(field === 'cpu' ? sameQuantity(String(present), value) : present === value);
  });
  const env = changedEnv(spec.env, command.options.env);
  const patch = {
    ...(instances === spec.instances ? {} : { instances }),
    ...(memory === undefined ? {} : { memory }),
    ...Object.fromEntries(others),
    ...(env === undefined ? {} : { env }),
  };
  return Object.keys(patch).length === 0 ? undefined : { spec: patch, ...saysWhenComplete(command) };
}

function saysWhenComplete({ payloadComplete }: AddCommand): Pick<ModelPatch, 'annotations'> {
  return payloadComplete === undefined ? {} : { annotations: { [annotations.payloadComplete]: payloadComplete } };
}

/** The fields that have a value, always in the same order. */
function scalars({ cpu, image, startupTimeout, drain, advertise }: SpecOptions): Record<string, string> {
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
