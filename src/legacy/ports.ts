/** What the old queue's loop needs of the world around it. The adapters give it; tests give their own. */
import type { ObjectState } from '../contracts/object-state.ts';
import type { ReasonedEvent } from '../contracts/reasons.ts';
import type { ModelChange, NewModel, ObservedModel } from './model-object.ts';
import type { RecordData, RecordPatch } from './queue-record.ts';

export interface Znode {
  readonly data: Uint8Array;
  readonly stat: {
    readonly version: number;
    readonly czxid: bigint;
    /** Milliseconds since the epoch. */
    readonly ctime: number;
    readonly numChildren: number;
  };
}

export interface Subscription {
  close(): void;
}

export type ZnodeOperation =
  | { readonly type: 'create'; readonly path: string; readonly data: Uint8Array; readonly sequential: true }
  | { readonly type: 'delete'; readonly path: string; readonly version: number };

/** Failures are MaasErrors: ZOOKEEPER_*. */
export interface QueueZooKeeper {
  state(): 'connecting' | 'connected' | 'suspended' | 'closed';
  onEvent(listener: (event: { readonly type: string }) => void): () => void;
  get(path: string): Promise<Znode | undefined>;
  children(path: string): Promise<string[] | undefined>;
  /** False where there is no such node. */
  delete(path: string, version?: number): Promise<boolean>;
  /** All of it or nothing; ZOOKEEPER_CONFLICT where it cannot be done, ZOOKEEPER_TIMEOUT where nobody knows. */
  transaction(operations: readonly ZnodeOperation[]): Promise<void>;
  ensurePath(path: string): Promise<void>;
  watchNode(path: string, onChange: (node: { readonly data: Uint8Array } | undefined) => void): Subscription;
  watchChildren(path: string, onChange: (children: string[] | undefined) => void): Subscription;
}

/** An object that an event can be about. */
export interface EventObject {
  readonly kind: 'ModelDeployment' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Failures are MaasErrors: CLUSTER_*, and CONFLICT where the object is not in that state any more. */
export interface QueueCluster {
  /** Live, not from a cache: the resources of this model in this namespace, and the one of this name. */
  find(namespace: string, model: string, resourceName: string): Promise<readonly ObservedModel[]>;
  create(manifest: NewModel): Promise<EventObject>;
  /** Instances and annotations in one write. */
  change(state: ObjectState, change: ModelChange): Promise<void>;
  delete(state: ObjectState): Promise<void>;
  /** The record's data; undefined where there is none yet. */
  record(): Promise<{ readonly data: RecordData; readonly state: ObjectState } | undefined>;
  /** Over this state of it, or made anew. Gives what the events of rejected requests are about. */
  writeRecord(over: ObjectState | undefined, patch: RecordPatch): Promise<EventObject>;
  event(about: EventObject, event: ReasonedEvent): void;
}

export interface QueueMetrics {
  request(outcome: 'done' | 'rejected' | 'forwarded'): void;
}
