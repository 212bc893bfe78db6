/**
 * The operator's settings: how to reach the existing Hadoop side, what it serves and where, what every model gets, how
 * YARN's words become Kubernetes', and what there is for those who come from there. The operator reads them from its
 * mounted file, hands each agent its part and publishes them for `kubectl maas`; nothing secret is in them.
 */
import { z } from 'zod';
import { hdfsSettings, zookeeperSettings } from './hadoop-side.ts';
import { nodeLabelProblem } from './node-label-expression.ts';
import { type ReadFrom, readFromPlaces } from './payload.ts';
import { exceedsQuantity } from './quantity.ts';
import { intOrPercent, quantity } from './spec-fields.ts';
import { znodePathProblem } from './znode-path.ts';

const amounts = z.record(z.string(), quantity('An amount, as in a Pod.', 'NumberOrString')).default({});
const containerResources = z.strictObject({ requests: amounts, limits: amounts });
export type ContainerResources = z.infer<typeof containerResources>;
const pullPolicy = z.enum(['Always', 'IfNotPresent', 'Never']);
const texts = z.record(z.string(), z.string());

/** What a pod keeps on its node can be made anew, so the cluster autoscaler need not keep a node for it. */
const safeToEvict = 'cluster-autoscaler.kubernetes.io/safe-to-evict';

const namespaceName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);

/** The request queue of the old deploy client; see docs/adr/0020. */
export const requestQueueSettings = z
  .strictObject({
    enabled: z.boolean().default(false),
    /** Where resources are made and changed for requests. */
    namespace: namespaceName.optional(),
    /** Other namespaces for models whose names begin so; the longest prefix that fits counts. */
    namespaces: z.array(z.strictObject({ prefix: z.string().min(1), namespace: namespaceName })).default([]),
    /** Whose requests are taken: model names, or beginnings of names with a `*` at the end; `*` alone means all. */
    models: z.array(z.string().min(1)).default(['*']),
    /** Path of the second queue, to which the requests of all other models go on. */
    forwardTo: z
      .string()
      .refine((path) => path !== '/' && znodePathProblem(path) === undefined, 'is not the path of a znode')
      .optional(),
    memory: z
      .strictObject({
        /** Megabytes (2^20 bytes) are rounded up to a multiple of it. */
        incrementMb: z.int().min(1).default(1),
        /** The most an instance may ask for, after rounding; more is refused. Null means no maximum. */
        maximumMb: z.int().min(16).nullable().default(null),
      })
      .prefault({}),
  })
  .superRefine((queue, { addIssue }) => {
    const missing = (field: string, message: string) => addIssue({ code: 'custom', path: [field], message });
    if (!queue.enabled) return;
    if (queue.namespace === undefined) missing('namespace', 'is needed where the queue is enabled');
    if (queue.forwardTo === undefined && !queue.models.includes('*')) {
      missing('forwardTo', 'is needed where the models do not include "*"');
    }
  });
export type RequestQueueSettings = z.infer<typeof requestQueueSettings>;

/** Scripts of old put every version at one path. */
export const defaultLegacyReadFrom: ReadFrom = 'Store';

/** What is there for those who come from YARN. */
export const legacySettings = z.strictObject({
  /** What the instances of models request that the old queue or the old commands make, or an import; see oldDefaults of src/deploy-rules. */
  cpu: quantity('Cores.', 'NumberOrString').optional(),
  /**
   * Where the instances of models read their payload that the old queue or the old commands make, or an import; see
   * docs/adr/0024.
   */
  readFrom: z.enum(readFromPlaces).default(defaultLegacyReadFrom),
  queue: requestQueueSettings.prefault({}),
});

/** Where copies of payloads are kept; see docs/adr/0024. */
const payloadStoreSettings = z.strictObject({
  /** Directory in each nameservice, absolute or relative to the HDFS user's home; each operator has its own below it. */
  root: z
    .string()
    .min(1)
    .refine((path) => !path.includes(':'), 'is a path without a scheme: each nameservice has its own')
    .default('maas/store'),
  /** How long nothing must have referred to a copy before it is removed. */
  removeAfterMs: z.int().min(60_000).default(3_600_000),
});
export type PayloadStoreSettings = z.infer<typeof payloadStoreSettings>;

/** The cache of payloads on each node; see docs/adr/0048. */
const payloadCacheSettings = z.strictObject({
  /** Where agents ask it, each the one of its own node. */
  url: z.url({ protocol: /^http$/ }),
  /** Also what models read with a delegation token of their own: whoever knows a file's SHA-256 may then have it. */
  withTokens: z.boolean().default(false),
});

/** A queue's name, where it becomes a label's value. */
const queueName = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);

/** What takes the place of YARN's scheduler: how a resource's queue and node labels reach Kubernetes. */
export const schedulingSettings = z.strictObject({
  /** Queue of models that name none; without it they are in none. */
  queue: queueName.optional(),
  /**
   * What a queue becomes: labels for Kueue, for YuniKorn, for both (which harms nobody where they are not installed),
   * or the priority class of that name.
   */
  queueAs: z.enum(['Labels', 'Kueue', 'YuniKorn', 'PriorityClass']).default('Labels'),
  /** Names that queues have here, by their old ones; one that is not in it keeps its name. */
  queueNames: z.record(z.string(), queueName).default({}),
  /** Node label expression, as YARN has them, of models that give none. */
  nodeLabelExpression: z
    .string()
    .refine((text) => nodeLabelProblem(text) === undefined, { error: ({ input }) => nodeLabelProblem(String(input)) })
    .optional(),
  /** Stands before the name of a node label of YARN in the key of the node's label here. */
  nodeLabelPrefix: z
    .string()
    .regex(/^([a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?\/)?$/)
    .default('node-label.maas.dev/'),
});
export type SchedulingSettings = z.infer<typeof schedulingSettings>;

/**
 * All settings of the operator: the chart renders them into one ConfigMap that the operator mounts and `kubectl maas`
 * reads. An unknown key is refused, because it is a mistyped one.
 */
export const operatorSettings = z
  .strictObject({
    zookeeper: zookeeperSettings,
    hdfs: hdfsSettings,
    /** Tells this cluster's agents from another's below one operatorRoot; default: the UID of the kube-system namespace. */
    clusterId: z
      .string()
      .regex(/^[a-z0-9-]{1,63}$/)
      .optional(),
    /** Namespaces whose ModelDeployments are served; empty means all. */
    namespaces: z.array(z.string()).default([]),
    agent: z.strictObject({
      image: z.string().min(1),
      imagePullPolicy: pullPolicy.default('IfNotPresent'),
      resources: containerResources.default({ requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '128Mi' } }),
    }),
    model: z.strictObject({
      /** Image of models that name none. */
      image: z.string().min(1),
      imagePullPolicy: pullPolicy.default('IfNotPresent'),
      /** Names of Secrets in the namespaces of the models, to pull the images of agents and models with. */
      imagePullSecrets: z.array(z.string().min(1)).default([]),
      /** Numeric user of agents and models; null leaves it to the platform (OpenShift). */
      runAsUser: z.int().min(1).nullable().default(10_001),
      readOnlyRootFilesystem: z.boolean().default(false),
      /** Environment of every model, below what a resource says. */
      env: texts.default({}),
      /** What instances request whose resource says nothing of it; see cpuOf. */
      cpu: quantity('Cores.', 'NumberOrString').optional(),
      /** What an instance may write to disk beside its payload; null for no limit. */
      disk: quantity('Bytes.', 'IntOrString')
        .refine((disk) => !exceedsQuantity('1Mi', disk), 'is less than 1Mi, and a number alone means bytes')
        .nullable()
        .default('10Gi'),
      /** Further requests and limits of every model, below what a resource says. */
      resources: containerResources.prefault({}),
      /** Of every pod of a model, below what a resource says. */
      podLabels: texts.default({}),
      podAnnotations: texts.default({ [safeToEvict]: 'true' }),
      /** null for no budget where a resource asks for none. */
      disruptionBudget: z
        .strictObject({ maxUnavailable: intOrPercent('').default(1) })
        .nullable()
        .prefault({}),
    }),
    scheduling: schedulingSettings.prefault({}),
    /** Directory in HDFS below which `kubectl maas add` puts payloads; relative to the HDFS user's home. */
    payloadRoot: z.string().min(1).default('maas/models'),
    /** How often the payload of a running version is compared with HDFS. */
    payloadCheckMs: z.int().min(1_000).default(60_000),
    payloadStore: payloadStoreSettings.prefault({}),
    /** Absent where there is none. */
    payloadCache: payloadCacheSettings.optional(),
    legacy: legacySettings.prefault({}),
  })
  .superRefine(({ namespaces, legacy: { queue } }, { addIssue }) => {
    if (!queue.enabled || namespaces.length === 0) return;
    for (const namespace of [queue.namespace, ...queue.namespaces.map((mapping) => mapping.namespace)]) {
      if (namespace === undefined || namespaces.includes(namespace)) continue;
      const message = `names ${namespace}, which is not among the namespaces that are served`;
      addIssue({ code: 'custom', path: ['legacy', 'queue'], message });
    }
  });
export type OperatorSettings = z.infer<typeof operatorSettings>;

/** What an instance requests whose resource says nothing of it: one core, as YARN gave unless it was told otherwise. */
export function cpuOf({ model }: Pick<OperatorSettings, 'model'>): string {
  return model.cpu ?? '1';
}

/** The ConfigMap in the operator's namespace that holds the settings, and its key. */
export const settingsConfigMap = 'maas-operator-settings';
export const settingsKey = 'settings.json';
export const defaultOperatorNamespace = 'maas-system';
