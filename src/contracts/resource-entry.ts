/** Reads a ModelDeployment as the API server keeps it. Pure. */
import { type ModelDeployment, modelDeploymentSpec } from './resource.ts';
import { modelDeploymentStatus, notSeenReason } from './resource-status.ts';

interface ManagedFields {
  readonly manager?: string;
  /** RFC 3339; what @kubernetes/client-node reads is a Date. */
  readonly time?: string | Date;
  readonly subresource?: string;
  readonly fieldsV1?: object;
}

/** As it is in JSON; everything may be absent. */
interface StoredModelDeployment {
  readonly metadata?: Partial<ModelDeployment['metadata']> & { readonly managedFields?: readonly ManagedFields[] };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** A stored ModelDeployment, and why its spec cannot be used where that is so. */
export interface ResourceEntry {
  readonly resource: ModelDeployment;
  readonly invalid?: string;
}

/**
 * A spec that the API server accepted and the schema refuses (a newer or older CRD, a rule that OpenAPI cannot say)
 * still gives an entry, so that the resource can be told what is wrong with it.
 */
export function resourceEntry({ metadata, spec, status }: StoredModelDeployment): ResourceEntry {
  const parsed = modelDeploymentSpec.safeParse(spec);
  const parsedStatus = modelDeploymentStatus.safeParse(status ?? {});
  const resource: ModelDeployment = {
    metadata: {
      name: metadata?.name ?? '',
      namespace: metadata?.namespace ?? '',
      uid: metadata?.uid ?? '',
      generation: metadata?.generation ?? 0,
      resourceVersion: metadata?.resourceVersion ?? '',
      creationTimestamp: metadata?.creationTimestamp ?? '',
      ...(metadata?.deletionTimestamp === undefined ? {} : { deletionTimestamp: metadata.deletionTimestamp }),
      labels: metadata?.labels ?? {},
      annotations: metadata?.annotations ?? {},
      ...changedBy(metadata?.managedFields ?? []),
    },
    spec: parsed.success ? parsed.data : placeholder(spec),
    status: parsedStatus.success && !isUnseen(parsedStatus.data) ? parsedStatus.data : {},
  };
  if (parsed.success) return { resource };
  const invalid = parsed.error.issues
    .map((issue) => `spec${issue.path.length > 0 ? `.${issue.path.join('.')}` : ''}: ${issue.message}`)
    .join('; ');
  return { resource, invalid };
}

/** Whoever wrote into the spec last. */
function changedBy(managed: readonly ManagedFields[]): Pick<ModelDeployment['metadata'], 'changedBy'> {
  const at = ({ time }: ManagedFields) => new Date(time ?? 0).getTime();
  const [last] = managed
    .filter(({ subresource, fieldsV1 }) => (subresource ?? '') === '' && fieldsV1 !== undefined && 'f:spec' in fieldsV1)
    .sort((a, b) => at(b) - at(a));
  return last?.manager === undefined ? {} : { changedBy: last.manager };
}

/** What the API server says in the place of an operator that has not looked yet is nobody's memory. */
function isUnseen({ conditions }: ModelDeployment['status']): boolean {
  return conditions?.some(({ reason }) => reason === notSeenReason) === true;
}

/** Enough of a spec to name the resource in a status; nothing is made from it. */
function placeholder(spec: unknown): ModelDeployment['spec'] {
  const given = typeof spec === 'object' && spec !== null ? (spec as Record<string, unknown>) : {};
  const text = (key: string) => (typeof given[key] === 'string' ? given[key] : '');
  return {
    name: text('name'),
    version: text('version'),
    instances: 0,
    memory: '16Mi',
    payload: { path: '/' },
    startupTimeout: '10m',
    advertise: 'PodIP',
    drain: '5s',
    stopTimeout: '10s',
  };
}
