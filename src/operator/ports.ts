/** What the operator needs of the world around it. The adapters give it; tests give their own. */
import type { PinnedPayload, TransferProgress } from '../contracts/payload.ts';
import type { ReasonedEvent } from '../contracts/reasons.ts';
import type { ModelDeployment } from '../contracts/resource.ts';
import type { ResourceEntry } from '../contracts/resource-entry.ts';
import type { ModelDeploymentStatus } from '../contracts/resource-status.ts';
import type { Manifest } from '../plan/children.ts';
import type { BudgetView, DeploymentView, PinView, PodView } from '../plan/observation.ts';
import type { Plan } from '../plan/plan.ts';
import type { Owned } from './views.ts';

/** Objects that a watch keeps in step with the cluster. */
export interface Store<P> {
  get(namespace: string | undefined, name: string): P | undefined;
  byUid(uid: string): P | undefined;
  list(): P[];
  /** Children by the UID of their ModelDeployment, resources by their model name. */
  indexed(value: string): P[];
}

export interface Stores {
  readonly resources: Store<ResourceEntry>;
  readonly deployments: Store<Owned<DeploymentView>>;
  readonly pins: Store<Owned<PinView>>;
  readonly budgets: Store<Owned<BudgetView>>;
  readonly pods: Store<Owned<PodView>>;
}

/** The operator's writes to Kubernetes; failures are MaasErrors. */
export interface Cluster {
  apply(manifest: Manifest): Promise<void>;
  /** Only the object with this UID; done when it is gone already. */
  remove(child: Plan['remove'][number] & { readonly namespace: string }): Promise<void>;
  /** Never writes to a successor of the same name. Gives the new resourceVersion. */
  writeStatus(resource: ModelDeployment, status: ModelDeploymentStatus): Promise<void>;
  event(resource: ModelDeployment, event: ReasonedEvent): void;
  /** Asks the API server itself, for decisions that a cache must not make. */
  podExists(namespace: string, name: string, uid: string): Promise<boolean>;
}

export interface Payloads {
  /**
   * Looks at the payload in HDFS.
   * @param completeAt milliseconds since the epoch: what was written until then is whole
   * @throws MaasError PAYLOAD_* or HDFS_*
   */
  resolve(path: string, completeAt: number | undefined, signal: AbortSignal): Promise<PinnedPayload>;
  /**
   * Copies what was resolved to the payload store, or what is there by then, and gives the copy's pin.
   * @throws MaasError PAYLOAD_* or HDFS_*
   */
  keep(found: PinnedPayload, progress: (copied: TransferProgress) => void, signal: AbortSignal): Promise<PinnedPayload>;
  /**
   * Copies again what is damaged of a pinned copy in the payload store, where its original is there still.
   * @throws MaasError HDFS_*
   */
  mend(pinned: PinnedPayload, signal: AbortSignal): Promise<void>;
  /** How HDFS differs from what was pinned, or undefined. @throws MaasError where it cannot be looked at */
  drift(pinned: PinnedPayload, signal: AbortSignal): Promise<string | undefined>;
  /**
   * How the path that a copy in the payload store was made from differs from what was copied, or undefined.
   * @throws MaasError where it cannot be looked at
   */
  originalDrift(pinned: PinnedPayload, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Removes the copies from the payload store that nothing has referred to for long enough.
   * @param referred directories that pins name
   * @param may asked before each removal
   * @returns what was removed. @throws MaasError HDFS_*
   */
  sweep(referred: ReadonlySet<string>, may: () => boolean, signal: AbortSignal): Promise<readonly string[]>;
}

export interface Znode {
  readonly data: Uint8Array;
  readonly stat: {
    readonly version: number;
    readonly ephemeralOwner?: string | undefined;
    /** The transaction that made the node. */
    readonly czxid: bigint;
  };
}

export interface Subscription {
  close(): void;
}

export interface ZooKeeperReader {
  state(): 'connecting' | 'connected' | 'suspended' | 'closed';
  onEvent(listener: (event: { readonly type: string }) => void): () => void;
  get(path: string): Promise<Znode | undefined>;
  children(path: string): Promise<string[] | undefined>;
  watchNode(path: string, onChange: (node: Znode | undefined) => void): Subscription;
  watchChildren(path: string, onChange: (children: string[] | undefined) => void): Subscription;
}

export type ZnodeOperation =
  | { readonly type: 'check'; readonly path: string; readonly version: number }
  | { readonly type: 'set'; readonly path: string; readonly data: Uint8Array; readonly version: number }
  | { readonly type: 'delete'; readonly path: string; readonly version: number };

export interface Metrics {
  reconciled(outcome: 'success' | 'error', seconds: number): void;
  swept(): void;
}
