/** For each finding at least one world in which it is found, and what it says; and a world in which nothing is. */
import { describe, expect, it } from 'vitest';
import { aRegistration, changed } from '../../../test/builders/registration.ts';
import { publishedSettings, wellFacts, wellNow, wellTree, zookeeperFacts } from '../../../test/builders/well-facts.ts';
import { MaasError } from '../../contracts/errors.ts';
import { encodePresence, presencesPath } from '../../contracts/presence.ts';
import { readModel } from '../cluster/model.ts';
import type { NameNodeState } from '../ports.ts';
import { check } from './check.ts';
import type { ClusterFacts, Facts, NameserviceFacts } from './facts.ts';
import { type FindingCode, findingCatalogue } from './finding-catalogue.ts';
import type { ReferenceFacts } from './gather-references.ts';

/** Their rows are in manifest/check-manifests.test.ts. */
const manifestCodes: readonly FindingCode[] = [
  'ManifestUnreadable',
  'ManifestInvalid',
  'ManifestFieldUnknown',
  'ManifestRefused',
  'NamespaceMissing',
  'NameTaken',
  'PayloadMissing',
  'PayloadUnusable',
  'ImageInvalid',
  'NoNodeFits',
];

type Spoil = (well: Facts) => Facts | Promise<Facts>;

interface Row {
  readonly what: string;
  readonly spoil: Spoil;
  readonly code: FindingCode;
  readonly subject: string;
  readonly evidence: string | RegExp;
}

const inTree =
  (change: (tree: ReturnType<typeof wellTree>) => unknown, configPath?: string): Spoil =>
  async (well) => {
    const tree = wellTree();
    change(tree);
    return { ...well, zookeeper: await zookeeperFacts(tree, configPath) };
  };
const inCluster =
  (change: Partial<ClusterFacts>): Spoil =>
  (well) => ({ ...well, cluster: { ...well.cluster, ...change } });
const withEndpoint =
  (host: string, touch: NonNullable<Facts['endpoints']>[number]['touch']): Spoil =>
  (well) => ({ ...well, endpoints: [{ host, port: 1500, paths: ['/maas/service/echo/1'], touch }] });
const node = (address: string, role: NameNodeState['role'], change: Partial<NameNodeState> = {}): NameNodeState => ({
  address,
  role,
  safeMode: undefined,
  problem: undefined,
  ...change,
});
const inHdfs =
  (nodes: readonly NameNodeState[], change: Partial<NameserviceFacts> = {}): Spoil =>
  (well) => ({
    ...well,
    hdfs: [
      {
        name: 'lake',
        reached: { known: true, value: undefined },
        nameNodes: { known: true, value: nodes },
        ...change,
      },
    ],
  });
const unknown = (code: ConstructorParameters<typeof MaasError>[0], message: string) =>
  ({ known: false, error: new MaasError(code, message) }) as const;

type SaidOperator = readonly [cluster: string, namespace: string, namespaces: readonly string[], queue?: string];
/** Operators that have led for an hour. */
function operators(tree: ReturnType<typeof wellTree>, ...all: readonly SaidOperator[]): void {
  for (const [at, [cluster, namespace, namespaces, queue]] of all.entries()) {
    const said = encodePresence({
      namespace,
      identity: `pod-${at}`,
      namespaces: [...namespaces],
      ...(queue === undefined ? {} : { queue }),
    });
    const path = `${presencesPath('/maas/operator', cluster)}/pod-${at}`;
    tree.put(path, said, { session: String(at + 1), createdAt: wellNow - 3_600_000 });
  }
}

/** A model that was made an hour ago, with these conditions. */
const withModel =
  (
    conditions: Readonly<Record<string, readonly [status: string, reason: string, message: string]>>,
    {
      status,
      generation = 1,
      references = [],
      version = '1.0',
    }: { version?: string; status?: object; generation?: number; references?: readonly ReferenceFacts[] } = {},
  ): Spoil =>
  (well) => {
    const created = new Date(wellNow - 3_600_000).toISOString();
    const model = readModel({
      metadata: {
        name: 'dga-1.0',
        namespace: 'lab',
        uid: 'u',
        resourceVersion: '1',
        generation,
        creationTimestamp: created,
      },
      spec: { name: 'dga', version, instances: 2 },
      status: status ?? {
        observedGeneration: 1,
        conditions: Object.entries(conditions).map(([type, [is, reason, message]]) => ({
          type,
          status: is,
          reason,
          message,
          lastTransitionTime: created,
        })),
      },
    });
    return { ...well, models: { known: true, value: [{ model, references }] } };
  };

const configPath = '/metron/maas/config';
const instance = '/maas/service/spam/1';
const registration = aRegistration({ model: 'spam', id: '1' });
const payload = (change: (it: Record<string, unknown>) => unknown) => changed(registration, (it) => change(it.payload));
const endpoint = (change: (it: Record<string, unknown>) => unknown) =>
  changed(registration, (it) => change(it.payload.endpoint));

/** What blinds every client, and the words for it. */
const unreadable: readonly (readonly [what: string, data: string, evidence: string])[] = [
  ['an unknown field', changed(registration, (it) => Object.assign(it, { enabled: true })), 'enabled is a field'],
  ['an unknown field in the payload', payload((it) => Object.assign(it, { zone: 'a' })), 'payload.zone is a field'],
  ['an unknown field in the endpoint', endpoint((it) => Object.assign(it, { weight: 1 })), 'payload.endpoint.weight'],
  ['no @class', payload((it) => delete it['@class']), 'payload.@class is missing'],
  ['another @class', payload((it) => Object.assign(it, { '@class': 'java.util.HashMap' })), 'payload.@class is not'],
  ['no payload', changed(registration, (it) => delete (it as Partial<typeof it>).payload), 'it has no payload'],
  ['a null payload', changed(registration, (it) => Object.assign(it, { payload: null })), 'payload is not an object'],
  ['no version', payload((it) => delete it['version']), 'payload.version is missing'],
  ['a null version', payload((it) => Object.assign(it, { version: null })), 'payload.version is missing'],
  ['no data', '', 'it has no data'],
  ['garbage', '10.0.0.1', 'it is not JSON'],
  ['null', 'null', 'it is not an object but null'],
  ['{}', '{}', 'it has no payload'],
  ['[]', '[]', 'it is not an object but an array'],
  ['half of it', payload(() => {}).slice(0, 200), 'it is not JSON'],
  [
    'a time as text',
    changed(registration, (it) => Object.assign(it, { registrationTimeUTC: 'now' })),
    'registrationTimeUTC',
  ],
  ['a type in lower case', changed(registration, (it) => Object.assign(it, { serviceType: 'static' })), 'serviceType'],
  [
    'DYNAMIC_SEQUENTIAL',
    changed(registration, (it) => Object.assign(it, { serviceType: 'DYNAMIC_SEQUENTIAL' })),
    'serviceType',
  ],
  ['an object as function', endpoint((it) => Object.assign(it, { functions: { apply: {} } })), 'functions.apply'],
];

const rows: readonly Row[] = [
  // What cannot be asked.
  {
    what: 'ZooKeeper is away',
    spoil: (well) => ({ ...well, zookeeper: unknown('ZOOKEEPER_UNREACHABLE', 'zk1: refused') }),
    code: 'ZooKeeperUnreachable',
    subject: 'zookeeper',
    evidence: 'zk1: refused',
  },
  {
    what: 'nothing says where ZooKeeper is',
    spoil: (well) => ({ ...well, zookeeper: undefined }),
    code: 'NotChecked',
    subject: 'zookeeper',
    evidence: /nothing that clients see was checked/,
  },
  {
    what: 'the API server is away',
    spoil: (well) => ({ ...well, settings: unknown('CLUSTER_UNREACHABLE', 'refused') }),
    code: 'ClusterUnreachable',
    subject: 'kubernetes',
    evidence: 'refused',
  },
  {
    what: 'nothing is published',
    spoil: (well) => ({ ...well, settings: unknown('SETTINGS_NOT_FOUND', 'does not exist') }),
    code: 'SettingsMissing',
    subject: 'maas-system/maas-operator-settings',
    evidence: 'does not exist',
  },
  {
    what: 'nonsense is published',
    spoil: (well) => ({ ...well, settings: unknown('SETTINGS_INVALID', 'not JSON') }),
    code: 'SettingsUnreadable',
    subject: 'maas-system/maas-operator-settings',
    evidence: 'not JSON',
  },
  {
    what: 'what is published may not be read',
    spoil: (well) => ({ ...well, settings: unknown('CLUSTER_FORBIDDEN', 'you may not') }),
    code: 'NotChecked',
    subject: 'maas-system/maas-operator-settings',
    evidence: 'you may not',
  },

  // What clients see.
  {
    what: 'an empty configuration node',
    spoil: inTree((tree) => tree.put(configPath, '')),
    code: 'ConfigurationUnreadable',
    subject: configPath,
    evidence: /exists but is empty/,
  },
  {
    what: 'a configuration node with an unknown field',
    spoil: inTree((tree) => tree.put(configPath, '{"zone":"a"}')),
    code: 'ConfigurationUnreadable',
    subject: configPath,
    evidence: /a field that clients do not know: "zone"/,
  },
  {
    what: 'a configuration node that is null',
    spoil: inTree((tree) => tree.put(configPath, 'null')),
    code: 'ConfigurationUnreadable',
    subject: configPath,
    evidence: /is not a JSON object but null/,
  },
  {
    what: 'a service root that ends in a slash',
    spoil: inTree((tree) => tree.put(configPath, '{"serviceRoot":"/maas/service/"}')),
    code: 'ConfigurationUnreadable',
    subject: configPath,
    evidence: /ends in a slash/,
  },
  {
    what: 'a configuration node that may not be read',
    spoil: inTree((tree) => tree.put(configPath, '{}', { hidden: true })),
    code: 'ConfigurationUnreadable',
    subject: configPath,
    evidence: /not permitted/,
  },
  {
    what: 'another node configured here, with another root',
    spoil: inTree((tree) => tree.put('/other/config', '{"serviceRoot":"/other"}'), '/other/config'),
    code: 'ConfigurationElsewhere',
    subject: '/other/config',
    evidence: 'it says /other, and /metron/maas/config, which Stellar reads, says /maas/service',
  },
  {
    what: 'no node where one is configured',
    spoil: inTree(() => {}, '/other/config'),
    code: 'ConfigurationMissing',
    subject: '/other/config',
    evidence: 'the node does not exist',
  },
  {
    what: 'no service root',
    spoil: inTree((tree) => tree.put(configPath, '{"serviceRoot":"/elsewhere"}')),
    code: 'ServiceRootMissing',
    subject: '/elsewhere',
    evidence: 'the node does not exist',
  },
  {
    what: 'a service root that may not be listed',
    spoil: inTree((tree) => tree.put('/maas/service', '', { hidden: true })),
    code: 'ServiceRootHidden',
    subject: '/maas/service',
    evidence: /not permitted/,
  },
  ...unreadable.map(
    ([what, data, evidence]): Row => ({
      what: `a registration with ${what}`,
      spoil: inTree((tree) => tree.put(instance, data)),
      code: 'RegistrationUnreadable',
      subject: instance,
      evidence: new RegExp(evidence.replaceAll(/[.[\]{}]/g, '\\$&')),
    }),
  ),
  {
    what: 'a directory where an instance is expected',
    spoil: inTree((tree) =>
      tree.put(
        '/maas/service/a/b/1',
        changed(registration, () => {}),
      ),
    ),
    code: 'RegistrationUnreadable',
    subject: '/maas/service/a/b',
    evidence: /it is a directory with 1 node\(s\) below it/,
  },
  {
    what: 'a registration that may not be read',
    spoil: inTree((tree) =>
      tree.put(
        instance,
        changed(registration, () => {}),
        { hidden: true },
      ),
    ),
    code: 'RegistrationHidden',
    subject: instance,
    evidence: /not permitted/,
  },
  {
    what: "a model's directory that may not be listed",
    spoil: inTree((tree) => tree.put('/maas/service/spam', '', { hidden: true })),
    code: 'RegistrationHidden',
    subject: '/maas/service/spam',
    evidence: /not permitted/,
  },
  {
    what: 'a registration without an endpoint',
    spoil: inTree((tree) =>
      tree.put(
        instance,
        payload((it) => Object.assign(it, { endpoint: null })),
      ),
    ),
    code: 'RegistrationUnusable',
    subject: instance,
    evidence: /payload\.endpoint is missing/,
  },
  {
    what: 'two hundred registrations',
    spoil: inTree((tree) => {
      for (let id = 1; id < 200; id += 1) tree.register({ id: String(id) });
    }),
    code: 'RegistrationsMany',
    subject: '/maas/service',
    evidence: '200 registrations',
  },
  {
    what: 'a version that sorts below an older one',
    spoil: inTree((tree) => tree.register({ id: '9', version: '1.9' }).register({ id: '10', version: '1.10' })),
    code: 'VersionOutranked',
    subject: 'model dga',
    evidence: /no version get "1\.9", not "1\.10".*; 1\.10 is registered too/,
  },
  {
    what: 'a deployed version that sorts below one that is registered',
    spoil: async (well) =>
      withModel(
        { Ready: ['True', 'Serving', ''] },
        { version: 'v10' },
      )(await inTree((tree) => tree.register({ version: 'v9' }))(well)),
    code: 'VersionOutranked',
    subject: 'model dga',
    evidence: /no version get "v9", not "v10".*; v10 is deployed/,
  },
  {
    what: 'nobody at an address',
    spoil: withEndpoint('node7', { outcome: 'refused', problem: 'connect ECONNREFUSED' }),
    code: 'EndpointDead',
    subject: 'node7:1500',
    evidence: 'registered at /maas/service/echo/1; connect ECONNREFUSED',
  },
  {
    what: 'an address of everybody',
    spoil: withEndpoint('127.0.0.1', undefined),
    code: 'EndpointLocal',
    subject: '127.0.0.1:1500',
    evidence: /the machine of whoever calls it/,
  },
  {
    what: 'a name that is not known here',
    spoil: withEndpoint('node7', { outcome: 'unresolved', problem: 'getaddrinfo ENOTFOUND node7' }),
    code: 'EndpointUnresolved',
    subject: 'node7:1500',
    evidence: /ENOTFOUND/,
  },
  {
    what: 'an address that does not answer here',
    spoil: withEndpoint('fd00::7', { outcome: 'unreachable', problem: 'no connection within 2000 ms' }),
    code: 'EndpointUnreachable',
    subject: '[fd00::7]:1500',
    evidence: /no connection within 2000 ms/,
  },
  {
    what: 'a queue without a path',
    spoil: inTree((tree) => tree.put(configPath, '{"queueConfig":{}}')),
    code: 'QueuePathUnusable',
    subject: configPath,
    evidence: /no zk_path/,
  },
  {
    what: 'a queue that may not be listed',
    spoil: inTree((tree) => tree.put('/maas/queue', '', { hidden: true })),
    code: 'QueueHidden',
    subject: '/maas/queue',
    evidence: /not permitted/,
  },
  {
    what: 'an old request',
    spoil: inTree((tree) => tree.request(7, 'null', wellNow - 3_600_000).request(8, 'null', wellNow)),
    code: 'QueueNotDrained',
    subject: '/maas/queue',
    evidence: '2 requests, the oldest is qn-0000000007, there for 60m',
  },
  {
    what: 'a request that just came, by a clock that is ahead',
    spoil: inTree((tree) => tree.request(7, 'null', wellNow + 5_000)),
    code: 'QueueWaiting',
    subject: '/maas/queue',
    evidence: '1 request, the oldest is qn-0000000007, there for 0s',
  },
  {
    what: 'a request that cannot be read',
    spoil: inTree((tree) => tree.request(7, '{"nam', wellNow)),
    code: 'QueueRequestUnusable',
    subject: '/maas/queue/qn-0000000007',
    evidence: /^it is not JSON/,
  },

  // What is behind it.
  {
    what: 'no CRD',
    spoil: inCluster({ crd: { known: true, value: undefined } }),
    code: 'CrdMissing',
    subject: 'crd/modeldeployments.maas.dev',
    evidence: 'there is no modeldeployments.maas.dev',
  },
  {
    what: 'a CRD of another version',
    spoil: inCluster({
      crd: {
        known: true,
        value: {
          versions: [
            { name: 'v2', served: true },
            { name: 'v1', served: false },
          ],
          established: true,
          specFields: [],
        },
      },
    }),
    code: 'CrdNotServed',
    subject: 'crd/modeldeployments.maas.dev',
    evidence: 'v1 is not served; served: v2',
  },
  {
    what: 'a CRD that is not established',
    spoil: (well) => withCrd(well, { established: false }),
    code: 'CrdNotServed',
    subject: 'crd/modeldeployments.maas.dev',
    evidence: 'the CRD is not established',
  },
  {
    what: 'a CRD from before a field',
    spoil: (well) => withCrd(well, (fields) => fields.filter((field) => field !== 'payload.tokenSecret')),
    code: 'CrdOlder',
    subject: 'crd/modeldeployments.maas.dev',
    evidence: 'missing: spec.payload.tokenSecret',
  },
  {
    what: 'a CRD that may not be read',
    spoil: inCluster({ crd: unknown('CLUSTER_FORBIDDEN', 'you may not') }),
    code: 'NotChecked',
    subject: 'crd/modeldeployments.maas.dev',
    evidence: 'you may not',
  },
  {
    what: 'no operator',
    spoil: inCluster({ operators: { known: true, value: [] } }),
    code: 'OperatorMissing',
    subject: 'namespace maas-system',
    evidence: /no Deployment/,
  },
  {
    what: 'an operator that does not run',
    spoil: inCluster({ operators: { known: true, value: [{ name: 'op', wanted: 1, ready: 0, serviceAccount: 'a' }] } }),
    code: 'OperatorNotRunning',
    subject: 'deployment maas-system/op',
    evidence: '0 of 1 pods are ready',
  },
  {
    what: 'an operator that was scaled to nothing',
    spoil: inCluster({ operators: { known: true, value: [{ name: 'op', wanted: 0, ready: 0, serviceAccount: 'a' }] } }),
    code: 'OperatorNotRunning',
    subject: 'deployment maas-system/op',
    evidence: '0 of 0 pods are ready',
  },
  {
    what: 'half an operator',
    spoil: inCluster({ operators: { known: true, value: [{ name: 'op', wanted: 2, ready: 1, serviceAccount: 'a' }] } }),
    code: 'OperatorDegraded',
    subject: 'deployment maas-system/op',
    evidence: '1 of 2 pods are ready',
  },
  {
    what: 'no lease',
    spoil: inCluster({ lease: { known: true, value: undefined } }),
    code: 'OperatorNotLeading',
    subject: 'lease maas-system/maas-operator',
    evidence: 'no replica has ever led',
  },
  {
    what: 'a lease that was given back',
    spoil: inCluster({ lease: { known: true, value: { holder: undefined, renewedAt: wellNow, durationMs: 15_000 } } }),
    code: 'OperatorNotLeading',
    subject: 'lease maas-system/maas-operator',
    evidence: /gave the lease back/,
  },
  {
    what: 'a lease that ran out',
    spoil: inCluster({
      lease: { known: true, value: { holder: 'one', renewedAt: wellNow - 60_000, durationMs: 15_000 } },
    }),
    code: 'OperatorNotLeading',
    subject: 'lease maas-system/maas-operator',
    evidence: 'one last renewed it 60s ago, and it holds for 15s',
  },
  {
    what: 'an operator that may not do all',
    spoil: inCluster({
      operatorMay: {
        known: true,
        value: ['get', 'list', 'watch'].map((verb) => ({
          verb,
          resource: 'pods',
          namespace: 'fraud',
          allowed: verb === 'get',
          why: 'What became of the instances.',
        })),
      },
    }),
    code: 'OperatorPermissionMissing',
    subject: 'pods',
    evidence: 'the operator may not list, watch pods in namespace fraud: What became of the instances.',
  },
  {
    what: 'a caller who may not ask about others',
    spoil: inCluster({ operatorMay: unknown('CLUSTER_FORBIDDEN', 'you may not') }),
    code: 'NotChecked',
    subject: "the operator's permissions",
    evidence: 'you may not',
  },
  {
    what: 'a caller who may only look',
    spoil: inCluster({
      callerMay: {
        known: true,
        value: [
          { verb: 'create', resource: 'modeldeployments.maas.dev', namespace: undefined, allowed: false, why: 'add' },
        ],
      },
    }),
    code: 'CallerPermissionMissing',
    subject: 'modeldeployments.maas.dev',
    evidence: 'you may not create modeldeployments.maas.dev in the whole cluster: add',
  },
  {
    what: 'HDFS that is away',
    spoil: inHdfs([node('http://nn1:9870', 'unreachable', { problem: 'refused' })], {
      reached: unknown('HDFS_UNREACHABLE', 'no name node serves'),
    }),
    code: 'HdfsUnreachable',
    subject: 'hdfs lake',
    evidence: 'no name node serves',
  },
  {
    what: 'a name node that is away',
    spoil: inHdfs([node('http://nn1:9870', 'active'), node('http://nn2:9870', 'unreachable', { problem: 'refused' })]),
    code: 'NameNodeUnreachable',
    subject: 'http://nn2:9870',
    evidence: 'refused',
  },
  {
    what: 'nobody but standbys',
    spoil: inHdfs([node('http://nn1:9870', 'standby'), node('http://nn2:9870', 'unreachable')], {
      reached: unknown('HDFS_UNAVAILABLE', 'standby'),
    }),
    code: 'NameNodesNoneActive',
    subject: 'hdfs lake',
    evidence: 'http://nn1:9870 is standby; http://nn2:9870 is unreachable',
  },
  {
    what: 'two that are active',
    spoil: inHdfs([node('http://nn1:9870', 'active'), node('http://nn2:9870', 'active')]),
    code: 'NameNodesSeveralActive',
    subject: 'hdfs lake',
    evidence: 'http://nn1:9870 is active; http://nn2:9870 is active',
  },
  {
    what: 'safe mode',
    spoil: inHdfs([node('http://nn1:9870', 'active', { safeMode: true }), node('http://nn2:9870', 'standby')]),
    code: 'NameNodeSafeMode',
    subject: 'http://nn1:9870',
    evidence: /safe mode/,
  },
  {
    what: 'a name node that says neither',
    spoil: inHdfs([node('http://nn1:9870', 'unknown', { problem: 'status 401' })]),
    code: 'NotChecked',
    subject: 'http://nn1:9870',
    evidence: 'status 401',
  },
  {
    what: 'two clusters with one id',
    spoil: inTree((tree) => operators(tree, ['here', 'maas-system', []], ['here', 'maas-system', []])),
    code: 'ClusterIdTwice',
    subject: 'cluster id here',
    evidence: /both lead in a namespace maas-system/,
  },
  {
    what: 'two releases with one cluster id',
    spoil: inTree((tree) => operators(tree, ['here', 'maas-a', ['a']], ['here', 'maas-b', ['b']])),
    code: 'ClusterIdShared',
    subject: 'cluster id here',
    evidence: 'operator maas-a of cluster here and operator maas-b of cluster here have it',
  },
  {
    what: 'two releases that serve one namespace',
    spoil: inTree((tree) => operators(tree, ['here', 'maas-a', []], ['here', 'maas-b', ['b']])),
    code: 'NamespacesOverlap',
    subject: 'operator maas-a of cluster here and operator maas-b of cluster here',
    evidence: 'both serve b',
  },
  {
    what: 'two operators that take from one queue',
    spoil: inTree((tree) => operators(tree, ['here', 'maas-a', [], '/c'], ['there', 'maas-a', [], '/c'])),
    code: 'QueueShared',
    subject: 'operator maas-a of cluster here and operator maas-a of cluster there',
    evidence: 'both take requests off the queue that /c names',
  },
  {
    what: 'a model that somebody has to correct',
    spoil: withModel({
      Ready: ['False', 'NameOwned', 'fraud owns it'],
      Stalled: ['True', 'NameOwned', 'fraud owns it'],
    }),
    code: 'ModelStalled',
    subject: 'modeldeployment lab/dga-1.0',
    evidence: 'NameOwned: fraud owns it',
  },
  {
    what: 'a model that fails',
    spoil: withModel({ Ready: ['False', 'OutOfMemory', '0 of 2 registered; p1: killed'] }),
    code: 'ModelFailing',
    subject: 'modeldeployment lab/dga-1.0',
    evidence: 'not up for 60m; OutOfMemory: 0 of 2 registered; p1: killed',
  },
  {
    what: 'a model that starts for ever',
    spoil: withModel({ Ready: ['False', 'WaitingForEndpoint', '0 of 2 registered'] }),
    code: 'ModelStuck',
    subject: 'modeldeployment lab/dga-1.0',
    evidence: 'not up for 60m; WaitingForEndpoint: 0 of 2 registered',
  },
  {
    what: 'a model that somebody paused',
    spoil: withModel({
      Ready: ['True', 'Serving', ''],
      Reconciling: ['False', 'Paused', 'paused by spec.paused (held back: the spec changed)'],
    }),
    code: 'ModelPaused',
    subject: 'modeldeployment lab/dga-1.0',
    evidence: 'nothing has been changed for 60m; Paused: paused by spec.paused (held back: the spec changed)',
  },
  {
    what: 'what is left of a model that was deleted without it',
    spoil: (well) => ({
      ...well,
      leftovers: {
        known: true,
        value: [
          { namespace: 'lab', name: 'dga-1', owner: 'u1' },
          { namespace: 'lab', name: 'dga-2', owner: 'u1' },
        ],
      },
    }),
    code: 'ModelOrphaned',
    subject: 'namespace lab',
    evidence: '2 pinned payloads of the ModelDeployment with the UID u1, which is gone: dga-1, dga-2',
  },
  {
    what: 'a model that no operator has looked at',
    spoil: withModel({}, { status: {} }),
    code: 'ModelNotSeen',
    subject: 'modeldeployment lab/dga-1.0',
    evidence: 'made 60m ago, and no operator has written a status',
  },
  {
    what: 'a change that no operator has looked at',
    spoil: withModel({ Ready: ['True', 'Serving', ''] }, { generation: 3 }),
    code: 'ModelNotSeen',
    subject: 'modeldeployment lab/dga-1.0',
    evidence: 'the status is of generation 1, and the spec of 3',
  },
  {
    what: 'models in a namespace that is not served',
    spoil: async (well) => {
      const spoilt = await withModel({}, { status: {} })(well);
      const settings = { ...publishedSettings, namespaces: ['fraud', 'dns'] };
      return { ...spoilt, settings: { known: true, value: settings } };
    },
    code: 'NamespaceNotServed',
    subject: 'namespace lab',
    evidence: '1 model that no operator has looked at: dga-1.0; the operator serves fraud, dns',
  },
  {
    what: 'a secret that is gone while the model serves',
    spoil: withModel(
      { Ready: ['True', 'Serving', ''] },
      {
        references: [
          {
            kind: 'Secret',
            namespace: 'lab',
            name: 'token',
            keys: ['token'],
            field: 'payload.tokenSecret',
            found: { known: true, value: undefined },
          },
        ],
      },
    ),
    code: 'ReferenceMissing',
    subject: 'modeldeployment lab/dga-1.0',
    evidence: 'spec.payload.tokenSecret: there is no Secret token in namespace lab',
  },
  {
    what: 'a secret without the key',
    spoil: withModel(
      { Ready: ['True', 'Serving', ''] },
      {
        references: [
          {
            kind: 'Secret',
            namespace: 'lab',
            name: 'db',
            keys: ['password'],
            field: 'env PASSWORD',
            found: { known: true, value: ['user'] },
          },
        ],
      },
    ),
    code: 'ReferenceMissing',
    subject: 'modeldeployment lab/dga-1.0',
    evidence: 'spec.env PASSWORD: Secret db in namespace lab has no key password',
  },
];

function withCrd(
  well: Facts,
  change: { established: boolean } | ((fields: readonly string[]) => readonly string[]),
): Facts {
  const { crd } = well.cluster;
  if (!crd.known || crd.value === undefined) throw new Error('the CRD is known where all is well');
  const value =
    typeof change === 'function'
      ? { ...crd.value, specFields: change(crd.value.specFields) }
      : { ...crd.value, ...change };
  return { ...well, cluster: { ...well.cluster, crd: { known: true, value } } };
}

function withoutPromise(facts: Facts | Promise<Facts>): Facts {
  if (facts instanceof Promise) throw new Error('this one is made at once');
  return facts;
}

describe('check', () => {
  it('finds nothing where all is well', async () => {
    expect(check(await wellFacts())).toEqual([]);
  });

  it.each(rows)('finds $code: $what', async ({ spoil, code, subject, evidence }) => {
    const found = check(await spoil(await wellFacts()));
    const { severity } = findingCatalogue[code];
    const matching = found.filter((each) => each.code === code && each.subject === subject);
    expect({ found, matching }).toMatchObject({
      matching: [
        {
          code,
          severity,
          subject,
          evidence: typeof evidence === 'string' ? evidence : expect.stringMatching(evidence),
          cure: expect.stringMatching(/^[A-Z].*\.$/s),
        },
      ],
    });
    // One cause, one finding: nothing else is wrong in these worlds that is worse.
    const rank = { error: 2, warning: 1, info: 0 };
    const others = found.filter((each) => each !== matching[0] && each.code !== code);
    for (const other of others) expect(rank[other.severity]).toBeLessThanOrEqual(rank[severity]);
  });

  it('has a row for everything in the catalogue but what manifests are checked for', () => {
    const codes = [...rows.map(({ code }) => code), ...manifestCodes];
    expect([...new Set(codes)].sort()).toEqual(Object.keys(findingCatalogue).sort());
  });

  it('tells once that the API server is away, however much could not be asked', async () => {
    const away = unknown('CLUSTER_UNREACHABLE', 'refused');
    const well = await wellFacts();
    const found = check({
      ...well,
      settings: away,
      zookeeper: undefined,
      hdfs: [],
      models: away,
      cluster: { namespace: 'maas', crd: away, operators: away, lease: away, operatorMay: away, callerMay: away },
    });
    expect(found.map(({ code }) => code)).toEqual(['ClusterUnreachable', 'NotChecked']);
  });

  it('goes on with the defaults where the configuration node cannot be read', async () => {
    const tree = wellTree().put(configPath, '').put(instance, 'garbage');
    const found = check({ ...(await wellFacts()), zookeeper: await zookeeperFacts(tree) });
    expect(found.map(({ code }) => code)).toEqual(['ConfigurationUnreadable', 'RegistrationUnreadable']);
  });

  it('puts the worst first', async () => {
    const tree = wellTree()
      .put(instance, 'garbage')
      .put('/maas/service/spam/0', 'garbage')
      .register({ id: '9', version: '1.9' })
      .register({ id: '10', version: '1.10' })
      .request(1, 'null', wellNow);
    const found = check({ ...(await wellFacts()), zookeeper: await zookeeperFacts(tree) });
    expect(found.map(({ code, subject }) => `${code} ${subject}`)).toEqual([
      'RegistrationUnreadable /maas/service/spam/0',
      'RegistrationUnreadable /maas/service/spam/1',
      'VersionOutranked model dga',
      'QueueWaiting /maas/queue',
    ]);
  });

  it.each<[string, Spoil]>([
    ['serves', withModel({ Ready: ['True', 'Serving', ''] })],
    ['only looks', withModel({ Ready: ['False', 'Observed', ''] })],
    [
      'is looked after by another operator',
      (well) => ({
        ...withoutPromise(withModel({ Ready: ['True', 'Serving', ''] })(well)),
        settings: { known: true, value: { ...publishedSettings, namespaces: ['fraud'] } },
      }),
    ],
    [
      'has only just failed',
      (well) => ({
        ...withoutPromise(withModel({ Ready: ['False', 'ScriptEnded', ''] })(well)),
        now: wellNow - 3_590_000,
      }),
    ],
    [
      'has only just been made',
      (well) => ({ ...withoutPromise(withModel({}, { status: {} })(well)), now: wellNow - 3_590_000 }),
    ],
  ])('finds nothing wrong with a model that %s', async (_what, spoil) => {
    const found = check(await spoil(await wellFacts()));
    expect(found.filter(({ subject }) => subject.includes('dga-1.0'))).toEqual([]);
  });

  it('finds nothing wrong with operators that keep apart, nor with a leader and its successor', async () => {
    const apart = wellTree();
    operators(apart, ['here', 'maas-system', []], ['there', 'maas-system', []]);
    expect(check({ ...(await wellFacts()), zookeeper: await zookeeperFacts(apart) })).toEqual([]);
    const successor = wellTree();
    operators(successor, ['here', 'maas-system', []], ['here', 'maas-system', []]);
    const just = { ...(await wellFacts()), zookeeper: await zookeeperFacts(successor), now: wellNow - 3_590_000 };
    expect(check(just).filter(({ code }) => code === 'ClusterIdTwice')).toEqual([]);
  });

  it('finds no version outranked where the newest is served, or nobody can say which is newer', async () => {
    const tree = wellTree()
      .register({ id: '9', version: '1.09' })
      .register({ id: '10', version: '1.10' })
      .register({ model: 'spam', id: '1', version: 'blue' })
      .register({ model: 'spam', id: '2', version: 'green' });
    expect(check({ ...(await wellFacts()), zookeeper: await zookeeperFacts(tree) })).toEqual([]);
  });
});

describe('the catalogue', () => {
  it('says what a finding means and what cures it, in whole sentences', () => {
    for (const [code, { means, cure }] of Object.entries(findingCatalogue)) {
      expect(code).toMatch(/^[A-Z][a-z]+([A-Z][a-z]+)*$/);
      expect([code, means]).toEqual([code, expect.stringMatching(/^[A-Z].*\.$/)]);
      expect([code, cure]).toEqual([code, expect.stringMatching(/^[A-Z].*\.$/)]);
    }
  });
});
