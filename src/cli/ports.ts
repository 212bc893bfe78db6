/** What the commands need from outside; the composition root gives it, tests give something simpler. */

import type { MaasError } from '../contracts/errors.ts';
import type { HdfsSettings } from '../contracts/hadoop-side.ts';
import type { ObjectState } from '../contracts/object-state.ts';
import type { TransferProgress } from '../contracts/payload.ts';
import type { PayloadPlace, StoredFile, StoredPayload } from '../contracts/stored-payload.ts';
import type { Autoscaler } from '../deploy-rules/autoscaler.ts';
import type { Clock } from '../kernel/clock.ts';
import type { ClusterChoice } from './options/cluster-options.ts';

export interface Ports {
  readonly clock: Clock;
  /** From 0 to 1; spreads the retries of commands that run at the same moment. */
  readonly random: () => number;
  readonly out: Output;
  readonly err: Output;
  /**
   * Finds the cluster; no call is made yet.
   * @throws MaasError KUBECONFIG_INVALID
   */
  readonly connect: (choice: ClusterChoice) => Cluster;
  /** HDFS as the operator's settings describe it. */
  readonly payloads: (hdfs: HdfsSettings) => PayloadUploader;
  /** The same HDFS, to see which payloads are there, and to remove some. */
  readonly catalogue: (hdfs: HdfsSettings) => PayloadCatalogue;
  /** The same HDFS, for looking only. */
  readonly hdfs: (hdfs: HdfsSettings) => HdfsInspector;
  /**
   * ZooKeeper, for looking only. Begins to connect at once; whoever asks for it closes it.
   * @throws MaasError SETTINGS_INVALID
   */
  readonly zookeeper: (settings: ZooKeeperChoice) => ZooKeeperReader;
  /** What only `doctor` and its kin ask of the cluster. @throws MaasError KUBECONFIG_INVALID */
  readonly inspect: (choice: ClusterChoice) => ClusterInspector;
  /** What is read of instances: their pods, events, logs. @throws MaasError KUBECONFIG_INVALID */
  readonly instances: (choice: ClusterChoice) => InstanceReader;
  /** The text of a file, or of standard input where it is `-`. @throws MaasError LOCAL_PATH_INVALID */
  readonly readFile: (path: string) => Promise<string>;
  /** Undefined where there is no such file. @throws MaasError SETTINGS_INVALID where it cannot be read */
  readonly readText: (path: string) => Promise<string | undefined>;
  /** Runs Helm with this input and the terminal's own output; gives its exit status. @throws MaasError HELM_FAILED */
  readonly helm: (args: readonly string[], input: string) => Promise<number>;
  /** Calls of models, as Stellar makes them. */
  readonly models: (choice: ClusterChoice) => ModelCaller;
  /** Opens a TCP connection and closes it again, without a byte on it. Never throws. */
  readonly touch: (host: string, port: number, timeoutMs: number) => Promise<Touch>;
  /** Fires when the user interrupts the command. */
  readonly signal: AbortSignal;
  /** Of this program. */
  readonly version: string;
}

/** Standard output or standard error. */
export interface Output {
  write(text: string): void;
  /** Is a person looking at it? Then there may be progress. */
  readonly terminal: boolean;
  readonly colour: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  /** Lines of it. */
  readonly height: number;
}

/** How a text is to look that is printed there. */
export interface Look {
  readonly colour: boolean;
  /** Columns that a line may take; undefined where nobody looks, so that nothing is cut for a script. */
  readonly width?: number | undefined;
}

export function lookOf({ colour, terminal, width }: Output): Look {
  return { colour, width: terminal ? width : undefined };
}

/** An object as the API server gives it; read with readModel. */
export type ApiObject = Readonly<Record<string, unknown>>;

export interface ConfigMapState extends ObjectState {
  readonly data: Readonly<Record<string, string>>;
}

/**
 * The calls to the Kubernetes API. All throw MaasErrors: CLUSTER_UNREACHABLE, CLUSTER_UNAVAILABLE,
 * CLUSTER_UNAUTHENTICATED, CLUSTER_FORBIDDEN, CLUSTER_NOT_FOUND (no such kind or namespace), CLUSTER_REFUSED.
 */
export interface Cluster {
  /** The namespace of the kubeconfig's context. */
  readonly namespace: string;
  /** ModelDeployments of one namespace, or of all. */
  list(namespace: string | undefined): Promise<readonly ApiObject[]>;
  get(namespace: string, name: string): Promise<ApiObject | undefined>;
  /** @throws CONFLICT when the name is taken */
  create(manifest: ModelManifest, dryRun: boolean): Promise<ApiObject>;
  /** @throws CONFLICT when the object is not in that state any more */
  patch(state: ObjectState, patch: ModelPatch, dryRun: boolean): Promise<ApiObject>;
  /**
   * @param foreground keep the object until everything that belongs to it is gone
   * @throws CONFLICT when the object is not in that state any more
   */
  delete(state: ObjectState, options: { readonly foreground: boolean; readonly dryRun: boolean }): Promise<void>;
  /**
   * Autoscalers of the ModelDeployments of a namespace, by the names of those; none where they cannot be seen.
   */
  autoscalers(namespace: string): Promise<ReadonlyMap<string, Autoscaler>>;
  /** The data of a ConfigMap, undefined when there is none. */
  configMap(namespace: string, name: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** The same with its state, to be changed. */
  configMapState(namespace: string, name: string): Promise<ConfigMapState | undefined>;
  /** Makes the ConfigMap, without data; what is there already is left as it is, and is given. */
  makeConfigMap(namespace: string, name: string): Promise<ConfigMapState>;
  /** A JSON merge patch of the data. @throws CONFLICT when the object is not in that state any more */
  patchConfigMap(state: ObjectState, data: Readonly<Record<string, string>>): Promise<void>;
  /** Version of the API server, `v1.33.0`. */
  serverVersion(): Promise<string>;
}

export interface ModelManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: ApiObject;
}

/** JSON merge patches. */
export interface ModelPatch {
  readonly spec: ApiObject;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What is asked of the cluster to say whether it is well. Calls throw as those of Cluster do. */
export interface ClusterInspector {
  /** The CustomResourceDefinition of ModelDeployments. */
  crd(): Promise<ApiObject | undefined>;
  /** UID of the namespace kube-system, which names the cluster where the settings do not. */
  clusterUid(): Promise<string | undefined>;
  /** Deployments that are the operator's by their labels. */
  operators(namespace: string): Promise<readonly ApiObject[]>;
  lease(namespace: string, name: string): Promise<ApiObject | undefined>;
  /** What keys an object has, where it is of a kind that has some; undefined where there is no such object. */
  keysOf(kind: ReferencedKind, namespace: string | undefined, name: string): Promise<readonly string[] | undefined>;
  /** Of one namespace, or of all. @throws RESOURCE_INVALID where one cannot be read */
  pins(namespace: string | undefined): Promise<readonly PayloadPin[]>;
  namespaceExists(name: string): Promise<boolean>;
  nodes(): Promise<readonly ApiObject[]>;
  /** May the service account do this; or, without one, the caller? */
  can(permission: AskedPermission, account?: ServiceAccount): Promise<boolean>;
}

/** What is read of a model's instances for a person. Calls throw as those of Cluster do. */
export interface InstanceReader {
  /** Those of the resource with this UID. */
  pods(namespace: string, ownerUid: string): Promise<readonly ApiObject[]>;
  /** Those about the object with this UID. */
  events(namespace: string, uid: string): Promise<readonly ApiObject[]>;
  /** What the agent in a pod says of itself, JSON; asked through the API server. */
  agent(namespace: string, pod: string, port: number): Promise<string>;
  log(namespace: string, pod: string, container: string, options: LogChoice): Promise<string>;
  /** Line by line for as long as the container runs. @param options.since RFC 3339: what came before is left out */
  followLog(
    namespace: string,
    pod: string,
    container: string,
    options: { readonly tail?: number | undefined; readonly since?: string | undefined },
    until: AbortSignal,
  ): AsyncIterable<LogLine>;
  /** The pods as they are, again whenever one has changed, until the signal fires. */
  livePods(
    namespace: string,
    ownerUid: string,
    until: AbortSignal,
    onTrouble: OnTrouble,
  ): AsyncIterable<readonly ApiObject[]>;
  /** The same of ModelDeployments: of one, of a namespace, of all. */
  liveModels(
    namespace: string | undefined,
    name: string | undefined,
    until: AbortSignal,
    onTrouble: OnTrouble,
  ): AsyncIterable<readonly ApiObject[]>;
}

/** The cluster is not heard any more, so what was seen may be old; or, with nothing, it is heard again. */
export type OnTrouble = (failure: MaasError | undefined) => void;

export interface LogLine {
  /** RFC 3339, when it was printed, by the clock of its node. */
  readonly at: string;
  readonly text: string;
}

export interface LogChoice {
  /** How many of the last lines; all where absent. */
  readonly tail?: number | undefined;
  /** Of the container that ran before the present one. */
  readonly previous?: boolean;
}

/** What models refer to by name. */
export const referencedKinds = [
  'Secret',
  'ConfigMap',
  'ServiceAccount',
  'PersistentVolumeClaim',
  'PriorityClass',
  'RuntimeClass',
] as const;
export type ReferencedKind = (typeof referencedKinds)[number];

/** One verb on one resource, as RBAC names it. */
export interface AskedPermission {
  readonly verb: string;
  /** '' is the core group. */
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly name?: string;
}

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

export interface ZooKeeperChoice {
  readonly quorum: string;
  readonly sessionTimeoutMs: number;
}

/** Calls throw MaasErrors ZOOKEEPER_*. */
export interface ZooKeeperReader {
  /** @throws ZOOKEEPER_UNREACHABLE, saying what was tried */
  connected(withinMs: number, signal?: AbortSignal): Promise<void>;
  /** Undefined where there is no such node. @throws ZOOKEEPER_FORBIDDEN where its ACL hides it */
  get(path: string): Promise<ReadZnode | undefined>;
  /** Names, in no order. Undefined where there is no such node. */
  children(path: string): Promise<readonly string[] | undefined>;
  close(): Promise<void>;
}

export interface ReadZnode {
  readonly data: Uint8Array;
  readonly stat: {
    /** Its session; undefined for a persistent node. */
    readonly ephemeralOwner: string | undefined;
    /** Milliseconds since 1970, by the server's clock. */
    readonly ctime: number;
    readonly numChildren: number;
  };
}

/** What is asked of HDFS to say whether it is well, and what is in it. Nothing is changed. */
export interface HdfsInspector {
  /** Asks whoever is active, as the operator does. @throws HDFS_* */
  reach(nameservice: string): Promise<void>;
  /** Each configured name node for itself. */
  nameNodes(nameservice: string): Promise<readonly NameNodeState[]>;
  /** Looks at a payload without reading its files. @throws HDFS_*, PAYLOAD_* for what is no payload */
  payload(path: string): Promise<FoundPayload>;
}

export interface NameNodeState {
  /** Its WebHDFS address. */
  readonly address: string;
  /** `unknown`: it answers, but not with one of these. */
  readonly role: 'active' | 'standby' | 'unreachable' | 'unknown';
  /** Undefined where it does not tell. */
  readonly safeMode: boolean | undefined;
  /** What went wrong, where it is neither active nor standby. */
  readonly problem: string | undefined;
}

export interface FoundPayload {
  /** Absolute. */
  readonly path: string;
  readonly script: string;
  readonly files: number;
  readonly bytes: number;
}

/** `refused`: somebody answered that nothing listens there. `unresolved`: the name has no address. */
export type Touch =
  | { readonly outcome: 'connected' }
  | { readonly outcome: 'refused' | 'unreachable' | 'unresolved'; readonly problem: string };

/** Both throw the signal's reason; and MaasErrors CLUSTER_FORBIDDEN and CLUSTER_UNAUTHENTICATED of the API server. */
export interface ModelCaller {
  directly(url: string, bounds: CallBounds): Promise<CallOutcome>;
  /** @param pod whose address and port the URL names */
  throughApiServer(pod: PodName, url: string, bounds: CallBounds): Promise<CallOutcome>;
}

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

export interface CallBounds {
  readonly timeoutMs: number;
  /** No more of a body is read. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export type CallOutcome = AnsweredCall | UnansweredCall;

export interface AnsweredCall {
  readonly kind: 'answered';
  readonly status: number;
  readonly body: Uint8Array;
  /** There was more of it. */
  readonly cut: boolean;
  /** From the request to the last byte that was read. */
  readonly ms: number;
}

/**
 * `unreached`: no connection. `dropped`: it ended without an answer, or within it. `late`: no answer in time. `lost`:
 * redirected without an end.
 */
export interface UnansweredCall {
  readonly kind: 'unreached' | 'dropped' | 'late' | 'lost';
  readonly problem: string;
  readonly ms: number;
}

export interface UploadWatch {
  readonly onProgress: (progress: TransferProgress) => void;
  /** Told what should be known and does not stop the upload. */
  readonly onWarning: (message: string) => void;
}

export interface UploadOutcome {
  /** Where it is, absolute. */
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
  /** False when the same content was there already and nothing was sent. */
  readonly uploaded: boolean;
}

export interface PayloadUploader {
  /**
   * Reads all that an upload would send. `sha256:` and hex: the same files in the same places have the same.
   * @throws MaasError PAYLOAD_*, LOCAL_*
   */
  digest(localPath: string, options: { readonly exclude: readonly string[] }): Promise<string>;
  /**
   * Sends a directory; the target appears whole and verified, or not at all.
   * @param localPath a directory
   * @param target an HDFS path as in spec.payload.path
   * @throws MaasError HDFS_*, PAYLOAD_*, LOCAL_PATH_INVALID; HDFS_PATH_EXISTS when other content is there
   */
  upload(
    localPath: string,
    target: string,
    /** `exclude`: patterns as in a .gitignore. `digest`: that of the files, if the target is named by it. */
    options: UploadWatch & { readonly exclude: readonly string[]; readonly digest?: string | undefined },
  ): Promise<UploadOutcome>;
  /**
   * Sends the files directly in a directory over what is at the target, as the old deploy client does. `files` and
   * `bytes` of the outcome are those that had to be sent.
   * @throws MaasError HDFS_*, PAYLOAD_*, LOCAL_PATH_INVALID
   */
  uploadOver(localPath: string, target: string, options: UploadWatch): Promise<OverOutcome>;
}

/** Calls throw MaasErrors HDFS_* and PAYLOAD_*. */
export interface PayloadCatalogue {
  /** Where a path as people write it is. */
  locate(path: string): Promise<PayloadPlace>;
  /** Undefined where there is no directory. */
  look(place: PayloadPlace): Promise<StoredPayload | undefined>;
  /** What the directories directly below are; none where there is nothing. */
  below(place: PayloadPlace): Promise<readonly StoredPayload[]>;
  files(place: PayloadPlace): Promise<readonly StoredFile[]>;
  /** The first bytes of a file. */
  head(place: PayloadPlace, path: string, bytes: number): Promise<Uint8Array>;
  /** Removes it if it is as it was seen. `gone`: somebody else did; `changed`: it stays. */
  remove(seen: StoredPayload): Promise<'removed' | 'gone' | 'changed'>;
}

/** The files that the pods of a version are given. */
export interface PayloadPin {
  readonly namespace: string;
  readonly name: string;
  /** UID of the resource that it was made for. */
  readonly owner: string;
  /** The directory that is read, and the one that it was copied from. */
  readonly paths: readonly string[];
}

export interface OverOutcome extends UploadOutcome {
  /** Are files different now that were at the path before? */
  readonly replaced: boolean;
  /** Names of directories that were left out. */
  readonly directories: readonly string[];
  /** RFC 3339, by HDFS's clock: what was at the path by then is whole. */
  readonly payloadComplete: string;
}
