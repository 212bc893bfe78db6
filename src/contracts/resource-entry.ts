/** Reads a ModelDeployment as the API server keeps it. Pure. */
import { type ModelDeployment, modelDeploymentSpec, modelDeploymentStatus, notSeenReason } from './resource.ts';

/** As it is in JSON; everything may be absent. */
interface StoredModelDeployment {
  readonly metadata?: Partial<ModelDeployment['metadata']>;
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
