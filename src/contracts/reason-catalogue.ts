/**
 * Every reason that a condition, an instance or an event can give, beside those that are error codes: what it means,
 * what to do, how grave it is, and whether it is news. Reasons are never renamed or reused; docs/reasons.md is generated
 * from this table. A new one needs its entry here, and a place that gives it.
 */

/** Where a reason is seen: a condition's type, the state of an instance, an event alone, the commands' tables alone. */
export type Place =
  | 'Ready'
  | 'Reconciling'
  | 'Stalled'
  | 'PayloadResolved'
  | 'Outranked'
  | 'CallsFailing'
  | 'instance'
  | 'event'
  | 'command';

export type EventType = 'Normal' | 'Warning';

/**
 * From good to bad: all that the mode asks for; on its way out, so that nobody asks why it is not up; on its way up;
 * held up by what may pass by itself; it cannot get any further.
 */
export const severities = ['up', 'leaving', 'starting', 'waiting', 'failing'] as const;
export type Severity = (typeof severities)[number];

/**
 * What is no trouble, however long it lasts: by the mode that somebody chose no instance is going to be registered, or the
 * operator is not going to do anything at all; or room is bounded, is used up, and will be given.
 */
export type Expected = 'unregistered' | 'untouched' | 'queued';

export interface Entry {
  /** What it means, in whole sentences. */
  readonly means: string;
  /** What to do next, as an instruction. */
  readonly next: string;
  readonly places: readonly Place[];
  /** The type of the event that tells of it; `quiet` where it is no news: a step of a start that goes well. */
  readonly event: EventType | 'quiet';
  readonly severity: Severity;
  readonly expected?: Expected;
}

const nothing = 'Nothing.';
const wait = 'Wait; if it stays like this, the message and `kubectl maas list -o wide` say what it is waiting for.';

const entry =
  (severity: Severity, event: Entry['event'], ...places: readonly Place[]) =>
  (means: string, next = nothing, expected?: Expected): Entry => ({
    means,
    next,
    places,
    event,
    severity,
    ...(expected === undefined ? {} : { expected }),
  });

/** Of the model that is as its mode wants it, and of such an instance. */
const well = entry('up', 'Normal', 'Ready');
const upQuietly = entry('up', 'quiet', 'instance');
/** Of an instance, and of the model whose worst one it is. */
const step = entry('starting', 'quiet', 'Ready', 'Reconciling', 'instance');
const lost = entry('starting', 'Warning', 'Ready', 'Reconciling', 'instance');
const failing = entry('failing', 'Warning', 'Ready', 'Reconciling', 'instance');
/** Of the model, before there are instances that it could be of. */
const stepOfAll = entry('starting', 'quiet', 'Ready', 'Reconciling');
const refused = entry('failing', 'Warning', 'Ready', 'Reconciling');
/** Of the payload. */
const looking = entry('starting', 'quiet', 'PayloadResolved');
const found = entry('up', 'Normal', 'PayloadResolved');
/** Of no condition. */
const news = entry('up', 'Normal', 'event');
const alarm = entry('failing', 'Warning', 'event');
const shown = entry('up', 'quiet', 'command');

/** What concerns an operator as a whole and no single model; see concern.ts. */
export const concernCatalogue = {
  NamespaceRefused: alarm(
    "The operator lacks permissions in a namespace that it is to serve, mostly because the namespace was deleted and made again and the chart's Role went with it. What runs there goes on; what is said of it is old.",
    'Run `helm upgrade` for the release again, or take the namespace out of `namespaces`.',
  ),
  ClusterIdTaken: alarm(
    'An operator of another cluster works under the same cluster id. Registrations without a pod and unused copies of payloads are not taken away meanwhile.',
    'Give each its own `clusterId` in the values of the chart.',
  ),
  NamespacesOverlap: alarm(
    'Another release in this cluster serves some of the same namespaces. Registrations without a pod are not taken away there meanwhile.',
    'Let each namespace be in the `namespaces` of one release only.',
  ),
  ModesShared: alarm(
    'Another release in this cluster has the same cluster id, so the modes of one hold for the models of both; the message says whose.',
    'Give each its own `clusterId` in the values of the chart, or set the modes there alone.',
  ),
  QueueShared: alarm(
    'Another operator takes requests off the same queue of the old deploy client.',
    'Let one of them alone have `legacy.queue.enabled`.',
  ),
} as const satisfies Record<string, Entry>;

export const reasonCatalogue = {
  Serving: well('All wanted instances are registered; clients see them.'),
  ScalingDown: entry(
    'up',
    'quiet',
    'Ready',
    'Reconciling',
  )('All wanted instances are registered, and more than are wanted still are; those are being stopped.'),
  ScaledToZero: well(
    'No instances are wanted, and clients see none.',
    'Set `spec.instances` to 1 or more to start the model again.',
  ),
  ScalingToZero: entry(
    'up',
    'quiet',
    'Ready',
  )('No instances are wanted, but clients still see some; they are being stopped.'),
  Shadow: entry(
    'up',
    'Normal',
    'Ready',
    'instance',
  )(
    'The mode is shadow: the model runs and is checked, but is not registered.',
    'Set the mode to active, with `kubectl maas mode`, when clients should see it.',
    'unregistered',
  ),
  Draining: well(
    'The mode is drain: the model is unregistered, or about to be, and keeps running.',
    'Set the mode to active when clients should see it again.',
    'unregistered',
  ),
  Drained: upQuietly(
    'The mode is drain: the instance runs and is not registered any more.',
    'Set the mode to active when clients should see it again.',
  ),
  Observed: entry(
    'up',
    'Normal',
    'Ready',
    'Reconciling',
  )(
    'The mode is observe: the operator only looks. The message says what it would do.',
    'Set the mode to active, or shadow, when the operator should act.',
    'untouched',
  ),

  Paused: entry('up', 'Normal', 'Reconciling')(
    'By `spec.paused` the operator changes nothing of this model. The message says what it would do; what runs goes on.',
    'Let it go on with `kubectl maas resume NAME`.',
    'untouched',
  ),
  Resumed: news('The model is not paused any more, and the operator acts again.'),

  ResolvingPayload: stepOfAll(
    'The operator is looking at the payload in HDFS. This takes a moment; it takes longer only while HDFS is slow or away.',
    'Wait. If it lasts for more than a minute, check HDFS with `kubectl maas doctor`.',
  ),
  CopyingPayload: stepOfAll(
    'The payload is being copied to the payload store (`readFrom: Store`); the message says how far it is.',
    wait,
  ),
  Starting: step(
    'The instances are being created: the pod has no running agent yet, or the agent has only just begun.',
    'Wait. If it lasts for more than a minute, see the events of the pod with `kubectl describe pod`.',
  ),
  FetchingPayload: step('The instance is copying the payload from HDFS; the message says how far it is.', wait),
  WaitingForEndpoint: step(
    'The script is running and has not written `endpoint.dat` yet.',
    'Wait. See what the script prints with `kubectl logs POD -c model`.',
  ),
  WaitingForListener: step(
    'The script has written `endpoint.dat`, and nothing listens on that port yet.',
    'Wait. See what the script prints with `kubectl logs POD -c model`.',
  ),
  WarmingUp: step(
    'The model answers, and the agent calls it as `spec.rollout.warmup` says; until that succeeds it does not count as up.',
    'Wait. If it lasts, the message says what the model answered.',
  ),
  Held: step(
    'The instance answers and is not registered: its version is released when as many instances as `spec.rollout` asks for answer, so that they are registered together. Of a version that goes: it is not registered any more.',
    'Wait. `kubectl maas why` says which instances are missing.',
  ),
  Registering: step(
    'The model answers, and the agent is registering it in ZooKeeper.',
    'Wait. If it lasts, check that ZooKeeper can be reached from the pod.',
  ),
  Registered: upQuietly('Clients see the instance.'),
  Unregistered: lost(
    'The instance answers, but is not registered at the moment.',
    'Wait: it is registered again as soon as ZooKeeper can be reached.',
  ),
  Unregistering: step('The mode is not to register any more, and the registration is being removed.', wait),
  NotAnswering: lost(
    'The model answered before and does not answer now, so clients no longer see the instance. If it does not recover, it is restarted.',
    'See what the script prints with `kubectl logs POD -c model`.',
  ),
  Terminating: entry('leaving', 'quiet', 'instance', 'Ready', 'command')('It is being deleted.'),
  RollingOut: stepOfAll(
    'A change of the spec is being rolled out. Until all instances run it, those of before serve; the message says how many run which.',
    wait,
  ),
  Outranked: entry(
    'waiting',
    'Warning',
    'Outranked',
  )(
    'Another version of the model is registered that sorts above this one as plain text, so clients that name no version do not get this one.',
    'Name the version as the message says, or remove the other one when this one is to be used.',
  ),
  CallsFailing: entry(
    'waiting',
    'Warning',
    'CallsFailing',
  )(
    'Calls to instances behind a shield have failed in the last five minutes: clients got nothing in place of an answer. The message counts them by what came of them, as the metric maas_model_requests_total does, and tells the last one.',
    "Look at the model's and the agents' logs: `kubectl maas logs NAME --agent`. What each kind means is in docs/shield.md.",
  ),
  RolloutDeadlineExceeded: entry(
    'failing',
    'Warning',
    'Stalled',
  )(
    'A version has not taken the place of the one before within `spec.rollout.deadline`. The one before goes on serving; when the new one comes up after all, it still takes over.',
    'The message says what it waits for. Mend it, or go back with `kubectl maas undo`.',
  ),
  ProgressDeadlineExceeded: entry(
    'failing',
    'Warning',
    'Stalled',
  )(
    'No instance more has come up for as long as a start may take (`spec.startupTimeout`). The message says what keeps them from it; instances of before serve on.',
    'Correct what the message names, or take the change back.',
  ),

  WaitingForQueueCapacity: entry(
    'waiting',
    'Normal',
    'Ready',
    'Reconciling',
    'instance',
  )(
    "The namespace's quota, or the queue, is used up. Nothing is wrong with the model, and its start-up time does not count.",
    'Wait, lower `spec.instances`, or ask for more quota.',
    'queued',
  ),
  Unschedulable: entry(
    'waiting',
    'Warning',
    'Ready',
    'Reconciling',
    'instance',
  )(
    'No node has room for the instance, or none matches what it asks for. The message has the words of the scheduler.',
    'Lower `spec.memory` or `spec.cpu`, correct `spec.scheduling`, or add a node.',
  ),
  PodsRefused: refused(
    'Kubernetes refuses to create the pods, for a reason that has no name of its own here. The message has the words of the API server.',
    'Correct what the message names; the pods are then created by themselves, within minutes.',
  ),
  ImagePullFailed: failing(
    'The image of the model or of the agent cannot be pulled.',
    'Correct `spec.image`, or name a secret for the registry in `spec.imagePullSecrets`.',
  ),
  ContainerRefused: failing(
    'The node cannot start a container of the pod, for a reason that has no name of its own here. The message has the words of the kubelet.',
    'Create or correct what the message names; the container is then started by itself.',
  ),
  SecretMissing: failing(
    'A Secret that the model needs, or a key of it, does not exist: for `payload.tokenSecret`, `env` or a volume. The message names it.',
    'Create the Secret or the key, or correct the name. The instance then starts by itself, within two minutes.',
  ),
  ConfigMapMissing: failing(
    'A ConfigMap that the model needs, or a key of it, does not exist. The message names it.',
    'Create the ConfigMap or the key, or correct the name. The instance then starts by itself, within two minutes.',
  ),
  ServiceAccountMissing: refused(
    'The service account of `spec.serviceAccountName` does not exist.',
    'Create it, or correct the name.',
  ),
  PriorityClassMissing: refused(
    'The priority class that the spec, or its queue, names does not exist.',
    'Correct `spec.scheduling`, or ask an administrator to create the class.',
  ),
  RuntimeClassMissing: refused(
    'The runtime class that the spec names does not exist.',
    'Correct the name, or ask an administrator to create the class.',
  ),
  VolumeMissing: failing(
    'A persistent volume claim does not exist, or is being deleted.',
    'Create the claim, or correct the name.',
  ),
  VolumeNotReady: failing(
    'A volume cannot be attached or mounted. The message has the words of the node.',
    'Correct what the message names; `kubectl describe pvc` says why a claim has no volume.',
  ),
  DeviceNotReady: failing(
    'The node cannot give the pod a device that it asks for.',
    'See the events of the pod with `kubectl describe pod`, and ask whoever runs the nodes.',
  ),
  PodSandboxFailed: failing(
    'The node cannot set the pod up, mostly because its network cannot be made.',
    'If it lasts, ask whoever runs the cluster; the message has the words of the node.',
  ),
  NodeNotReady: failing(
    'The node that the instance was put on has stopped answering before the instance started.',
    'Kubernetes puts the instance elsewhere after some minutes, at once when you delete the pod. See the node with `kubectl describe node`.',
  ),
  QuotaUnmet: refused(
    'A ResourceQuota requires every container to set more requests or limits than these do.',
    'Set them in `spec.resources` for the model and `spec.agent.resources` for the agent; the message names the fields.',
  ),
  PodSecurityRefused: refused(
    'The Pod Security level of the namespace, or a security context constraint, does not allow such pods.',
    "Correct what the message names. The node's network (`advertise: Node`) needs the level privileged.",
  ),
  LimitRangeRefused: refused(
    'A LimitRange of the namespace does not allow what the pods ask for.',
    'The message names the container and the field; compare with `kubectl describe limitrange`.',
  ),
  WebhookRefused: refused(
    'An admission webhook refuses the pods.',
    'Correct what its words in the message name, or ask whoever runs it.',
  ),
  WebhookUnavailable: refused(
    'An admission webhook has to be asked about pods and does not answer.',
    'Ask whoever runs it; until it answers, no pod can be created.',
  ),
  PolicyRefused: refused(
    'An admission policy refuses the pods.',
    'Correct what the message names, or ask whoever made the policy.',
  ),
  NamespaceTerminating: refused(
    'The namespace is being deleted, so nothing can be created in it.',
    'Deploy the model in another namespace, or wait until this one is gone and create it again.',
  ),
  ImageNotForPlatform: failing(
    "The image is made for another kind of processor than the node's.",
    'Build the image for it, or choose nodes with `spec.scheduling.nodeSelector`.',
  ),
  ImageUnusable: failing(
    'The image lacks a program that is needed to start a script.',
    'Use an image with a shell at /bin/sh.',
  ),
  RunsAsRoot: failing(
    'The image, or the spec, would run the model as root, which no model may.',
    'Set `spec.securityContext.runAsUser` to a number other than 0.',
  ),
  PodFailed: failing(
    'The pod ended as a whole, for example because its node evicted it. Kubernetes replaces it.',
    'If it happens again, give the node what the message says it lacks.',
  ),
  AgentFailed: failing(
    'The agent ended without saying why in a form that the operator can read.',
    'See its log with `kubectl logs POD -c agent --previous`.',
  ),
  OutOfMemory: failing('The model was killed because it used more memory than `spec.memory`.', 'Raise `spec.memory`.'),
  Restarted: failing(
    'The agent had the script started again, for the reason that the message gives.',
    'See what the script printed with `kubectl logs POD -c model --previous`.',
  ),

  SpecInvalid: entry(
    'failing',
    'Warning',
    'Ready',
    'Stalled',
  )('The resource has a field that cannot be used.', 'Correct the field that the message names.'),

  Settled: entry('up', 'quiet', 'Reconciling')('Everything is as it should be; the operator has nothing to do.'),
  Stalled: entry(
    'failing',
    'quiet',
    'Reconciling',
  )('The operator cannot get any further: see the condition Stalled.', 'Follow the message of the condition Stalled.'),
  NotStalled: entry('up', 'quiet', 'Stalled')('Nothing keeps the operator from getting further.'),
  Resolving: looking('The operator is looking at the payload in HDFS.', wait),
  Copying: looking('The payload is being copied to the payload store.', wait),
  Resolved: found('The payload was found and pinned.'),

  OriginalChanged: found(
    'Instances read a copy of the payload that was pinned, which is whole; at the path that it was made from there is another payload now, or none.',
    'Nothing, if that is the next version. To run what is there now, change `version` or `payload.path`.',
  ),

  Switched: news('Clients are now served by another version.'),
  RequestDone: news('A request of the old queue was carried out.'),
  RequestRejected: alarm(
    'A request of the old queue cannot be carried out and was taken off the queue.',
    'Correct what the message names, and send the request again.',
  ),
  NullRequest: news('The LIST of the old deploy client left an empty request, which was removed.'),

  NotSeen: entry(
    'starting',
    'quiet',
    'Ready',
    'command',
  )(
    'No operator has looked at the resource yet.',
    'Check with `kubectl maas doctor` that the operator runs and serves the namespace.',
  ),
  NotServed: shown(
    'No operator looks after the models of the namespace.',
    "Deploy into a namespace that is served, or add this one to `namespaces` of the operator's chart.",
  ),
  NoResource: shown('Nothing here asks for this version.'),
  Foreign: shown(
    'The version is registered by somebody else: the original on YARN, or by hand.',
    'To move it here, see `kubectl maas import`.',
  ),
  OtherCluster: shown('The version is registered by the operator of another cluster.'),

  ...concernCatalogue,
} as const satisfies Record<string, Entry>;
