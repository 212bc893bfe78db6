/**
 * Everything that a model may name and the cluster does not have, or does not allow: all at once, each with the reason
 * and the name of the thing within seconds, and each up soon after it was mended.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { z } from 'zod';
import { cleanUp } from './clean-up.ts';
import { pythonModel, script } from './payloads.ts';
import { eventually, type ModelOptions, Stage } from './stage.ts';
import { tellsWhy } from './why-text.ts';

/** After the payload was resolved: the kubelet's first attempts, the wait before events are read, the status. */
const withinMs = 20_000;

let stage: Stage;
let shellless: string;
beforeAll(async () => {
  stage = await Stage.open('missing');
  // An image whose tag went to another one has no names.
  const image = z.object({ names: z.array(z.string()).nullish() });
  const nodes = z
    .object({ items: z.array(z.object({ status: z.object({ images: z.array(image).default([]) }) })) })
    .parse(JSON.parse(await stage.kubectl('get', 'nodes', '-o', 'json')));
  const names = nodes.items.flatMap(({ status }) => status.images.flatMap((each) => each.names ?? []));
  // The image of the cluster's own DNS is on every node and holds one program.
  shellless = names.find((name) => /coredns.*:/.test(name) && !name.includes('@')) ?? 'no-coredns:0';
  await stage.payload('model', pythonModel('1.0'));
  await stage.k('create', 'secret', 'generic', 'there', '--from-literal=other=x');
  await stage.k('create', 'configmap', 'there', '--from-literal=other=x');
  const limits = {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'small', namespace: stage.namespace },
    spec: { limits: [{ type: 'Container', max: { memory: '4Gi' } }] },
  };
  const webhook = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: stage.release },
    webhooks: [
      {
        name: 'away.maas.example',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        timeoutSeconds: 2,
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': stage.namespace } },
        objectSelector: { matchLabels: { hooked: 'yes' } },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        clientConfig: { service: { name: 'nosuch', namespace: stage.namespace, path: '/' } },
      },
    ],
  };
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'unbound', namespace: stage.namespace },
    spec: { storageClassName: '', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
  };
  const items = [limits, webhook, claim, ...policy()];
  await stage.kubectlIn(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), 'apply', '-f', '-');
  await eventually('the policy is in force', async () => {
    const refused = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'probe', labels: { policed: 'yes' } } };
    const probe = stage.kubectlIn(
      JSON.stringify(refused),
      '-n',
      stage.namespace,
      'create',
      '--dry-run=server',
      '-f',
      '-',
    );
    return await probe.then(
      () => false,
      (error: unknown) => String(error).includes('no pods today'),
    );
  });
});

/** Refuses pods with a certain label, and ConfigMaps, by which can be seen whether it is in force. */
function policy(): readonly object[] {
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods', 'configmaps'] };
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const metadata = { name: stage.release };
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        matchConstraints: {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': stage.namespace } },
          objectSelector: { matchLabels: { policed: 'yes' } },
          resourceRules: [rule],
        },
        validations: [{ expression: 'false', message: 'no pods today' }],
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: stage.release, validationActions: ['Deny'] },
    },
  ];
}

afterAll(async () => {
  await cleanUp(
    () => stage?.kubectl('delete', 'validatingwebhookconfiguration', stage.release, '--ignore-not-found'),
    () => stage?.kubectl('delete', 'validatingadmissionpolicybinding', stage.release, '--ignore-not-found'),
    () => stage?.kubectl('delete', 'validatingadmissionpolicy', stage.release, '--ignore-not-found'),
    () => stage?.kubectl('delete', 'priorityclass', `${stage.release}-later`, '--ignore-not-found'),
    () => stage?.[Symbol.asyncDispose](),
  );
});

const apply = (name: string, spec: ModelOptions['spec'], more: ModelOptions = {}) =>
  stage.apply(name, { path: `${stage.payloads}/model`, ...more, spec: { ...spec } });
const withToken = (name: string, tokenSecret: string) =>
  apply(name, { payload: { path: `${stage.payloads}/model`, tokenSecret } });
const volume = (source: object, mountPath: string) => ({
  volumes: [{ name: 'v', ...source }],
  volumeMounts: [{ name: 'v', mountPath }],
});
const variable = (source: object) => ({ env: [{ name: 'A', valueFrom: source }] });

describe.concurrent('what is missing is named', () => {
  it.each<[string, () => Promise<void>, string, RegExp]>([
    [
      'token-secret',
      () => withToken('token-secret', 'no-token'),
      'SecretMissing',
      /secret "no-token".*kubectl create secret/,
    ],
    ['token-key', () => withToken('token-key', 'there'), 'SecretMissing', /secret "there".*no key "token"/],
    [
      'env-secret',
      () => apply('env-secret', variable({ secretKeyRef: { name: 'nosuch', key: 'k' } })),
      'SecretMissing',
      /secret "nosuch"/,
    ],
    [
      'env-secret-key',
      () => apply('env-secret-key', variable({ secretKeyRef: { name: 'there', key: 'k' } })),
      'SecretMissing',
      /secret "there".*no key "k"/,
    ],
    [
      'env-config',
      () => apply('env-config', variable({ configMapKeyRef: { name: 'nosuch', key: 'k' } })),
      'ConfigMapMissing',
      /ConfigMap "nosuch"/,
    ],
    [
      'env-config-key',
      () => apply('env-config-key', variable({ configMapKeyRef: { name: 'there', key: 'k' } })),
      'ConfigMapMissing',
      /ConfigMap "there".*no key "k"/,
    ],
    ['account', () => apply('account', { serviceAccountName: 'nosuch' }), 'ServiceAccountMissing', /"nosuch"/],
    [
      'priority',
      () => apply('priority', { scheduling: { priorityClassName: 'nosuch' } }),
      'PriorityClassMissing',
      /"nosuch"/,
    ],
    [
      'pull-secret',
      () => apply('pull-secret', { image: 'localhost:1/no/such:image', imagePullSecrets: [{ name: 'no-login' }] }),
      'ImagePullFailed',
      /localhost:1\/no\/such:image.*no-login.*kubectl create secret docker-registry no-login/,
    ],
    ['image-name', () => apply('image-name', { image: 'UPPER/Case:1' }), 'ImagePullFailed', /UPPER\/Case:1/],
    ['shell', () => apply('shell', { image: shellless }), 'ImageUnusable', /no \/bin\/sh/],
    [
      'selector',
      () => apply('selector', { scheduling: { nodeSelector: { gpu: 'yes' } } }),
      'Unschedulable',
      /affinity\/selector.*--show-labels/,
    ],
    [
      'device',
      () => apply('device', { resources: { limits: { 'nvidia.com/gpu': '1' } } }),
      'Unschedulable',
      /nvidia\.com\/gpu/,
    ],
    ['host-network', () => apply('host-network', { advertise: 'Node' }), 'PodSecurityRefused', /restricted/],
    ['limit-range', () => apply('limit-range', {}, { memory: '5Gi' }), 'LimitRangeRefused', /4Gi.*describe limitrange/],
    [
      'webhook',
      () => apply('webhook', { podMetadata: { labels: { hooked: 'yes' } } }),
      'WebhookUnavailable',
      /away\.maas\.example/,
    ],
    ['runtime-class', () => apply('runtime-class', { runtimeClassName: 'nosuch' }), 'RuntimeClassMissing', /"nosuch"/],
    [
      'policy',
      () => apply('policy', { podMetadata: { labels: { policed: 'yes' } } }),
      'PolicyRefused',
      /no pods today/,
    ],
    [
      'unbound',
      () => apply('unbound', volume({ persistentVolumeClaim: { claimName: 'unbound' } }, '/v')),
      'VolumeNotReady',
      /kubectl describe pvc -n/,
    ],
    ['over-a-file', () => apply('over-a-file', volume({ emptyDir: {} }, '/etc/passwd')), 'ContainerRefused', /passwd/],
  ])('%s', async (name, begin, reason, message) => {
    await begin();
    await stage.reasonIs(name, reason, withinMs);
    // Which pull secret is missing is heard a moment after the image was not pulled.
    const words = async () =>
      (await stage.show(name)).status.conditions.find(({ type }) => type === 'Ready')?.message ?? '';
    await eventually(`${name} says ${message}`, async () => message.test(await words()), { withinMs, account: words });
    // The same in an event, for those who look there.
    await eventually(`an event of ${name}`, async () => {
      const selector = `involvedObject.name=${name},type=Warning,reason=${reason}`;
      return (await stage.k('get', 'events', '--field-selector', selector, '-o', 'name')) !== '';
    });
    await tellsWhy(stage, name);
  });
});

describe.concurrent('where nothing is missing', () => {
  it('a model that is stopped, and one whose script takes its time', async () => {
    await stage.payload('starting', script('echo loading weights\nexec sleep infinity'));
    await stage.apply('starting', {});
    await apply('stopped', {}, { instances: 0 });
    await stage.reasonIs('stopped', 'ScaledToZero', withinMs);
    await tellsWhy(stage, 'stopped');
    await stage.reasonIs('starting', 'WaitingForEndpoint', withinMs);
    await tellsWhy(stage, 'starting');
  });
});

describe.concurrent('what was missing and is there comes up', () => {
  it('a secret, as the message says', async () => {
    await withToken('later-token', 'later');
    const message = await stage.reasonIs('later-token', 'SecretMissing', withinMs);
    await stage.k('create', 'secret', 'generic', 'later', '--from-literal=token=notAsked');
    const command = /kubectl delete pod (\S+) -n (\S+)/.exec(message);
    await stage.kubectl('delete', 'pod', command?.[1] ?? '', '-n', command?.[2] ?? '', '--wait=false');
    await stage.serves('later-token', 1, 40_000);
  });

  it('a priority class, long after the pods were refused', async () => {
    const name = `${stage.release}-later`;
    await apply('later-priority', { scheduling: { priorityClassName: name } });
    await stage.reasonIs('later-priority', 'PriorityClassMissing', withinMs);
    // By itself the ReplicaSet controller would pause for minutes by now.
    const refusals = async () => {
      const selector = 'reason=FailedCreate';
      const list = z
        .object({ items: z.array(z.object({ involvedObject: z.object({ name: z.string() }), count: z.number() })) })
        .parse(JSON.parse(await stage.k('get', 'events', '--field-selector', selector, '-o', 'json')));
      const own = list.items.filter(({ involvedObject }) => involvedObject.name.startsWith('later-priority-'));
      return own.reduce((sum, { count }) => sum + count, 0);
    };
    await eventually('many attempts were refused', async () => (await refusals()) >= 15, { withinMs: 120_000 });
    await stage.kubectl('create', 'priorityclass', name, '--value=1');
    await stage.serves('later-priority', 1, 75_000);
  });
});
