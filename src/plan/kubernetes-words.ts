/**
 * What Kubernetes says about pods that cannot be made, or that do not start, in the reasons and advice of the status.
 *
 * Where it comes from is structured: a condition, a container's waiting reason, an event's reason. Only the name of what
 * is missing is taken from prose, by patterns that are tested on words of real API servers and kubelets. Words that no
 * pattern knows are shown as they are, under the general reason of the place that they came from.
 */
import type { Reason } from '../contracts/reasons.ts';
import { byText, compareTexts } from '../kernel/text-order.ts';
import type { PodView, PodWarning } from './observation.ts';
import { beyondQuota, containersOf, fitInto, sayTo } from './resource-bounds.ts';

export interface Trouble {
  /** A reason of the Ready condition. */
  readonly reason: Reason;
  readonly message: string;
  /** What to do, with commands that can be pasted. */
  readonly next?: string;
}

interface Place {
  readonly namespace: string;
  /** The pod that has the trouble, where there is one. */
  readonly name?: string;
  /** The spec of the Deployment whose pods are refused. */
  readonly deployment?: Readonly<Record<string, unknown>>;
  readonly volumeSources?: Readonly<Record<string, string>>;
}

interface Rule {
  readonly pattern: RegExp;
  readonly reason: Reason;
  /** In place of the words of Kubernetes, which stand after it. */
  readonly says?: (match: RegExpExecArray, place: Place) => string;
  readonly next?: (match: RegExpExecArray, place: Place) => string;
}

const quoted = (text: string) => `"${text}"`;
/** Some words are output of programs, over several lines. */
const onOneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

/** Secrets and ConfigMaps, as the kubelet misses them for a volume or for a variable. */
const missingSources: readonly Rule[] = [
  {
    pattern: /\bsecret "([^"]+)" not found/,
    reason: 'SecretMissing',
    says: ([, name = ''], { namespace }) => `the secret ${quoted(name)} does not exist in namespace ${namespace}`,
    next: ([, name = ''], { namespace }) =>
      `Make it: kubectl create secret generic ${name} -n ${namespace} --from-file=KEY=FILE`,
  },
  {
    pattern: /\bconfigmap "([^"]+)" not found/,
    reason: 'ConfigMapMissing',
    says: ([, name = ''], { namespace }) => `the ConfigMap ${quoted(name)} does not exist in namespace ${namespace}`,
    next: ([, name = ''], { namespace }) =>
      `Make it: kubectl create configmap ${name} -n ${namespace} --from-literal=KEY=VALUE`,
  },
  {
    pattern: /\bcouldn't find key (\S+) in Secret [^/\s]+\/(\S+)/,
    reason: 'SecretMissing',
    says: ([, key = '', name = ''], { namespace }) =>
      `the secret ${quoted(name)} in namespace ${namespace} has no key ${quoted(key)}`,
    next: ([, key = '', name = ''], { namespace }) =>
      `See its keys with: kubectl describe secret ${name} -n ${namespace}; add ${quoted(key)} or correct the name.`,
  },
  {
    pattern: /\bcouldn't find key (\S+) in ConfigMap [^/\s]+\/(\S+)/,
    reason: 'ConfigMapMissing',
    says: ([, key = '', name = ''], { namespace }) =>
      `the ConfigMap ${quoted(name)} in namespace ${namespace} has no key ${quoted(key)}`,
    next: ([, key = '', name = ''], { namespace }) =>
      `See its keys with: kubectl describe configmap ${name} -n ${namespace}; add ${quoted(key)} or correct the name.`,
  },
];

const missingClaim: Rule = {
  pattern: /\bpersistentvolumeclaim "([^"]+)" (?:not found|is being deleted)/,
  reason: 'VolumeMissing',
  says: ([, name = ''], { namespace }) =>
    `the persistent volume claim ${quoted(name)} does not exist in namespace ${namespace}, or is being deleted`,
  next: (_match, { namespace }) =>
    `See what is there with: kubectl get pvc -n ${namespace}; make it, or correct the name.`,
};

/** Nothing is wrong with the model. */
const overQuota: Rule = {
  pattern: /\bexceeded quota\b/,
  reason: 'WaitingForQueueCapacity',
  next: ({ input }) => {
    const beyond = beyondQuota(input);
    return beyond.length === 0
      ? 'Nothing is wrong with the model: wait, lower the instances, or ask for more quota.'
      : `One instance asks for more ${beyond.join(' and ')} than the quota has in all, agent and model together: ask for less in the spec, or for more quota.`;
  },
};

/** Why the API server refuses to make pods; the ReplicaSet controller tells it, with its own words before. */
const refusals: readonly Rule[] = [
  overQuota,
  {
    pattern: /\bserviceaccount "([^"]+)" not found/,
    reason: 'ServiceAccountMissing',
    says: ([, name = ''], { namespace }) =>
      `the service account ${quoted(name)} does not exist in namespace ${namespace}`,
    next: ([, name = ''], { namespace }) => `Make it: kubectl create serviceaccount ${name} -n ${namespace}`,
  },
  {
    pattern: /\bno PriorityClass with name (\S+) was found/,
    reason: 'PriorityClassMissing',
    says: ([, name = '']) => `there is no priority class ${quoted(name)}`,
    next: () =>
      'See which there are with: kubectl get priorityclasses; correct spec.scheduling (queue or priorityClassName), or let an administrator make it.',
  },
  {
    pattern: /\bRuntimeClass "([^"]+)" not found/,
    reason: 'RuntimeClassMissing',
    says: ([, name = '']) => `there is no runtime class ${quoted(name)}`,
    next: () => 'See which there are with: kubectl get runtimeclasses',
  },
  {
    pattern: /\bfailed quota: ([^:\s]+): must specify (.+)$/,
    reason: 'QuotaUnmet',
    says: ([, name = '', what = ''], { namespace }) =>
      `the quota ${quoted(name)} of namespace ${namespace} wants every container to say more: ${what}`,
    next: ([, , what = '']) => sayTo(what),
  },
  {
    pattern: /\bviolates PodSecurity "([^"]+)"/,
    reason: 'PodSecurityRefused',
    says: ([, level = ''], { namespace }) =>
      `the Pod Security level ${quoted(level)} of namespace ${namespace} refuses such pods`,
    next: (_match, { namespace }) =>
      `Correct what is named; the host network (spec.advertise: Node) needs the level privileged: kubectl get namespace ${namespace} --show-labels`,
  },
  {
    pattern:
      /\b(?:minimum|maximum) \S+ usage per (?:Container|Pod) is |\bmax limit to request ratio per (?:Container|Pod) is /,
    reason: 'LimitRangeRefused',
    says: (_match, { namespace }) => `a LimitRange of namespace ${namespace} refuses such pods`,
    next: ({ input = '' }, { namespace, deployment }) =>
      [
        ...(deployment === undefined ? [] : [fitInto(input, containersOf(deployment)) ?? []]).flat(),
        `See its bounds with: kubectl describe limitrange -n ${namespace}`,
      ].join(' '),
  },
  {
    pattern: /\badmission webhook "([^"]+)" denied the request/,
    reason: 'WebhookRefused',
    says: ([, name = '']) => `the admission webhook ${quoted(name)} refuses the pods`,
    next: () => 'Correct what it names, or ask who runs it.',
  },
  {
    pattern: /\bfailed calling webhook "([^"]+)"/,
    reason: 'WebhookUnavailable',
    says: ([, name = '']) => `the admission webhook ${quoted(name)} has to be asked about pods and does not answer`,
    next: () => 'Ask who runs it; until it answers, no pod can be made.',
  },
  {
    pattern: /\bValidatingAdmissionPolicy '([^']+)'.* denied request/,
    reason: 'PolicyRefused',
    says: ([, name = '']) => `the admission policy ${quoted(name)} refuses the pods`,
    next: () => 'Correct what it names, or ask who made it.',
  },
  {
    pattern: /\bbecause it is being terminated/,
    reason: 'NamespaceTerminating',
    says: (_match, { namespace }) => `the namespace ${namespace} is being deleted, so nothing can be made in it`,
  },
  {
    pattern: /\bforbidden: unable to validate against any security context constraint/,
    reason: 'PodSecurityRefused',
    says: () => 'no security context constraint allows such pods',
    next: () => 'Set runAsUser to null in the chart, so that the platform gives the number.',
  },
];

const image: Rule = {
  pattern: /\bno match for platform in manifest|\bno matching manifest for|\bexec format error/,
  reason: 'ImageNotForPlatform',
  says: () => "the image is not made for the node's platform",
  next: () =>
    'See what the nodes are with: kubectl get nodes -L kubernetes.io/arch; build the image for it, or choose nodes by spec.scheduling.nodeSelector.',
};

const cannotRun: readonly Rule[] = [
  image,
  {
    pattern:
      /\bexec: "?([^":\s]+)"?: (?:stat \S+: )?(?:no such file or directory|executable file not found|permission denied)/,
    reason: 'ImageUnusable',
    says: ([, program = '']) => `the image has no ${program} that can be run, which is needed to start a script`,
    next: () => 'Use an image with a shell at /bin/sh.',
  },
  {
    pattern: /\bcontainer has runAsNonRoot and image (?:will run as root|has non-numeric user)/,
    reason: 'RunsAsRoot',
    says: () => 'the image would run as root, which no model may',
    next: () => 'Set spec.securityContext.runAsUser to a number that is not 0, or give the image a numeric user.',
  },
  {
    pattern: /\bcontainer's runAsUser breaks non-root policy/,
    reason: 'RunsAsRoot',
    says: () => 'it is to run as root, which no model may',
    next: () => 'Set spec.securityContext.runAsUser to a number that is not 0.',
  },
];

const unschedulable: readonly Rule[] = [
  missingClaim,
  {
    pattern: /\bunbound immediate PersistentVolumeClaims/,
    reason: 'VolumeNotReady',
    says: () => 'a persistent volume claim has no volume yet',
    next: (_match, { namespace }) => `See why with: kubectl describe pvc -n ${namespace}`,
  },
];

/** The words of Kubernetes stay in the message: they hold what no pattern was made for. */
function applied(rules: readonly Rule[], said: string, place: Place): Trouble | undefined {
  const words = onOneLine(said);
  for (const { pattern, reason, says, next } of rules) {
    const match = pattern.exec(words);
    if (match === null) continue;
    const told = next?.(match, place);
    return {
      reason,
      message: says === undefined ? words : `${says(match, place)} (${words})`,
      ...(told === undefined ? {} : { next: told }),
    };
  }
  return undefined;
}

/** Whether the API server refuses an object of the namespace because a quota is used up. */
export function exceededQuota(words: string, place: Place): Trouble | undefined {
  return applied([overQuota], words, place);
}

/** Why no pods are made, in the words of a Deployment's condition ReplicaFailure. */
export function refusedPods(words: string, place: Place): Trouble {
  const { namespace } = place;
  return (
    applied(refusals, words, place) ?? {
      reason: 'PodsRefused',
      message: onOneLine(words),
      next: `See all that was tried with: kubectl get events -n ${namespace} --field-selector reason=FailedCreate`,
    }
  );
}

/** Why a pod has no node, in the words of the scheduler. */
export function unschedulablePod(words: string, place: Place): Trouble {
  return applied(unschedulable, words, place) ?? { reason: 'Unschedulable', message: words, ...nodeAdvice(words) };
}

function nodeAdvice(words: string): { next?: string } {
  if (/didn't match Pod's node affinity\/selector/.test(words)) {
    return {
      next: 'See the labels of the nodes with: kubectl get nodes --show-labels; correct spec.scheduling, or let an administrator label a node.',
    };
  }
  if (/untolerated taint/.test(words)) {
    return {
      next: 'See the taints with: kubectl get nodes -o custom-columns=NODE:.metadata.name,TAINTS:.spec.taints; give spec.scheduling.tolerations, or wait for the node.',
    };
  }
  return {};
}

const imageReasons = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);
const refusedReasons = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'PreCreateHookError',
  'PreStartHookError',
  'PostStartHookError',
]);

/** Why a container does not start, by the reason that it waits for; undefined where it is only on its way. */
function waitingContainer(
  pod: PodView,
  { reason, message }: { reason: string; message: string },
  imageAdvice: string,
): Trouble | undefined {
  if (imageReasons.has(reason)) {
    const known = applied([image], message, pod);
    if (known !== undefined) return known;
    const secret = missingPullSecret(pod);
    return {
      reason: 'ImagePullFailed',
      message: `${onOneLine(message) || reason}${secret === undefined ? '' : `; ${secret.message}`}`,
      next: secret?.next ?? imageAdvice,
    };
  }
  if (!refusedReasons.has(reason)) return undefined;
  const words = message || reason;
  return (
    applied([...missingSources, ...cannotRun], words, pod) ?? {
      reason: 'ContainerRefused',
      message: `${reason}: ${onOneLine(message)}`,
      next: `See more with: kubectl describe pod ${pod.name} -n ${pod.namespace}`,
    }
  );
}

/** The runtime could not even start the process; what it says is no output of the script. */
export function unstartable(pod: PodView, ended: { readonly reason: string; readonly message: string }) {
  if (ended.reason !== 'StartError' && ended.reason !== 'ContainerCannotRun') return undefined;
  return (
    applied(cannotRun, ended.message, pod) ?? {
      reason: 'ContainerRefused',
      message: `${ended.reason}: ${onOneLine(ended.message)}`,
      next: `See more with: kubectl describe pod ${pod.name} -n ${pod.namespace}`,
    }
  );
}

function missingPullSecret(pod: PodView): { message: string; next: string } | undefined {
  const warning = latest(pod.warnings?.filter(({ reason }) => reason === 'FailedToRetrieveImagePullSecret') ?? []);
  const names = /image pull secrets \(([^)]+)\)/.exec(warning?.message ?? '')?.[1];
  if (names === undefined) return undefined;
  const first = names.split(',')[0]?.trim() ?? names;
  return {
    message: `the pull secret ${names} is missing in namespace ${pod.namespace}, or is none`,
    next: `Make it: kubectl create secret docker-registry ${first} -n ${pod.namespace} --docker-server=REGISTRY --docker-username=USER --docker-password=PASSWORD`,
  };
}

/** Why one of the pod's containers waits, the agent's first, because the model waits for it. */
export function waitingTrouble(pod: PodView): Trouble | undefined {
  const containers = [
    [
      pod.agent,
      "This is the agent's image, which an administrator sets in the chart (image); or give imagePullSecrets.",
    ],
    [pod.model, 'Correct the image, or give imagePullSecrets.'],
  ] as const;
  for (const [container, imageAdvice] of containers) {
    const trouble =
      container?.state.kind === 'waiting' ? waitingContainer(pod, container.state, imageAdvice) : undefined;
    if (trouble !== undefined) return trouble;
  }
  return undefined;
}

/** No container of the pod was ever started: what the kubelet says in events is the only explanation then. */
function neverStarted(pod: PodView): boolean {
  return [pod.agent, pod.model].every(
    (container) =>
      container === undefined || (container.state.kind === 'waiting' && container.lastTermination === undefined),
  );
}

/** The kubelet's pause between two attempts to mount a volume grows to this, so older words may still be true. */
const longestPauseMs = 125_000;
/** What it says of a volume while it only has to catch up. */
const catchingUp = /\bfailed to sync (?:configmap|secret) cache|\bobject "[^"]*"\/"[^"]*" not registered/;
const retry = ({ namespace, name = '' }: Place) =>
  `The node looks again within two minutes; at once after: kubectl delete pod ${name} -n ${namespace}`;

const sourceOf = (volume: string, { volumeSources }: Place) =>
  quoted(volumeSources?.[volume] ?? `of the volume ${volume}`);

const volumes: readonly Rule[] = [
  ...missingSources,
  missingClaim,
  {
    pattern: /volume "([^"]+)" : .*references non-existent secret key: (\S+)/,
    reason: 'SecretMissing',
    says: ([, volume = '', key = ''], place) =>
      `the secret ${sourceOf(volume, place)} in namespace ${place.namespace} has no key ${quoted(key)}`,
    next: (_match, { namespace }) =>
      `See the keys with: kubectl describe secrets -n ${namespace}; add the one that is missing.`,
  },
  {
    pattern: /volume "([^"]+)" : .*references non-existent config key: (\S+)/,
    reason: 'ConfigMapMissing',
    says: ([, volume = '', key = ''], place) =>
      `the ConfigMap ${sourceOf(volume, place)} in namespace ${place.namespace} has no key ${quoted(key)}`,
    next: (_match, { namespace }) =>
      `See the keys with: kubectl describe configmaps -n ${namespace}; add the one that is missing.`,
  },
];

const general: Readonly<Record<string, Reason>> = {
  FailedMount: 'VolumeNotReady',
  FailedMapVolume: 'VolumeNotReady',
  FailedAttachVolume: 'VolumeNotReady',
  FailedCreatePodSandBox: 'PodSandboxFailed',
  FailedCreatePodContainer: 'ContainerRefused',
  NetworkNotReady: 'PodSandboxFailed',
  NodeNotReady: 'NodeNotReady',
  FailedPrepareDynamicResources: 'DeviceNotReady',
  FailedPodResourceClaim: 'DeviceNotReady',
  FailedResourceClaimCreation: 'DeviceNotReady',
};

/** Why a pod whose containers were never started is held up, in the words of its events. */
export function startTrouble(pod: PodView): Trouble | undefined {
  const heard = pod.warnings ?? [];
  if (!neverStarted(pod) || heard.length === 0) return undefined;
  const newest = Math.max(...heard.map(({ lastSeen }) => lastSeen));
  const explained = heard
    .filter(
      ({ reason, lastSeen, message }) =>
        general[reason] !== undefined && lastSeen >= newest - longestPauseMs && !catchingUp.test(message),
    )
    .flatMap(({ message }) => {
      const trouble = applied(volumes, message, pod);
      return trouble === undefined ? [] : [trouble];
    })
    .sort(byText(({ message }) => message));
  const [first] = explained;
  if (first !== undefined) {
    const others = [...new Set(explained.map(({ message }) => message))].slice(1).map((message) => `; ${message}`);
    return {
      reason: first.reason,
      message: `${first.message}${others.join('')}`,
      next: [first.next?.replace(/\.$/, ''), retry(pod)].filter((words) => words !== undefined).join('. '),
    };
  }
  const last = latest(heard.filter(({ reason }) => general[reason] !== undefined));
  const reason = last === undefined ? undefined : general[last.reason];
  if (last === undefined || reason === undefined) return undefined;
  if (catchingUp.test(last.message)) return { reason: 'Starting', message: last.message };
  return {
    reason,
    message: onOneLine(last.message),
    next: `See more with: kubectl describe pod ${pod.name} -n ${pod.namespace}`,
  };
}

function latest(warnings: readonly PodWarning[]): PodWarning | undefined {
  return warnings.toSorted((a, b) => b.lastSeen - a.lastSeen || compareTexts(a.message, b.message))[0];
}
