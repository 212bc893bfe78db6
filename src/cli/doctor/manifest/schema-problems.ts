/** What the API server would say of a ModelDeployment, as far as it can be said without asking it. Pure. */
import { customResourceDefinition } from '../../../contracts/crd.ts';
import { exceedsQuantity } from '../../../contracts/quantity.ts';
import { apiVersion, kind, maxResourceName, modelDeploymentSpec } from '../../../contracts/resource.ts';
import { recordOf } from '../../cluster/api-object.ts';
import type { ApiObject } from '../../ports.ts';

/** Of fields in bytes, as the CRD's rules have it. */
const leastBytes = { memory: '16Mi', disk: '1Mi' } as const;

/** Sentences, each with the field that it is about. */
export function schemaProblems(object: ApiObject): string[] {
  if (object['apiVersion'] !== apiVersion) {
    return [`apiVersion: it is ${shown(object['apiVersion'])}, and a ${kind} has ${apiVersion}`];
  }
  const spec = modelDeploymentSpec.safeParse(object['spec']);
  const problems = spec.success
    ? []
    : spec.error.issues.map(({ path, message }) => `${['spec', ...path].join('.')}: ${message}`);
  for (const [field, least] of Object.entries(leastBytes)) {
    const amount = spec.success ? spec.data[field as keyof typeof leastBytes] : undefined;
    if (amount === undefined || !exceedsQuantity(least, amount)) continue;
    const meant = /^[0-9]+$/.test(amount) ? `Mi (${amount}Mi)` : 'Mi (for example 512Mi)';
    problems.push(`spec.${field}: it is less than ${least}; a number alone means bytes, did you mean ${meant}?`);
  }
  return [...nameProblems(object), ...problems];
}

function nameProblems(object: ApiObject): string[] {
  const metadata = recordOf(object['metadata']);
  const { name, generateName } = metadata;
  if (name === undefined && typeof generateName === 'string') return [];
  if (typeof name !== 'string') return ['metadata.name: it is missing'];
  if (name.length > maxResourceName) return [`metadata.name: it is longer than ${maxResourceName} characters`];
  return /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)
    ? []
    : [
        'metadata.name: it may have lower-case letters, digits, "-" and "." alone, and begins and ends with a letter or digit',
      ];
}

/** Fields that the API server would drop, or refuse where it is strict, as paths. */
export function unknownFields(object: ApiObject): string[] {
  const crd = recordOf(customResourceDefinition()['spec']);
  const [version] = Array.isArray(crd['versions']) ? crd['versions'] : [];
  const schema = recordOf(recordOf(recordOf(version)['schema'])['openAPIV3Schema']);
  const { metadata: _, ...rest } = object;
  return strangers(rest, schema, '');
}

function strangers(value: unknown, schema: ApiObject, path: string): string[] {
  if (Array.isArray(value)) {
    const items = recordOf(schema['items']);
    return value.flatMap((item, at) => strangers(item, items, `${path}[${at}]`));
  }
  const properties = schema['properties'];
  if (typeof value !== 'object' || value === null || typeof properties !== 'object' || properties === null) return [];
  const known = recordOf(properties);
  return Object.entries(value).flatMap(([key, child]) => {
    const below = path === '' ? key : `${path}.${key}`;
    if (Object.hasOwn(known, key)) return strangers(child, recordOf(known[key]), below);
    return schema['x-kubernetes-preserve-unknown-fields'] === true ? [] : [below];
  });
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}
