/** The chart's values become the settings that the operator reads; neither knows anything that the other does not. */
import { describe, expect, it } from 'vitest';
import {
  type OperatorSettings,
  operatorSettings,
  settingsConfigMap,
  settingsKey,
} from '../../src/contracts/settings.ts';
import { minimalValues, namespace, one, type Rendered, refusal, render } from './helm.ts';

function settingsOf(objects: readonly Rendered[]): unknown {
  const data = one(objects, 'ConfigMap', settingsConfigMap)['data'] as Record<string, string>;
  expect(Object.keys(data)).toEqual([settingsKey]);
  return JSON.parse(data[settingsKey] ?? '');
}

describe('the settings that the chart renders', () => {
  it('have the defaults of the schema', () => {
    const rendered = settingsOf(render());
    const { zookeeper, hdfs } = minimalValues;
    const image = 'maas-operator:0.1.0';
    expect(rendered).toEqual(
      operatorSettings.parse({ zookeeper, hdfs, agent: { image }, model: { image: 'maas-runtime:0.1.0' } }),
    );
  });

  it('carry every setting that there is', () => {
    const wanted: OperatorSettings = {
      zookeeper: {
        quorum: '[fd00::1]:2181,zk2:2181/hadoop',
        configPath: '/elsewhere/config',
        operatorRoot: '/elsewhere/operator',
        sessionTimeoutMs: 30_000,
      },
      hdfs: {
        nameservices: {
          lake: { webhdfs: ['https://nn1:9871', 'https://nn2:9871'], authorities: ['nn1:8020', 'nn2:8020'] },
          archive: { webhdfs: ['http://old:50070'], authorities: [] },
        },
        defaultNameservice: 'lake',
        user: 'metron',
      },
      clusterId: 'east-1',
      namespaces: ['fraud', 'dns'],
      agent: {
        image: 'registry.example/maas/operator:2.0',
        imagePullPolicy: 'Always',
        resources: { requests: { cpu: '1', memory: '1Gi' }, limits: {} },
      },
      model: {
        image: `registry.example/maas/runtime@sha256:${'0'.repeat(64)}`,
        imagePullPolicy: 'Never',
        imagePullSecrets: ['registry'],
        runAsUser: null,
        readOnlyRootFilesystem: true,
        env: { LEVEL: 'high', QUOTED: 'a "b" {{ c }}\nd' },
        cpu: '250m',
        disk: null,
        resources: { requests: { 'example.com/licence': '1' }, limits: { cpu: '2' } },
        podLabels: { team: 'fraud' },
        podAnnotations: { 'karpenter.sh/do-not-disrupt': 'true' },
        disruptionBudget: { maxUnavailable: '25%' },
      },
      scheduling: {
        queue: 'analytics',
        queueAs: 'YuniKorn',
        queueNames: { analytics: 'root.analytics' },
        nodeLabelExpression: 'gpu && !(spot || old)',
        nodeLabelPrefix: 'yarn.example/',
      },
      payloadRoot: '/models',
      payloadCheckMs: 3_600_000,
      payloadStore: { root: '/store', removeAfterMs: 86_400_000 },
      payloadCache: { url: `http://maas-operator-cache.${namespace}.svc:8090`, withTokens: true },
      legacy: {
        cpu: '20m',
        readFrom: 'Path',
        queue: {
          enabled: true,
          namespace: 'fraud',
          namespaces: [{ prefix: 'dns-', namespace: 'dns' }],
          models: ['dga', 'dns-*'],
          forwardTo: '/maas/queue-yarn',
          memory: { incrementMb: 1_024, maximumMb: 16_384 },
        },
      },
    };
    const rendered = settingsOf(
      render({
        zookeeper: wanted.zookeeper,
        hdfs: wanted.hdfs,
        clusterId: wanted.clusterId,
        namespaces: wanted.namespaces,
        image: { repository: 'registry.example/maas/operator', tag: '2.0', pullPolicy: 'Always' },
        agent: { resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: null } } },
        model: {
          image: {
            repository: 'registry.example/maas/runtime',
            digest: `sha256:${'0'.repeat(64)}`,
            pullPolicy: 'Never',
          },
          imagePullSecrets: [{ name: 'registry' }],
          runAsUser: null,
          readOnlyRootFilesystem: true,
          env: wanted.model.env,
          cpu: wanted.model.cpu,
          disk: null,
          resources: wanted.model.resources,
          podLabels: wanted.model.podLabels,
          podAnnotations: { ...wanted.model.podAnnotations, 'cluster-autoscaler.kubernetes.io/safe-to-evict': null },
          disruptionBudget: wanted.model.disruptionBudget,
        },
        scheduling: wanted.scheduling,
        payloadRoot: wanted.payloadRoot,
        payloadCheckMs: wanted.payloadCheckMs,
        payloadStore: wanted.payloadStore,
        payloadCache: { enabled: true, withTokens: true },
        legacy: wanted.legacy,
      }),
    );
    expect(rendered).toEqual(wanted);
    expect(operatorSettings.parse(rendered)).toEqual(wanted);
    expect(
      Object.keys(wanted).sort(),
      'this test leaves a setting out: add it above and give it a value in the chart',
    ).toEqual(Object.keys(operatorSettings.shape).sort());
  });

  it('roll the operator when they change, and only then', () => {
    const checksum = (values: object) => {
      const spec = one(render(values), 'Deployment', 'maas-operator')['spec'] as {
        template: { metadata: { annotations: Record<string, string> } };
      };
      return spec.template.metadata.annotations['maas.dev/settings-checksum'];
    };
    const before = checksum({});
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    expect(checksum({ payloadCheckMs: 5_000 })).not.toBe(before);
    expect(checksum({ metrics: { port: 9_090 } })).toBe(before);
  });
});

describe('values that are refused', () => {
  const nameservices = minimalValues.hdfs.nameservices;
  it.each<[string, object, RegExp]>([
    ['no quorum', { hdfs: minimalValues.hdfs }, /zookeeper\.quorum is not set.*--set zookeeper\.quorum/s],
    ['no nameservice', { zookeeper: minimalValues.zookeeper }, /hdfs\.nameservices is empty/],
    [
      'two nameservices and no default',
      { ...minimalValues, hdfs: { nameservices: { ...nameservices, other: { webhdfs: ['http://x:9870'] } } } },
      /several entries \(lake, other\): set hdfs\.defaultNameservice/,
    ],
    [
      'a default that is none of them',
      { ...minimalValues, hdfs: { nameservices, defaultNameservice: 'lak' } },
      /"lak", but hdfs\.nameservices has only: lake/,
    ],
    ['a mistyped section', { ...minimalValues, zookeper: {} }, /additional properties 'zookeper' not allowed/],
    [
      'a mistyped setting',
      { ...minimalValues, hdfs: { nameservices, usr: 'x' } },
      /'\/hdfs'.*additional properties 'usr' not allowed/,
    ],
    [
      'a mistyped nameservice',
      { ...minimalValues, hdfs: { nameservices: { lake: { webHdfs: ['http://x:9870'] } } } },
      /'\/hdfs\/nameservices\/lake'.*missing property 'webhdfs'/s,
    ],
    [
      'an address that is not WebHDFS',
      { ...minimalValues, hdfs: { nameservices: { lake: { webhdfs: ['hdfs://x:8020'] } } } },
      /webhdfs\/0/,
    ],
    ['a list as an environment value', { ...minimalValues, model: { env: { LEVEL: [3] } } }, /env\/LEVEL.*got array/],
    ['a truth as text', { ...minimalValues, metrics: { service: 'false' } }, /metrics\/service.*got string/],
    [
      'a tag that lost its last zero',
      { ...minimalValues, image: { tag: 1.1 } },
      /image\.tag is the number 1\.1.*put it in quotes/,
    ],
    [
      'a budget that would hold up every drain',
      { ...minimalValues, model: { disruptionBudget: { maxUnavailable: 0 } } },
      /maxUnavailable/,
    ],
    ['a quorum with a space', { ...minimalValues, zookeeper: { quorum: 'zk1:2181, zk2:2181' } }, /quorum/],
    [
      'a session timeout in seconds',
      { ...minimalValues, zookeeper: { quorum: 'z:1', sessionTimeoutMs: 10 } },
      /minimum/,
    ],
    ['a store of one nameservice', { ...minimalValues, payloadStore: { root: 'hdfs://lake/s' } }, /payloadStore\/root/],
    ['a namespace that cannot be one', { ...minimalValues, namespaces: ['Fraud'] }, /namespaces\/0/],
    ['a queue that no label can hold', { ...minimalValues, scheduling: { queue: 'a b' } }, /scheduling\/queue/],
    [
      'a node label with a value',
      { ...minimalValues, scheduling: { nodeLabelExpression: 'zone=east' } },
      /nodeLabelExpression/,
    ],
    [
      'a queue without a namespace',
      { ...minimalValues, legacy: { queue: { enabled: true } } },
      /legacy\.queue\.namespace is not set/,
    ],
    [
      'a queue of some models without another for the rest',
      { ...minimalValues, legacy: { queue: { enabled: true, namespace: 'fraud', models: ['dga'] } } },
      /legacy\.queue\.forwardTo is not set/,
    ],
    [
      'a queue for a namespace that is not watched',
      { ...minimalValues, namespaces: ['fraud'], legacy: { queue: { enabled: true, namespace: 'dns' } } },
      /"dns", which is not among the watched namespaces \(fraud\)/,
    ],
    [
      'a policy for a namespace that is not watched',
      { ...minimalValues, namespaces: ['fraud'], networkPolicy: { enabled: true, modelNamespaces: ['dns'] } },
      /"dns", which is not among the watched namespaces \(fraud\)/,
    ],
  ])('%s', (_what, values, message) => {
    expect(refusal(values)).toMatch(message);
  });
});
