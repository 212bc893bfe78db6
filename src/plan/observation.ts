/**
 * Everything that a plan is made from: one immutable picture of the world around one ModelDeployment. The operator's
 * shell gathers it; nothing here or in plan.ts asks anybody anything.
 */
import type { ErrorCode } from '../contracts/error-catalogue.ts';
import type { Hold, HoldInstruction } from '../contracts/holds.ts';
import type { AgentMode, Mode } from '../contracts/modes.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import type { AgentStatus, ShieldStatus } from '../contracts/pod-contract.ts';
import type { ModelDeployment } from '../contracts/resource.ts';

export interface Observation {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly resource: ModelDeployment;
  /** Why the spec cannot be used, where the API server let through what the schema here refuses. */
  readonly invalid?: string;
  /** The other ModelDeployments that name the same model, in any namespace. */
  readonly peers: readonly Peer[];
  /** Of the wanted version, as its objects carry it in a label. */
  readonly key: string;
  /** The pin of the wanted version; see pins.ts. */
  readonly pin: Pin | undefined;
  /** Deployments that carry this resource's UID. */
  readonly deployments: readonly DeploymentView[];
  /** ConfigMaps with pinned payloads that carry this resource's UID. */
  readonly pins: readonly PinView[];
  /** PodDisruptionBudgets that carry this resource's UID. */
  readonly budgets: readonly BudgetView[];
  readonly pods: readonly PodView[];
  /** What is known of the wanted version's payload in HDFS. */
  readonly payload: PayloadView;
  readonly registrations: RegistrationsView;
  readonly holds: HoldsView;
  readonly mode: ModeView;
  /** What agents said when asked just now, by pod UID; an absent one was not asked or not reached, which means nothing. */
  readonly agents: ReadonlyMap<string, AgentStatus>;
  /** What the shields of instances that are up said just now, by pod UID; an absent one means nothing. */
  readonly shields: ReadonlyMap<string, ShieldStatus>;
  /** Why the API server refused what the last plan wanted to write. */
  readonly refusal?: Problem;
  /** The same of its budgets, without which a model runs as well. */
  readonly unprotected?: Problem;
}

/** A payload that a ConfigMap holds. */
export interface Pin {
  /** Of the ConfigMap. */
  readonly name: string;
  readonly payload: PinnedPayload;
}

export interface Peer {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly version: string;
  readonly creationTimestamp: string;
}

export interface DeploymentView {
  readonly name: string;
  readonly uid: string;
  readonly versionKey: string;
  readonly version: string;
  readonly createdAt: number;
  readonly deleting: boolean;
  readonly replicas: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** The live spec, compared with the one that was applied. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** It holds all that was applied, but perhaps for the number of instances; false where that has to be looked at. */
  readonly asApplied: boolean;
  /** The Deployment controller has seen the present spec and all pods are of it. */
  readonly rolledOut: boolean;
  /** The Deployment controller waits in vain for the present spec's pods: its progress deadline has passed. */
  readonly stuck: boolean;
  /** What its agents were told of holds; absent where they know of none. */
  readonly hold?: HoldInstruction;
  /** All its instances have been up together at least once. */
  readonly everComplete: boolean;
  /** The words of a condition ReplicaFailure, for example an exceeded quota. */
  readonly replicaFailure?: string;
}

export interface PinView {
  readonly name: string;
  readonly uid: string;
  readonly versionKey: string;
  readonly deleting: boolean;
  /** Absent where somebody damaged it. */
  readonly payload?: PinnedPayload;
}

export interface BudgetView {
  readonly name: string;
  readonly uid: string;
  readonly versionKey: string;
  readonly deleting: boolean;
  readonly spec: Readonly<Record<string, unknown>>;
}

export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly kind: 'running' }
  | Termination;

export interface Termination {
  readonly kind: 'terminated';
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
}

export interface ContainerView {
  readonly restarts: number;
  readonly state: ContainerState;
  readonly lastTermination?: Termination;
}

/** What Kubernetes warned of about a pod, from its events. */
export interface PodWarning {
  readonly podUid: string;
  /** Of the event, `FailedMount`. */
  readonly reason: string;
  readonly message: string;
  /** Milliseconds since the epoch, in whole seconds. */
  readonly lastSeen: number;
}

export interface PodView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly versionKey: string;
  readonly createdAt: number;
  readonly deleting: boolean;
  readonly ready: boolean;
  readonly ip?: string;
  readonly nodeIp?: string;
  readonly hostNetwork: boolean;
  /**
   * Since when and why it is dead: it was evicted, say, or its node was shut down. Dead pods stay as a record and are
   * replaced; they count for nothing.
   */
  readonly dead?: { readonly why: string; readonly at: number };
  /** Name of the pin that it was given. */
  readonly pin?: string;
  /** Of the template that it was made from; absent on pods of earlier releases. */
  readonly revision?: string;
  /** The scheduler's words, where it found no node. */
  readonly unschedulable?: string;
  /** Words about a scheduling gate: a queue has not admitted the pod yet. */
  readonly gated?: string;
  readonly agent?: ContainerView;
  readonly model?: ContainerView;
  /** Names of the secrets and ConfigMaps that volumes are made of, by the volumes' names; absent where there are none. */
  readonly volumeSources?: Readonly<Record<string, string>>;
  /** Of a pod that does not come up; absent where nothing was heard, which means nothing. */
  readonly warnings?: readonly PodWarning[];
}

export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly next: string;
}

export type PayloadView =
  | { readonly state: 'pending' }
  /** It was found, and has to be copied to the payload store before anything can be pinned. */
  | { readonly state: 'found' }
  | { readonly state: 'copying'; readonly bytesDone: number; readonly bytesTotal: number }
  | { readonly state: 'resolved'; readonly payload: PinnedPayload }
  /** `copying`: it was found, and could not be copied to the payload store. */
  | { readonly state: 'failed'; readonly problem: Problem; readonly transient: boolean; readonly copying?: true }
  /**
   * The version is pinned. `drift` says how the files that instances read differ now; `original`, where they read a
   * copy, how the path that it was made from does; `problem` why that could not be looked at. Before the first look
   * since the operator started, or since it was pinned, nothing is known.
   */
  | {
      readonly state: 'pinned';
      readonly looked: boolean;
      readonly drift?: string;
      readonly original?: string;
      readonly problem?: Problem;
    };

/** What of a pod's registration a plan is made from. */
export interface RegisteredPod {
  readonly version: string;
  readonly url: string;
  readonly functions: Readonly<Record<string, string>>;
  /** Digest of the payload that the agent verified before it registered; absent with agents of earlier releases. */
  readonly payloadDigest?: string;
  /** When this operator first saw it, milliseconds since the epoch; one that has just started has seen nothing for long. */
  readonly since: number;
}

/** How far the operator and the agents go with this model; see contracts/modes.ts. */
export interface ModeView {
  readonly mode: Mode;
  /** What the agents are told; while the operator only observes, what they were told before. */
  readonly agents: AgentMode;
  /** Why the modes that people wrote cannot be read, so that those of before hold. */
  readonly problem?: string;
}

/** What is published for this resource's agents, by the ids that they were told. */
export type HoldsView =
  | { readonly known: true; readonly versions: Readonly<Record<string, Hold>> }
  | { readonly known: false };

/** Registrations of this model by pod UID. While ZooKeeper cannot be asked they are unknown, which never means none. */
export type RegistrationsView =
  | {
      readonly known: true;
      readonly byPod: ReadonlyMap<string, RegisteredPod>;
      /** Versions that are registered by others than pods: by another installation. */
      readonly elsewhere?: readonly string[];
    }
  | { readonly known: false; readonly why: string };
