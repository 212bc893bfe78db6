/**
 * The ModelDeployment resource: the one source of the CRD (crd.ts), its reference documentation and the parsed form
 * that the rest of the program works with. Descriptions are what `kubectl explain` shows.
 */
import { z } from 'zod';
import { durationPattern } from './duration.ts';
import { modelName } from './model-name.ts';
import { nodeLabelProblem } from './node-label-expression.ts';
import { readFromPlaces } from './payload.ts';
import { quantityPattern } from './quantity.ts';
import type { Reason } from './reasons.ts';

export const apiVersion = 'maas.dev/v1';
export const kind = 'ModelDeployment';
export const plural = 'modeldeployments';

/** metadata.name is part of the names and labels of everything below it. */
export const maxResourceName = 52;

const visibleTextPattern = '^[^\\x00-\\x1f\\x7f]+$';

const noQuantity = 'is no quantity, such as 2, 0.5, 500m or 512Mi';
/**
 * A quantity as a Pod takes it, with quotes or without; the parsed form is always the text. See crd.ts for what the two
 * kinds become there.
 */
export const quantity = (description: string, kind: 'IntOrString' | 'NumberOrString') =>
  z
    .union(
      [z.string().max(32).regex(new RegExp(quantityPattern), noQuantity), z.number().min(0, noQuantity)],
      noQuantity,
    )
    .transform(String)
    .describe(description)
    .meta({ quantity: kind });
/** As maxUnavailable of a PodDisruptionBudget, and never 0: that would hold up the drain of a node for ever. */
export const intOrPercent = (description: string) =>
  z
    .union([z.int().min(1), z.string().regex(/^[1-9][0-9]{0,2}%$/)], {
      error: 'is neither a number of at least 1 nor a percentage',
    })
    .describe(description)
    .meta({ intOrPercent: true });
const amounts = (description: string) =>
  z.record(z.string(), quantity('An amount, as in a Pod.', 'NumberOrString')).describe(description);
const duration = (description: string) => z.string().max(32).regex(new RegExp(durationPattern)).describe(description);
const objectName = (description: string) => z.string().min(1).max(253).describe(description);
/** Passed on to the pod as it is; the API server checks it when the Deployment is applied. */
const opaque = (description: string) => z.record(z.string(), z.unknown()).describe(description).meta({ opaque: true });

const envVar = z.object({
  name: z.string().min(1).max(256).describe('Name of the variable.'),
  value: z.string().max(32_768).optional().describe('Its value; or use valueFrom.'),
  valueFrom: opaque(
    'Where the value comes from, as in a Pod: secretKeyRef, configMapKeyRef, fieldRef or resourceFieldRef.',
  ).optional(),
});

const volume = z.looseObject({
  name: z.string().min(1).max(63).describe('Name that volumeMounts refer to.'),
  hostPath: opaque('Refused: a model must neither need nor be able to reach the files of its node.').optional(),
});

const volumeMount = z.looseObject({
  name: z.string().min(1).max(63).describe('Name of the volume.'),
  mountPath: z.string().min(1).max(1_024).describe('Where the script finds it: an absolute path outside /maas.'),
});

/** Names of the volumes that every pod of ours has, or may get. */
export const ownVolumes = ['payload', 'control', 'session', 'pinned', 'token', 'tmp'] as const;
type OwnVolume = (typeof ownVolumes)[number];

function volumesProblem(volumes: readonly z.infer<typeof volume>[]): string | undefined {
  if (volumes.some(({ name }) => ownVolumes.includes(name as OwnVolume))) return volumeNameTaken;
  return volumes.some(({ hostPath }) => hostPath !== undefined) ? hostPathRefused : undefined;
}

export const volumeNameTaken = `a volume has one of the names that the operator's own have: ${ownVolumes.join(', ')}`;
export const hostPathRefused =
  'hostPath is refused: a model must neither need nor reach the files of its node; take an emptyDir, a PersistentVolumeClaim or a network volume';
/** Where the operator's own volumes are, and what reaches there by another way. */
export const refusedMountPath = '^([^/].*|/+|/+maas(/.*)?|.*(/[.]{1,2}(/.*)?|//.*))$';
export const mountPathRefused =
  'a mountPath is absolute, without "." and "..", and neither / nor at or below /maas, where the operator puts the payload';

const scheduling = z.object({
  queue: z
    .string()
    .max(63)
    .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/)
    .optional()
    .describe(
      'Queue (as in YARN) that the instances count against. It becomes labels for Kueue and YuniKorn, or a priority class, as configured in the operator. Default from the operator.',
    ),
  nodeLabelExpression: z
    .string()
    .max(1_024)
    .refine((text) => text === '' || nodeLabelProblem(text) === undefined, {
      error: ({ input }) => `cannot be used as a node label expression: ${nodeLabelProblem(String(input))}`,
    })
    .optional()
    .describe(
      'Labels that a node must have or lack, written as in YARN: names with &&, ||, ! and parentheses. Applies in addition to nodeSelector and affinity. Default from the operator; "" means none.',
    ),
  nodeSelector: z.record(z.string(), z.string()).optional().describe('Labels that a node must have, as in a Pod.'),
  tolerations: z
    .array(opaque('A toleration, as in a Pod.'))
    .max(64)
    .optional()
    .describe('Taints that are tolerated, as in a Pod.'),
  affinity: opaque('Affinity and anti-affinity, as in a Pod.').optional(),
  priorityClassName: z.string().max(253).optional().describe('Priority class of the instances.'),
  schedulerName: objectName('Scheduler that places the instances. Default: default-scheduler.').optional(),
  topologySpreadConstraints: z
    .array(opaque('A constraint, as in a Pod.'))
    .max(16)
    .optional()
    .describe(
      "How instances spread over nodes and zones, as in a Pod; the labelSelector may be left out and then means this version's instances.",
    ),
});

const securityContext = z.object({
  runAsUser: z
    .int()
    .min(0)
    .optional()
    .describe("Numeric user of the model's processes; default from the operator (10001)."),
  runAsGroup: z.int().min(0).optional().describe("Numeric group of the model's processes; default: the user's number."),
  fsGroup: z.int().min(0).optional().describe('Group that owns the volumes; default: runAsGroup.'),
  supplementalGroups: z.array(z.int().min(0)).max(32).optional().describe('Further groups of the processes.'),
  fsGroupChangePolicy: z
    .enum(['Always', 'OnRootMismatch'])
    .optional()
    .describe('When the group of what is in a volume is changed, as in a Pod.'),
  readOnlyRootFilesystem: z
    .boolean()
    .optional()
    .describe('The script can write to its own directory and to /tmp, and nowhere else. Default from the operator.'),
});

/** Of a shield that says nothing else; see also plan/shield-instructions.ts. */
export const mostInFlight = 128;

const shield = z.object({
  timeLimit: duration(
    'How long a call may take in all, from its arrival to the last byte of its answer: 10ms to 10m. Default 10s.',
  ).optional(),
  maxInFlight: z
    .int()
    .min(1)
    .max(mostInFlight)
    .optional()
    .describe('How many calls are at the model at once; 1 for a model that serves one connection. Default 32.'),
  maxQueued: z
    .int()
    .min(0)
    .max(1_024)
    .optional()
    .describe('How many more may wait for a place; what comes then is refused at once. Default 128.'),
  queueTime: duration('How long a call may wait for a place, at most 10m. Default 1s.').optional(),
  onError: z
    .enum(['NoContent', 'Close'])
    .optional()
    .describe(
      'What clients get in place of an answer that would break them. NoContent (default): 204. Close: a closed connection, on which a Stellar client calls the same instance again, up to three times.',
    ),
  cache: z
    .object({
      size: quantity(
        'How much memory the answers may take, at most 16Mi; an answer above 64Ki is never kept. Default 8Mi.',
        'IntOrString',
      ).optional(),
      timeToLive: duration('How long an answer is served again: 1ms to 24h. Default 1m.').optional(),
    })
    .optional()
    .describe(
      'Answers of 200 to a GET are kept and served again for the same query; the same query at the same time is asked once.',
    ),
  mirror: z
    .object({
      version: z
        .string()
        .min(1)
        .max(128)
        .regex(new RegExp(visibleTextPattern))
        .describe('Version of the same model whose registered instances get the copies.'),
      percent: z.int().min(1).max(100).describe('How many of a hundred calls are copied.'),
    })
    .optional()
    .describe(
      'Copies of a share of the calls go to another version; the answers are compared and counted. Nobody waits for them.',
    ),
});

const rollout = z.object({
  strategy: z
    .enum(['Switch', 'Surge', 'Immediate'])
    .optional()
    .describe(
      'How another version takes the place of the one that serves. Switch (default): its instances start beside the old ones, are registered together when all answer, and only then the old ones go. Surge: the same with one instance more than wanted at a time, for a cluster without room for two sets; half of the instances serve meanwhile. Immediate: each instance is registered as soon as it answers, as on YARN.',
    ),
  minReady: intOrPercent(
    'How many instances must answer before they are registered and the old ones go: a number or a percentage. Default: all.',
  ).optional(),
  warmup: z
    .object({
      function: z
        .string()
        .min(1)
        .max(1_024)
        .optional()
        .describe('Name of the function, as clients give it. Default: apply.'),
      arguments: z.record(z.string(), z.string()).optional().describe('Names and values, as clients give them.'),
      expect: z
        .object({
          status: z.int().min(100).max(599).optional().describe('HTTP status of the answer. Default 200.'),
          fields: z
            .record(z.string(), z.string())
            .optional()
            .describe('Fields of the answer that must be there, and their values as text.'),
        })
        .optional()
        .describe('What the answer must be.'),
      timeLimit: duration('How long one call may take. Default 10s.').optional(),
    })
    .optional()
    .describe(
      'A call that must succeed on each instance, made as clients make it, before it counts as up. It is repeated until it does; an instance on which it has not succeeded within startupTimeout is restarted.',
    ),
  deadline: duration(
    'How long a version may take until it has taken the place of the one before; then the resource is Stalled, and the old version goes on serving. Default 30m.',
  ).optional(),
});

export const modelDeploymentSpec = z.object({
  name: modelName.describe('The model, as Stellar names it in MAAS_GET_ENDPOINT. Cannot be changed.'),
  version: z
    .string()
    .min(1)
    .max(128)
    .regex(new RegExp(visibleTextPattern))
    .describe(
      'Version of the model. Clients compare versions as plain text and take the highest ("1.9" is above "1.10"). A change starts a switch: the old version serves until the new one does.',
    ),
  instances: z
    .int()
    .min(0)
    .max(1_000)
    .default(1)
    .describe('How many instances serve. Default 1; 0 stops the model and keeps the resource.'),
  paused: z
    .boolean()
    .optional()
    .describe(
      'While it is true the operator changes nothing: no instance is started, replaced or stopped for a change of the spec. What runs goes on, and the status says what is seen and what is held back.',
    ),
  memory: quantity(
    'Memory of each instance, for example 512Mi. A number alone means bytes. Requested and limited. At least 16Mi.',
    'IntOrString',
  ),
  cpu: quantity(
    'CPU of each instance in cores, for example 2, 0.5 or 500m. Requested, not limited. Default from the operator.',
    'NumberOrString',
  ).optional(),
  disk: quantity(
    "How much each instance may write to its node's disk in addition to its payload, for example 2Gi: to its directory, /tmp and its log. One that writes more is replaced. Default from the operator.",
    'IntOrString',
  ).optional(),
  payload: z
    .object({
      path: z
        .string()
        .min(1)
        .max(4_096)
        .describe(
          "Directory in HDFS with one *.sh and the model's files: absolute, relative to the HDFS user's home, or a URI (hdfs://nameservice/..., webhdfs://host:port/...). A change starts a switch.",
        ),
      readFrom: z
        .enum(readFromPlaces)
        .optional()
        .describe(
          "Where instances read the files. Path (default): from the path itself, where they must then stay as they are. Store: from a copy in the operator's payload store, made when the version starts, so that the path may be used for the next version. A change starts a switch.",
        ),
      tokenSecret: objectName(
        'Secret in this namespace whose key `token` holds an HDFS delegation token; mounted only into the agent.',
      ).optional(),
    })
    .describe('What is run.'),
  image: z
    .string()
    .min(1)
    .max(1_024)
    .optional()
    .describe('Image that the script runs in; it needs /bin/sh. Default from the operator.'),
  imagePullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .optional()
    .describe('When the image is pulled. Default from the operator.'),
  env: z.array(envVar).max(256).optional().describe('Environment of the script.'),
  envFrom: z
    .array(opaque('A source, as in a Pod: configMapRef or secretRef, and prefix.'))
    .max(32)
    .optional()
    .describe('Further environment of the script; env takes precedence.'),
  volumes: z
    .array(volume)
    .max(32)
    .refine((volumes) => volumesProblem(volumes) === undefined, {
      error: ({ input }) => volumesProblem(input as z.infer<typeof volume>[]),
    })
    .optional()
    .describe('Further volumes, as in a Pod, except hostPath.'),
  volumeMounts: z
    .array(volumeMount)
    .max(32)
    .refine((mounts) => !mounts.some(({ mountPath }) => new RegExp(refusedMountPath).test(mountPath)), mountPathRefused)
    .optional()
    .describe('Where the script finds the volumes, as in a container of a Pod.'),
  startupTimeout: duration(
    'How long the script may take to write endpoint.dat once the payload is in place; then the instance is restarted. Default 10m.',
  ).default('10m'),
  advertise: z
    .string()
    .min(1)
    .max(2_048)
    .regex(/^(PodIP|Node|https?:\/\/[!-~]+)$/)
    .default('PodIP')
    .describe(
      "How clients reach an instance. PodIP (default): by the pod's address. Node: the pod runs on the node's network, as on YARN. Or a URL in which {port}, {pod}, {podIP}, {nodeIP}, {node}, {namespace}, {model} and {version} are replaced.",
    ),
  drain: duration(
    'How long an instance keeps serving after its registration is removed, before it is stopped. Default 5s.',
  ).default('5s'),
  stopTimeout: duration('How long the processes may take to end by themselves after SIGTERM. Default 10s.').default(
    '10s',
  ),
  healthCheck: z
    .object({
      path: z
        .string()
        .min(1)
        .max(1_024)
        .regex(/^\/[!-~]*$/)
        .describe('Path of a GET that must answer 2xx before an instance is registered and from then on.'),
    })
    .optional()
    .describe(
      'An HTTP check of the model, in addition to the check that something listens on its port. Without it no connection is ever made to the model.',
    ),
  shield: shield
    .optional()
    .describe(
      'The agent stands before the model: with a time limit, a bound on calls in flight, and errors turned into what Stellar clients survive. {} for the defaults; left out, clients call the model itself. A change starts the instances anew.',
    ),
  rollout: rollout.optional().describe('How another version takes the place of the one that serves.'),
  disruptionBudget: z
    .object({
      maxUnavailable: intOrPercent(
        'How many instances of a version may be evicted at a time: a number or a percentage, at least 1.',
      ),
    })
    .optional()
    .describe('How many instances a node drain may evict at once. Default from the operator.'),
  scheduling: scheduling.optional().describe('Where and when instances run.'),
  serviceAccountName: objectName(
    'Service account of the pods; no token of it is mounted. Default: default.',
  ).optional(),
  imagePullSecrets: z
    .array(z.object({ name: objectName('Name of the secret.') }))
    .max(16)
    .optional()
    .describe('Secrets to pull the images with, in addition to those of the operator.'),
  securityContext: securityContext.optional().describe('User and group numbers that the processes run with.'),
  resources: z
    .object({
      limits: amounts('Limits, for example nvidia.com/gpu.').optional(),
      requests: amounts('Requests.').optional(),
    })
    .optional()
    .describe(
      'Resources in addition to memory, cpu and disk, such as GPUs; an entry here replaces what those would set, and the defaults of the operator.',
    ),
  agent: z
    .object({
      resources: z
        .object({
          limits: amounts('Limits, for example cpu.').optional(),
          requests: amounts('Requests.').optional(),
        })
        .optional()
        .describe("Resources of the agent's container; an entry here replaces the operator's."),
    })
    .optional()
    .describe('The agent beside the model.'),
  hostAliases: z
    .array(opaque('An address with its names, as in a Pod.'))
    .max(64)
    .optional()
    .describe('Further lines of /etc/hosts, as in a Pod.'),
  dnsPolicy: z
    .enum(['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'])
    .optional()
    .describe('How names are resolved, as in a Pod. It applies to the agent, too, which looks up ZooKeeper and HDFS.'),
  dnsConfig: opaque('Name servers, search domains and options, as in a Pod.').optional(),
  runtimeClassName: objectName('Runtime class of the pods.').optional(),
  podMetadata: z
    .object({
      labels: z.record(z.string(), z.string()).optional().describe('Further labels of the pods.'),
      annotations: z.record(z.string(), z.string()).optional().describe('Further annotations of the pods.'),
    })
    .optional()
    .describe('Labels and annotations of the pods.'),
});
export type ModelDeploymentSpec = z.infer<typeof modelDeploymentSpec>;

const condition = z.object({
  type: z.string().max(316),
  status: z.enum(['True', 'False', 'Unknown']),
  observedGeneration: z.int().min(0).optional(),
  lastTransitionTime: z.iso.datetime(),
  reason: z.string().min(1).max(1_024),
  message: z.string().max(32_768),
});
export type Condition = z.infer<typeof condition>;

/** Of the Ready condition that a resource has before any operator has seen it; see crd.ts. */
export const notSeenReason = 'NotSeen' satisfies Reason;

/** Of the Reconciling condition while the spec is paused. */
export const pausedReason = 'Paused' satisfies Reason;

/** At most this many endpoints are listed in the status; all are counted. */
export const maxStatusEndpoints = 50;

const endpointStatus = z.object({
  pod: z.string().describe('Pod of the instance.'),
  version: z.string().describe('Version that it serves.'),
  url: z.string().optional().describe('URL that clients call, as registered in ZooKeeper.'),
  functions: z.record(z.string(), z.string()).optional().describe('Functions by the names that clients use.'),
  digest: z.string().optional().describe('Digest of the payload that the instance says it has verified, byte by byte.'),
  state: z.string().describe('Registered, or what it waits for or fails at.'),
  message: z.string().optional().describe('More about the state.'),
  next: z.string().optional().describe('What to do about it, where somebody can do something.'),
});
export type EndpointStatus = z.infer<typeof endpointStatus>;

const nameOwner = z.object({ namespace: z.string(), name: z.string() });
export type NameOwner = z.infer<typeof nameOwner>;

/** At most so many revisions are kept. */
export const maxHistory = 10;

const revision = z.object({
  revision: z.int().min(1).describe('Counts up.'),
  id: z.string().describe('Hash of the spec.'),
  version: z.string().describe('Version that was asked for.'),
  path: z.string().describe('Path of its payload.'),
  digest: z.string().optional().describe('Digest of the payload that was pinned for it.'),
  by: z.string().optional().describe('Who asked for it: the field manager, such as kubectl-maas or argocd-controller.'),
  startedAt: z.iso.datetime().describe('When it was first seen.'),
  servedAt: z.iso.datetime().optional().describe('When all its instances served for the first time.'),
  endedAt: z.iso.datetime().optional().describe('When another one served in its place, or was asked for.'),
  result: z
    .enum(['RollingOut', 'Stalled', 'Serving', 'Served', 'Failed', 'Replaced'])
    .describe(
      'RollingOut and Stalled: it does not serve yet. Serving. Served: until another one did. Failed: it was stalled when another one was asked for. Replaced: another one was asked for before it served.',
    ),
  reason: z.string().optional().describe('Why it stalled.'),
  spec: opaque('What was asked for, without name and instances; absent where it was too long to keep.').optional(),
});
export type Revision = z.infer<typeof revision>;

export const modelDeploymentStatus = z.object({
  observedGeneration: z.int().min(0).optional().describe('Generation of the spec that this status is about.'),
  replicas: z
    .int()
    .min(0)
    .optional()
    .describe('Instances that exist of the version that clients are answered by: those that `selector` finds.'),
  ready: z.int().min(0).optional().describe('Instances of the wanted version that answer.'),
  registered: z
    .int()
    .min(0)
    .optional()
    .describe('Instances of the wanted version that clients see in ZooKeeper; absent while ZooKeeper cannot be asked.'),
  updated: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Instances that clients see and that run the current spec; absent while ZooKeeper cannot be asked. If the mode is not to register, instances that answer.',
    ),
  refreshed: z
    .string()
    .optional()
    .describe(
      'The annotation maas.dev/refresh that this status is about: its value when a restart was last asked for.',
    ),
  selector: z.string().optional().describe("Selects the serving version's pods; read by the scale subresource."),
  serving: z.string().optional().describe('Version that is served now.'),
  rollout: z
    .object({
      from: z.string().describe('Version that serves until then.'),
      to: z.string().describe('Version that is to take its place.'),
      key: z.string().describe('Key of that version.'),
      startedAt: z.iso.datetime().describe('When it was first seen to be wanted.'),
      answering: z.int().min(0).describe('Its instances that answer.'),
      needed: z.int().min(0).describe('How many must.'),
      released: z.boolean().describe('Enough answered, and they may be registered.'),
    })
    .optional()
    .describe('A version that is about to take the place of another one; absent where none is.'),
  history: z.array(revision).max(maxHistory).optional().describe('What was asked for, newest first.'),
  payload: z
    .object({
      path: z.string(),
      copy: z.string().optional().describe('Directory of the payload store that instances read, if they do.'),
      script: z.string(),
      files: z.int().min(0),
      bytes: z.int().min(0),
      digest: z.string(),
      verified: z
        .int()
        .min(0)
        .optional()
        .describe('Instances of the wanted version that said they had verified every byte against this digest.'),
    })
    .optional()
    .describe('What was found in HDFS when the wanted version started.'),
  nameOwner: nameOwner
    .optional()
    .describe(
      'The ModelDeployment that this one was refused for, because it had the name first; it may be gone by now.',
    ),
  endpoints: z
    .array(endpointStatus)
    .max(maxStatusEndpoints)
    .optional()
    .describe('Instances, failing ones first; at most 50.'),
  endpointsTotal: z.int().min(0).optional().describe('How many instances there are in all.'),
  conditions: z
    .array(condition)
    .max(8)
    .optional()
    .describe('Ready, Reconciling, Stalled and PayloadResolved; and Outranked where clients prefer another version.'),
});
export type ModelDeploymentStatus = z.infer<typeof modelDeploymentStatus>;

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  /** RFC 3339. */
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The field manager that last wrote into the spec, where the API server says so. */
  readonly changedBy?: string;
}

/** A ModelDeployment with its defaults filled in. */
export interface ModelDeployment {
  readonly metadata: ObjectMeta;
  readonly spec: ModelDeploymentSpec;
  readonly status: ModelDeploymentStatus;
}
