/** What ADD makes of a spec: a new one, or the patch of one that is there. Pure. */
import { MaasError } from '../../contracts/errors.ts';
import { tidyHdfsPath } from '../../contracts/hdfs-path.ts';
import { annotations, resourceNameFor, shortHash } from '../../contracts/names.ts';
import { sameQuantity } from '../../contracts/quantity.ts';
import { apiVersion, kind } from '../../contracts/resource.ts';
import type { AddCommand, EnvChange, SpecOptions } from '../command.ts';
import type { ApiObject, ModelManifest } from '../ports.ts';
import { type Model, qualifiedName, title, titleOf } from './model.ts';

/**
 * A manifest that says only what the user said; the API server fills in the defaults.
 * @throws MaasError USAGE when an option is missing that a new model needs
 */
export function newManifest(command: AddCommand, namespace: string, payloadPath: string | undefined): ModelManifest {
  const { options } = command;
  const missing = [
    ...(options.memory === undefined ? ['--memory'] : []),
    ...(payloadPath === undefined ? ['--local-model-path or --hdfs-model-path'] : []),
  ];
  if (missing.length > 0) {
    throw new MaasError(
      'USAGE',
      `${title(command)} is not deployed in namespace ${namespace} yet; a new model needs ${missing.join(' and ')}`,
      { next: 'Add what is missing, or correct --name, --version or --namespace.' },
    );
  }
  const env = options.env.filter((change) => change.value !== undefined);
  return {
    apiVersion,
    kind,
    metadata: {
      name: resourceNameFor(command.model, command.version),
      namespace,
      ...(command.payloadComplete === undefined
        ? {}
        : { annotations: { [annotations.payloadComplete]: command.payloadComplete } }),
    },
    spec: {
      name: command.model,
      version: command.version,
      instances: command.instances,
      ...scalars(options),
      payload: { path: payloadPath, ...(command.readFrom === undefined ? {} : { readFrom: command.readFrom }) },
      ...(env.length > 0 ? { env } : {}),
    },
  };
}

/**
 * The merge patch that adds the instances and changes what the user named; empty when there is nothing to change.
 * @param payloadPath named by the user, or where the upload went
 * @throws MaasError PAYLOAD_PATH_DIFFERS, also where instances would read it from elsewhere
 */
export function addPatch(model: Model, command: AddCommand, payloadPath: string | undefined): ApiObject {
  checkPayload(model, payloadPath, command.readFrom);
  const { spec } = model;
  const changed = Object.entries(scalars(command.options)).filter(([field, value]) => {
    const present: unknown = Object.entries(spec).find(([name]) => name === field)?.[1];
    const same = field === 'memory' || field === 'cpu' ? sameQuantity(String(present), value) : present === value;
    return !same;
  });
  const env = changedEnv(spec.env, command.options.env);
  return {
    ...(command.instances > 0 ? { instances: spec.instances + command.instances } : {}),
    ...Object.fromEntries(changed),
    ...(env === undefined ? {} : { env }),
  };
}

/** Either change would be a switch, which ADD never makes. */
function checkPayload(model: Model, path: string | undefined, readFrom: string | undefined): void {
  const { payload } = model.spec;
  const deployed = `${titleOf(model)} is deployed already as ${qualifiedName(model)}`;
  if (path !== undefined && tidyHdfsPath(path) !== tidyHdfsPath(payload.path)) {
    throw new MaasError('PAYLOAD_PATH_DIFFERS', `${deployed} with the payload ${payload.path}, not ${path}`, {
      next: 'Give the other payload a version of its own with --version, or leave --hdfs-model-path out.',
    });
  }
  if (readFrom !== undefined && readFrom !== payload.readFrom) {
    throw new MaasError('PAYLOAD_PATH_DIFFERS', `${deployed} and reads from ${payload.readFrom}, not ${readFrom}`, {
      next: 'Leave --read-from out, or change spec.payload.readFrom, which starts its instances anew.',
    });
  }
}

function scalars({ memory, cpu, image, startupTimeout, drain, advertise }: SpecOptions): Record<string, string> {
  const named = Object.entries({ memory, cpu, image, startupTimeout, drain, advertise });
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

/** Where an upload goes when no path is named: one directory a version, relative to the HDFS user's home or absolute. */
export function defaultPayloadPath(payloadRoot: string, model: string, version: string): string {
  return `${payloadRoot.replace(/\/+$/, '')}/${pathSegment(model)}/${pathSegment(version)}`;
}

/** A name as one directory: itself where HDFS takes it, else its letters with a hash that keeps it apart. */
function pathSegment(name: string): string {
  if (/^[\p{L}\p{N}_][\p{L}\p{M}\p{N}._ -]*$/u.test(name) && name === name.normalize('NFC')) return name;
  const readable = name.normalize('NFC').replace(/[^\p{L}\p{N}_-]+/gu, '-');
  return `${readable}-${shortHash(name)}`;
}
