/**
 * The ModelDeployment resource: the one source of the CRD (crd.ts), its reference documentation and the parsed form
 * that the rest of the program works with. Descriptions are what `kubectl explain` shows.
 */
import { z } from 'zod';
import { modelName } from './model-name.ts';
import { nodeLabelProblem } from './node-label-expression.ts';
import { readFromPlaces } from './payload.ts';
import type { ModelDeploymentStatus } from './resource-status.ts';
import { rollout } from './rollout-spec.ts';
import { shield } from './shield-spec.ts';
import { amounts, duration, intOrPercent, objectName, opaque, quantity, visibleTextPattern } from './spec-fields.ts';

export const apiVersion = 'maas.dev/v1';
export const kind = 'ModelDeployment';
export const plural = 'modeldeployments';

/** metadata.name is part of the names and labels of everything below it. */
export const maxResourceName = 52;

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
