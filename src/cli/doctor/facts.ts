/** What was seen, before anything is made of it. The checks get nothing else. */
import type { Asked } from '../cluster/asked.ts';
import type { LeaseFacts } from '../cluster/operator-lease.ts';
import type { PublishedSettings } from '../cluster/operator-settings.ts';
import type { NameNodeState, Touch } from '../ports.ts';
import type { ConfigNode, ZooKeeperSide } from '../zookeeper/zookeeper-side.ts';
import type { ModelFacts } from './check-models.ts';

export interface Facts {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly settings: Asked<PublishedSettings>;
  /** Undefined where neither settings nor --zookeeper name one. */
  readonly zookeeper: Asked<ZooKeeperFacts> | undefined;
  /** Undefined where nobody was to look. */
  readonly endpoints: readonly EndpointFacts[] | undefined;
  readonly cluster: ClusterFacts;
  readonly hdfs: readonly NameserviceFacts[];
  readonly models: Asked<readonly ModelFacts[]>;
  /** Pinned payloads of resources that are gone. */
  readonly leftovers: Asked<readonly Leftover[]>;
}

export interface Leftover {
  readonly namespace: string;
  /** Of the ConfigMap. */
  readonly name: string;
  /** UID of the resource that it was made for. */
  readonly owner: string;
}

export interface ZooKeeperFacts {
  readonly quorum: string;
  readonly side: ZooKeeperSide;
  /** The node that Stellar reads, whatever the settings say. */
  readonly stellarConfig: ConfigNode;
}

/** One address that is registered, however often. */
export interface EndpointFacts {
  readonly host: string;
  readonly port: number;
  /** `paths` of the nodes that name it. */
  readonly paths: readonly string[];
  /** Undefined where there was nothing to try: the address means the machine that looks. */
  readonly touch: Touch | undefined;
}

export interface ClusterFacts {
  readonly namespace: string;
  /** Undefined where there is none. */
  readonly crd: Asked<CrdFacts | undefined>;
  readonly operators: Asked<readonly OperatorFacts[]>;
  readonly lease: Asked<Omit<LeaseFacts, 'concerns'> | undefined>;
  readonly operatorMay: Asked<readonly PermissionFacts[]>;
  readonly callerMay: Asked<readonly PermissionFacts[]>;
}

export interface CrdFacts {
  readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  readonly established: boolean;
  /** Of spec, in the version that is used here, with dots: `payload.path`. */
  readonly specFields: readonly string[];
}

export interface OperatorFacts {
  readonly name: string;
  readonly wanted: number;
  readonly ready: number;
  readonly serviceAccount: string;
}

export interface PermissionFacts {
  readonly verb: string;
  /** As RBAC names it: `deployments.apps`, `modeldeployments.maas.dev/status`, `configmaps "one"`. */
  readonly resource: string;
  /** Undefined means all of them, or that the resource has none. */
  readonly namespace: string | undefined;
  readonly allowed: boolean;
  readonly why: string;
}

export interface NameserviceFacts {
  readonly name: string;
  readonly reached: Asked<void>;
  readonly nameNodes: Asked<readonly NameNodeState[]>;
}
