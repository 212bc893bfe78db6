/** ModelDeployments as requests of the old queue see them, make them and change them. */
import { annotations } from '../contracts/names.ts';
import type { ReadFrom } from '../contracts/payload.ts';
import type { ResourceEntry } from '../contracts/resource-entry.ts';
import type { Autoscaler } from '../deploy-rules/autoscaler.ts';
import type { DeployedModel } from '../deploy-rules/deployed-model.ts';
import { parseRequestIds } from './request-id.ts';

/** A ModelDeployment to be made; the API server fills in the defaults. */
export interface NewModel {
  readonly name: string;
  readonly namespace: string;
  /** The annotation with the ids of the requests that were done to it. */
  readonly requests: string;
  /** RFC 3339: what was at the payload's path by then is whole. */
  readonly payloadComplete: string;
  readonly spec: {
    readonly name: string;
    readonly version: string;
    readonly instances: number;
    readonly memory: string;
    /** Absent where the operator's default holds. */
    readonly cpu?: string;
    readonly payload: { readonly path: string; readonly readFrom: ReadFrom };
    readonly rollout: { readonly strategy: 'Immediate' };
  };
}

/** A ModelDeployment, as far as a request is concerned. */
export interface ObservedModel extends DeployedModel {
  /** Why its spec cannot be read, undefined where it can. */
  readonly invalid: string | undefined;
  /** Ids of the requests that were done to it. */
  readonly requests: readonly string[];
  /** Id of the request that took its last instances. */
  readonly removal: string | undefined;
}

export function observedModel({ resource, invalid }: ResourceEntry, autoscaler: Autoscaler | undefined): ObservedModel {
  const { metadata, spec, status } = resource;
  const { namespace, name, uid, resourceVersion } = metadata;
  return {
    state: { namespace, name, uid, resourceVersion },
    createdAt: metadata.creationTimestamp,
    deleting: metadata.deletionTimestamp !== undefined,
    stalled: status.conditions?.some(({ type, status: is }) => type === 'Stalled' && is === 'True') ?? false,
    invalid,
    model: spec.name,
    version: spec.version,
    instances: spec.instances,
    memory: spec.memory,
    path: spec.payload.path,
    readFrom: spec.payload.readFrom ?? 'Path',
    autoscaler,
    requests: parseRequestIds(metadata.annotations[annotations.queueRequests]),
    removal: metadata.annotations[annotations.queueRemoval],
  };
}

export interface ModelChange {
  readonly instances: number;
  /** A quantity; absent where it stays. */
  readonly memory?: string;
  /** The whole annotation. */
  readonly requests: string;
  /** RFC 3339: what was at the payload's path by then is whole. Absent where nothing was put there. */
  readonly payloadComplete?: string;
  /** Null where the resource is to stay. */
  readonly removal: string | null;
}
