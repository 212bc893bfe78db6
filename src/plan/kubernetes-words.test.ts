import { describe, expect, it } from 'vitest';
import { aPod } from '../../test/builders/model-deployment.ts';
import { stateOf } from './instance-state.ts';
import { refusedPods, unschedulablePod } from './kubernetes-words.ts';
import type { ContainerView, PodView, PodWarning } from './observation.ts';

/** All words below were recorded from Kubernetes 1.37.2 with containerd, except where a row says otherwise. */

describe('refusedPods', () => {
  it.each<[string, string, string, string, string | undefined]>([
    [
      'a service account',
      'pods "sa-6b4c89ddb-" is forbidden: error looking up service account fraud/nosuch: serviceaccount "nosuch" not found',
      'ServiceAccountMissing',
      'the service account "nosuch" does not exist in namespace fraud',
      'Make it: kubectl create serviceaccount nosuch -n fraud',
    ],
    [
      'a priority class',
      'pods "prio-7d786d6944-" is forbidden: no PriorityClass with name nosuch was found',
      'PriorityClassMissing',
      'there is no priority class "nosuch"',
      'kubectl get priorityclasses',
    ],
    [
      'a runtime class',
      'pods "rtc-56fc8bbd8b-" is forbidden: pod rejected: RuntimeClass "nosuch" not found',
      'RuntimeClassMissing',
      'there is no runtime class "nosuch"',
      'kubectl get runtimeclasses',
    ],
    [
      'a quota that wants more to be said',
      'pods "quota2-7df89998d-6lfcf" is forbidden: failed quota: q: must specify limits.cpu for: model; limits.memory for: model',
      'QuotaUnmet',
      'the quota "q" of namespace fraud wants every container to say more: limits.cpu for: model; limits.memory for: model',
      'for the container model: spec.resources.limits.cpu',
    ],
    [
      'Pod Security',
      'pods "psa-5fcd464d6c-wrd98" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)',
      'PodSecurityRefused',
      'the Pod Security level "restricted:latest" of namespace fraud refuses such pods',
      'kubectl get namespace fraud --show-labels',
    ],
    [
      'a LimitRange',
      'pods "lr-547db959c9-9t8vl" is forbidden: [minimum cpu usage per Container is 50m, but request is 10m, maximum memory usage per Container is 64Mi, but limit is 128Mi, maximum memory usage per Pod is 100Mi, but limit is 128Mi]',
      'LimitRangeRefused',
      'a LimitRange of namespace fraud refuses such pods',
      'kubectl describe limitrange -n fraud',
    ],
    [
      'a ratio of a LimitRange',
      'pods "p" is forbidden: memory max limit to request ratio per Container is 1, but provided ratio is 2.000000',
      'LimitRangeRefused',
      'a LimitRange of namespace fraud refuses such pods',
      'kubectl describe limitrange -n fraud',
    ],
    [
      'a webhook that refuses (words of the API server, with a message of the webhook)',
      'admission webhook "policy.example" denied the request: images must be signed',
      'WebhookRefused',
      'the admission webhook "policy.example" refuses the pods',
      'ask who runs it',
    ],
    [
      'a webhook whose service does not exist',
      'Internal error occurred: failed calling webhook "down.rec.example": failed to call webhook: Post "https://nosuch.default.svc:443/?timeout=2s": service "nosuch" not found',
      'WebhookUnavailable',
      'the admission webhook "down.rec.example" has to be asked about pods and does not answer',
      'Ask who runs it',
    ],
    [
      'a webhook that is down',
      'Internal error occurred: failed calling webhook "down2.rec.example": failed to call webhook: Post "https://127.0.0.1:9/?timeout=2s": dial tcp 127.0.0.1:9: connect: connection refused',
      'WebhookUnavailable',
      'connection refused',
      'Ask who runs it',
    ],
    [
      'an admission policy',
      `pods "vap-57bccb55fc-bvf6t" is forbidden: ValidatingAdmissionPolicy 'rec-vap' with binding 'rec-vap' denied request: no pods today`,
      'PolicyRefused',
      'the admission policy "rec-vap" refuses the pods',
      'ask who made it',
    ],
    [
      'a namespace that goes (words of the API server, not recorded)',
      'pods "x-" is forbidden: unable to create new content in namespace fraud because it is being terminated',
      'NamespaceTerminating',
      'the namespace fraud is being deleted',
      undefined,
    ],
    [
      'anything else, in its own words',
      'pods "x-" is forbidden: the moon\nis full',
      'PodsRefused',
      'pods "x-" is forbidden: the moon is full',
      'kubectl get events -n fraud --field-selector reason=FailedCreate',
    ],
  ])('%s', (_name, words, reason, message, next) => {
    const trouble = refusedPods(words, { namespace: 'fraud' });
    expect(trouble.reason).toBe(reason);
    expect(trouble.message).toContain(message);
    // What no pattern was made for must not be lost.
    expect(trouble.message).toContain(words.replace(/\s+/g, ' '));
    if (next === undefined) expect(trouble.next).toBeUndefined();
    else expect(trouble.next).toContain(next);
  });
});

describe('unschedulablePod', () => {
  const noHelp = 'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
  it.each<[string, string, RegExp]>([
    [
      `0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. ${noHelp}`,
      'Unschedulable',
      /kubectl get nodes --show-labels/,
    ],
    [`0/1 nodes are available: 1 Insufficient nvidia.com/gpu. ${noHelp}`, 'Unschedulable', /^$/],
    [
      '0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/1',
      'Unschedulable',
      /TAINTS/,
    ],
    [
      '0/1 nodes are available: persistentvolumeclaim "nosuch" not found. not found',
      'VolumeMissing',
      /kubectl get pvc -n fraud/,
    ],
    [
      '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found',
      'VolumeNotReady',
      /kubectl describe pvc -n fraud/,
    ],
  ])('%s', (words, reason, next) => {
    const trouble = unschedulablePod(words, aPod());
    expect(trouble.reason).toBe(reason);
    expect(trouble.message).toContain(words);
    expect(trouble.next ?? '').toMatch(next);
  });
});

const waiting = (reason: string, message = ''): ContainerView => ({
  restarts: 0,
  state: { kind: 'waiting', reason, message },
});
const creating = { agent: waiting('PodInitializing'), model: waiting('PodInitializing') };
const warning = (reason: string, message: string, secondsAgo = 0): PodWarning => ({
  podUid: aPod().uid,
  reason,
  message,
  lastSeen: 1_800_000_000_000 - secondsAgo * 1_000,
});
const mount = (words: string, secondsAgo = 0) =>
  warning('FailedMount', `MountVolume.SetUp failed for volume "token" : ${words}`, secondsAgo);
const nodeLooks = /two minutes.*kubectl delete pod dga-x-1 -n fraud/;

const cannotStart = 'failed to create containerd task: failed to create shim task: OCI runtime create failed: ';

describe('the state of an instance that does not start', () => {
  it.each<[string, Partial<PodView>, string, RegExp, RegExp]>([
    [
      'a secret of a volume',
      { ...creating, warnings: [mount('secret "nosuch" not found')] },
      'SecretMissing',
      /^the secret "nosuch" does not exist in namespace fraud/,
      /kubectl create secret generic nosuch -n fraud/,
    ],
    [
      'and how soon it comes up',
      { ...creating, warnings: [mount('secret "nosuch" not found')] },
      'SecretMissing',
      /./,
      nodeLooks,
    ],
    [
      'a key of a secret of a volume',
      { ...creating, volumeSources: { token: 'hdfs' }, warnings: [mount('references non-existent secret key: token')] },
      'SecretMissing',
      /^the secret "hdfs" in namespace fraud has no key "token"/,
      nodeLooks,
    ],
    [
      'a ConfigMap of a volume',
      { ...creating, warnings: [mount('configmap "nosuch" not found')] },
      'ConfigMapMissing',
      /^the ConfigMap "nosuch" does not exist in namespace fraud/,
      /kubectl create configmap nosuch -n fraud/,
    ],
    [
      'a key of a ConfigMap of a volume',
      {
        ...creating,
        volumeSources: { token: 'c' },
        warnings: [mount('configmap references non-existent config key: k')],
      },
      'ConfigMapMissing',
      /^the ConfigMap "c" in namespace fraud has no key "k"/,
      nodeLooks,
    ],
    [
      'several at once',
      { ...creating, warnings: [mount('[secret "nosuch-a" not found, configmap "nosuch-b" not found]')] },
      'SecretMissing',
      /secret "nosuch-a".*configmap "nosuch-b"/,
      nodeLooks,
    ],
    [
      'several in turn, whichever was said last',
      { ...creating, warnings: [mount('secret "b" not found'), mount('configmap "a" not found', 90)] },
      'ConfigMapMissing',
      /ConfigMap "a".*secret "b"/,
      nodeLooks,
    ],
    [
      'what was mended since is not said any more',
      { ...creating, warnings: [mount('secret "b" not found'), mount('configmap "a" not found', 200)] },
      'SecretMissing',
      /^(?!.*"a")/,
      nodeLooks,
    ],
    [
      'a volume that cannot be mounted',
      {
        ...creating,
        warnings: [mount("mount failed: exit status 32\nOutput: mount: unknown filesystem type 'nfs'.\n")],
      },
      'VolumeNotReady',
      /exit status 32 Output: mount: unknown filesystem type 'nfs'\.$/,
      /kubectl describe pod dga-x-1 -n fraud/,
    ],
    [
      'a driver that is not there',
      {
        ...creating,
        warnings: [mount('driver name nosuch.csi.example not found in the list of registered CSI drivers')],
      },
      'VolumeNotReady',
      /nosuch\.csi\.example/,
      /describe pod/,
    ],
    [
      'a node that only catches up',
      { ...creating, warnings: [mount('failed to sync configmap cache: timed out waiting for the condition')] },
      'Starting',
      /failed to sync/,
      /^$/,
    ],
    [
      'a sandbox that cannot be made',
      {
        ...creating,
        warnings: [
          warning(
            'FailedCreatePodSandBox',
            'Failed to create pod sandbox: rpc error: code = Unknown desc = unable to get OCI runtime for sandbox "13": no runtime for "nohandler" is configured',
          ),
        ],
      },
      'PodSandboxFailed',
      /no runtime for "nohandler"/,
      /describe pod/,
    ],
    [
      'a node that died before it could begin (words of the node controller, not recorded)',
      { ...creating, warnings: [warning('NodeNotReady', 'Node is not ready')] },
      'NodeNotReady',
      /Node is not ready/,
      /describe pod/,
    ],
    [
      "the agent's own image, which no user chooses",
      { ...creating, agent: waiting('ErrImagePull', 'failed to pull and unpack image "maas-operator:9"') },
      'ImagePullFailed',
      /maas-operator:9/,
      /the agent's image.*chart/,
    ],
    ['nothing was heard', creating, 'Starting', /^$/, /^$/],
    [
      'warnings of other things',
      { ...creating, warnings: [warning('FailedScheduling', 'was once so')] },
      'Starting',
      /^$/,
      /^$/,
    ],
    [
      'a secret of a variable',
      { model: waiting('CreateContainerConfigError', 'secret "nosuch" not found') },
      'SecretMissing',
      /^the secret "nosuch" does not exist in namespace fraud/,
      /kubectl create secret generic nosuch -n fraud/,
    ],
    [
      'a key of a secret of a variable',
      { model: waiting('CreateContainerConfigError', "couldn't find key k in Secret fraud/there") },
      'SecretMissing',
      /^the secret "there" in namespace fraud has no key "k"/,
      /kubectl describe secret there -n fraud/,
    ],
    [
      'a ConfigMap of a variable',
      { model: waiting('CreateContainerConfigError', 'configmap "nosuch" not found') },
      'ConfigMapMissing',
      /^the ConfigMap "nosuch" does not exist in namespace fraud/,
      /kubectl create configmap nosuch -n fraud/,
    ],
    [
      'a key of a ConfigMap of a variable',
      { model: waiting('CreateContainerConfigError', "couldn't find key k in ConfigMap fraud/there") },
      'ConfigMapMissing',
      /^the ConfigMap "there" in namespace fraud has no key "k"/,
      /kubectl describe configmap there -n fraud/,
    ],
    [
      'an image whose pull secrets are missing',
      {
        model: waiting('ErrImagePull', 'failed to pull and unpack image "localhost:1/x:1": connection refused'),
        warnings: [
          warning(
            'FailedToRetrieveImagePullSecret',
            'Unable to retrieve some image pull secrets (nosuch, nosuch2); attempting to pull the image may not succeed.',
          ),
        ],
      },
      'ImagePullFailed',
      /localhost:1\/x:1.*the pull secret nosuch, nosuch2 is missing in namespace fraud/,
      /kubectl create secret docker-registry nosuch -n fraud/,
    ],
    [
      'a name of an image that cannot be',
      { model: waiting('InvalidImageName', 'couldn\'t parse image name "UPPER/Case:1": invalid reference format') },
      'ImagePullFailed',
      /UPPER\/Case:1/,
      /Correct the image/,
    ],
    [
      'an image for another platform (words of containerd, not recorded)',
      { model: waiting('ErrImagePull', 'failed to pull image "x:1": no match for platform in manifest: not found') },
      'ImageNotForPlatform',
      /platform/,
      /kubectl get nodes -L kubernetes.io\/arch/,
    ],
    [
      'an image that runs as root',
      {
        model: waiting(
          'CreateContainerConfigError',
          'container has runAsNonRoot and image will run as root (pod: "root-768d6bbb45-pr29t_fraud(d4c1)", container: model)',
        ),
      },
      'RunsAsRoot',
      /as root/,
      /runAsUser/,
    ],
    [
      'a user that is root',
      { model: waiting('CreateContainerConfigError', `container's runAsUser breaks non-root policy (pod: "x")`) },
      'RunsAsRoot',
      /as root/,
      /not 0/,
    ],
    [
      'an image without a shell',
      {
        model: waiting(
          'RunContainerError',
          `${cannotStart}runc create failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or directory`,
        ),
      },
      'ImageUnusable',
      /^the image has no \/bin\/sh/,
      /shell at \/bin\/sh/,
    ],
    [
      'the same between two attempts',
      {
        model: {
          restarts: 2,
          state: { kind: 'waiting', reason: 'CrashLoopBackOff', message: 'back-off' },
          lastTermination: {
            kind: 'terminated',
            exitCode: 128,
            reason: 'StartError',
            message: `${cannotStart}runc create failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or directory`,
          },
        },
      },
      'ImageUnusable',
      /^the image has no \/bin\/sh/,
      /shell at \/bin\/sh/,
    ],
    [
      'a process that cannot be started for another reason',
      {
        model: {
          restarts: 2,
          state: {
            kind: 'terminated',
            exitCode: 128,
            reason: 'StartError',
            message: `${cannotStart}error during container init: mkdir /proc/self/environ: not a directory`,
          },
        },
      },
      'ContainerRefused',
      /not a directory/,
      /describe pod/,
    ],
  ])('%s', (_name, changes, state, message, next) => {
    const found = stateOf(aPod(changes), undefined, undefined);
    expect(found.state).toBe(state);
    expect(found.message ?? '').toMatch(message);
    expect(found.next ?? '').toMatch(next);
    expect(found.message ?? '').not.toMatch(/\n/);
  });

  it('what was heard before a container ran does not explain what it does now', () => {
    const warnings = [mount('secret "nosuch" not found')];
    expect(stateOf(aPod({ warnings }), undefined, undefined).state).toBe('Starting');
    expect(stateOf(aPod({ warnings, deleting: true, ...creating }), undefined, undefined).state).toBe('Terminating');
  });
});
