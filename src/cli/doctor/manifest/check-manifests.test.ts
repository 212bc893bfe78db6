/** `doctor -f`: for each thing that may be wrong with a manifest one that has it, and one with nothing wrong. */
import { describe, expect, it } from 'vitest';
import { cliPorts, type Looking } from '../../../../test/builders/cli-ports.ts';
import { typed } from '../../../../test/builders/command-line.ts';
import { keyOf, ModelStore } from '../../../../test/builders/model-store.ts';
import { publishedSettings } from '../../../../test/builders/well-facts.ts';
import { MaasError } from '../../../contracts/errors.ts';
import type { Cluster, ClusterInspector, HdfsInspector } from '../../ports.ts';
import { readManifests } from './read-manifests.ts';

const inspector: ClusterInspector = {
  crd: async () => undefined,
  clusterUid: async () => 'here',
  operators: async () => [],
  lease: async () => undefined,
  can: async () => true,
  pins: async () => [],
  keysOf: async (kind, _namespace, name) => (name === 'gone' ? undefined : kind === 'Secret' ? ['token'] : []),
  namespaceExists: async (name) => name !== 'nowhere',
  nodes: async () => [
    { metadata: { labels: { disk: 'ssd' } }, status: { allocatable: { memory: '4Gi', cpu: '2' } } },
    { metadata: {}, status: { allocatable: { memory: '8Gi', cpu: '1500m' } } },
  ],
};

const hdfs: HdfsInspector = {
  reach: async () => {},
  nameNodes: async () => [],
  payload: async (path) => {
    if (path === '/m/empty') throw new MaasError('PAYLOAD_NO_SCRIPT', 'There is no *.sh in /m/empty');
    if (path === '/m/secret') throw new MaasError('HDFS_FORBIDDEN', 'you may not');
    if (!path.startsWith('/m/')) throw new MaasError('HDFS_PATH_MISSING', `There is nothing at ${path}`);
    return { path, script: 'run.sh', files: 1, bytes: 10 };
  },
};

const good = `apiVersion: maas.dev/v1
kind: ModelDeployment
metadata: {name: dga-1.0, namespace: fraud}
spec: {name: dga, version: "1.0", memory: 512Mi, payload: {path: /m/dga, tokenSecret: hdfs}}
`;

interface World {
  readonly text?: string;
  readonly settings?: object;
  readonly models?: readonly Parameters<ModelStore['put']>[0][];
  readonly looking?: Partial<Looking>;
  readonly cluster?: Partial<Cluster>;
  readonly inspect?: Partial<ClusterInspector>;
}

async function found({ text = good, settings = {}, models = [], looking = {}, cluster = {}, inspect = {} }: World) {
  const store = new ModelStore();
  store.configMaps.set(keyOf('maas-system', 'maas-operator-settings'), {
    'settings.json': JSON.stringify({ ...publishedSettings, ...settings }),
  });
  for (const model of models) store.put(model);
  const read: string[] = [];
  const ports = cliPorts({
    cluster: { ...store.cluster(), ...cluster },
    looking: {
      inspect: () => ({ ...inspector, ...inspect }),
      hdfs: () => hdfs,
      readFile: async (path) => {
        read.push(path);
        return text;
      },
      ...looking,
    },
  });
  const code = await typed('doctor -f model.yaml -o json', ports);
  const report = JSON.parse(ports.out.text) as {
    findings: { code: string; severity: string; subject: string; evidence: string }[];
    checked: string[];
  };
  return { code, report, findings: report.findings, read, writes: store.writes };
}

const changed = (from: string, to: string) => good.replace(from, to);
const dga = (change: object = {}) => ({
  metadata: { name: 'dga-2.0', namespace: 'fraud' },
  spec: { name: 'dga', version: '2.0' },
  ...change,
});

describe('doctor -f', () => {
  it('finds nothing wrong with a manifest that would do, and changes nothing', async () => {
    const { code, findings, read, report, writes } = await found({});
    expect({ code, findings, read }).toEqual({ code: 0, findings: [], read: ['model.yaml'] });
    expect(report.checked).toEqual(['1 manifest']);
    expect(writes).toEqual([]);
  });

  it.each<[code: string, what: string, world: World, evidence: RegExp]>([
    ['ManifestUnreadable', 'no YAML', { text: 'spec: {' }, /./],
    ['ManifestUnreadable', 'nothing', { text: '# empty\n' }, /no object/],
    ['ManifestUnreadable', 'a text', { text: 'hello' }, /no object of Kubernetes/],
    [
      'ManifestUnreadable',
      'a file that is not there',
      {
        looking: {
          readFile: async () => {
            throw new MaasError('LOCAL_PATH_INVALID', 'it cannot be read: ENOENT');
          },
        },
      },
      /ENOENT/,
    ],
    [
      'ManifestInvalid',
      'another version of the API',
      { text: changed('maas.dev/v1', 'maas.dev/v2') },
      /^apiVersion: .*maas\.dev\/v1/,
    ],
    ['ManifestInvalid', 'a missing field', { text: changed('memory: 512Mi, ', '') }, /^spec\.memory: /],
    ['ManifestInvalid', 'a quantity that is none', { text: changed('512Mi', '512MB') }, /^spec\.memory: /],
    ['ManifestInvalid', 'bytes where Mi was meant', { text: changed('512Mi', '"512"') }, /did you mean Mi/],
    [
      'ManifestInvalid',
      'bytes of disk where Mi was meant',
      { text: changed('memory:', 'disk: 20, memory:') },
      /^spec\.disk: .*did you mean Mi \(20Mi\)/,
    ],
    ['ManifestInvalid', 'a name that is none', { text: changed('name: dga-1.0', 'name: DGA_1') }, /^metadata\.name: /],
    [
      'ManifestInvalid',
      'a node label expression that is none',
      { text: changed('memory:', 'scheduling: {nodeLabelExpression: "a &&"}, memory:') },
      /^spec\.scheduling\.nodeLabelExpression: /,
    ],
    [
      'ManifestFieldUnknown',
      'a misspelt field',
      { text: changed('memory:', 'instanzes: 2, memory:') },
      /^spec\.instanzes: /,
    ],
    [
      'ManifestFieldUnknown',
      'a misspelt field further down',
      { text: changed('{path:', '{pfad: x, path:') },
      /^spec\.payload\.pfad: /,
    ],
    [
      'ManifestRefused',
      'what only the API server knows',
      {
        cluster: {
          create: async () => {
            throw new MaasError('CLUSTER_REFUSED', 'denied by policy');
          },
        },
      },
      /denied by policy/,
    ],
    [
      'NamespaceNotServed',
      'a namespace of nobody',
      { settings: { namespaces: ['dns'] } },
      /^namespace fraud; the operator serves dns$/,
    ],
    [
      'NamespaceMissing',
      'a namespace that there is not',
      { text: changed('fraud', 'nowhere') },
      /there is no namespace nowhere/,
    ],
    [
      'NameTaken',
      'a model of another namespace',
      { models: [dga({ metadata: { name: 'dga-2.0', namespace: 'lab' } })] },
      /belongs to namespace lab: modeldeployment lab\/dga-2\.0/,
    ],
    [
      'NameTaken',
      'a version of another resource',
      { models: [dga({ spec: { name: 'dga', version: '1.0' } })] },
      /version 1\.0 of model dga belongs to modeldeployment fraud\/dga-2\.0/,
    ],
    [
      'NameTaken',
      'the same twice in one file',
      { text: `${good}---\n${changed('dga-1.0', 'other')}` },
      /belongs to model\.yaml line \d+ (dga-1\.0|other)/,
    ],
    [
      'VersionOutranked',
      'a version below one that there is',
      { text: changed('"1.0"', '"1.10"'), models: [dga()] },
      /get "2\.0", not "1\.10"/,
    ],
    ['PayloadMissing', 'no payload yet', { text: changed('/m/dga', '/elsewhere') }, /nothing at \/elsewhere/],
    ['PayloadUnusable', 'a directory without a script', { text: changed('/m/dga', '/m/empty') }, /no \*\.sh/],
    ['NotChecked', 'a payload that may not be looked at', { text: changed('/m/dga', '/m/secret') }, /you may not/],
    [
      'ReferenceMissing',
      'a missing secret',
      { text: changed('tokenSecret: hdfs', 'tokenSecret: gone') },
      /^spec\.payload\.tokenSecret: there is no Secret gone in namespace fraud$/,
    ],
    [
      'ReferenceMissing',
      'a missing service account',
      { text: changed('memory:', 'serviceAccountName: gone, memory:') },
      /ServiceAccount gone/,
    ],
    [
      'NotChecked',
      'secrets that may not be looked at',
      {
        inspect: {
          keysOf: async () => {
            throw new MaasError('CLUSTER_FORBIDDEN', 'no secrets for you');
          },
        },
      },
      /no secrets for you/,
    ],
    [
      'ImageInvalid',
      'an image that is none',
      { text: changed('memory:', 'image: "Team/Model:1", memory:') },
      /capital letters/,
    ],
    [
      'NoNodeFits',
      'a label that no node has',
      { text: changed('memory:', 'scheduling: {nodeSelector: {disk: hdd}}, memory:') },
      /no node has the labels disk=hdd/,
    ],
    ['NoNodeFits', 'more memory than any node', { text: changed('512Mi', '16Gi') }, /largest node has 8192Mi/],
    [
      'NoNodeFits',
      'more memory than the nodes with the label',
      { text: changed('512Mi', '6Gi, scheduling: {nodeSelector: {disk: ssd}}') },
      /largest node has 4096Mi/,
    ],
    [
      'NotChecked',
      'nodes that may not be looked at',
      {
        inspect: {
          nodes: async () => {
            throw new MaasError('CLUSTER_FORBIDDEN', 'no nodes');
          },
        },
      },
      /no nodes/,
    ],
    ['NotChecked', 'an object of another kind', { text: 'kind: Service\nmetadata: {name: x}\n' }, /"Service"/],
    [
      'ClusterUnreachable',
      'a cluster that is away',
      {
        cluster: {
          configMap: async () => {
            throw new MaasError('CLUSTER_UNREACHABLE', 'refused');
          },
        },
      },
      /refused/,
    ],
  ])('finds %s: %s', async (code, _what, world, evidence) => {
    const { findings } = await found(world);
    const matching = findings.filter((each) => each.code === code);
    expect({ findings, matching }).toMatchObject({
      matching: expect.arrayContaining([{ ...matching[0], evidence: expect.stringMatching(evidence) }]),
    });
    const others = findings.filter((each) => each.code !== code && each.severity !== 'info');
    expect(others).toEqual([]);
  });

  it('fails for an error, and for a warning only where it is strict', async () => {
    expect((await found({ text: changed('512Mi', '1') })).code).toBe(1);
    expect((await found({ text: changed('/m/dga', '/elsewhere') })).code).toBe(0);
  });

  it('does not take a change of a resource for a second one', async () => {
    const present = { metadata: { name: 'dga-1.0', namespace: 'fraud' }, spec: { name: 'dga', version: '1.9' } };
    expect((await found({ models: [present] })).findings).toEqual([]);
  });
});

describe('readManifests', () => {
  const read = (text: string) =>
    readManifests(text, 'f').map(
      (each) => `${each.where}: ${'object' in each ? JSON.stringify(each.object) : 'wrong'}`,
    );

  it.each<[string, string, string[]]>([
    ['one document', 'a: 1\n', ['f: {"a":1}']],
    [
      'several, with empty ones between',
      '---\na: 1\n---\n# nothing\n---\nb: 2\n',
      ['f line 2: {"a":1}', 'f line 6: {"b":2}'],
    ],
    ['JSON', '{"a": 1}', ['f: {"a":1}']],
    ['a list', 'kind: List\nitems: [{a: 1}, {b: 2}]\n', ['f item 1: {"a":1}', 'f item 2: {"b":2}']],
    ['a wrong one beside a good one', 'a: 1\n---\nb: [\n', ['f line 1: {"a":1}', 'f line 4: wrong']],
    ['nothing', '', []],
  ])('reads %s', (_what, text, documents) => {
    expect(read(text)).toEqual(documents);
  });
});
