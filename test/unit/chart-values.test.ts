/** Values as people write them: without quotes, with nulls, from the command line, and in a chart of their own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { operatorSettings, settingsConfigMap, settingsKey } from '../../src/contracts/settings.ts';
import {
  attempt,
  chartDirectory,
  minimalValues,
  namespace,
  one,
  type Rendered,
  refusal,
  render,
  renderUmbrella,
} from './helm.ts';

type Json = Record<string, unknown>;

const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

function settingsOf(objects: readonly Rendered[]) {
  const data = one(objects, 'ConfigMap', settingsConfigMap)['data'] as Record<string, string>;
  return operatorSettings.parse(JSON.parse(data[settingsKey] ?? ''));
}

function operatorOf(objects: readonly Rendered[], name = 'maas-operator') {
  const { spec } = one(objects, 'Deployment', name) as unknown as {
    spec: {
      replicas?: number;
      template: { metadata: { labels: Json; annotations: Json }; spec: Json & { containers: readonly [Json] } };
    };
  };
  return { spec, pod: spec.template.spec, container: spec.template.spec.containers[0] };
}

/** What the API server refuses, or what Helm does to numbers and to what is not there. */
function faults(value: unknown, path = ''): string[] {
  if (value === null) return [`${path} is null`];
  if (typeof value === 'string') return /\d[eE]\+\d|<nil>|%!|map\[/.test(value) ? [`${path} is ${value}`] : [];
  if (Array.isArray(value)) return value.flatMap((item, index) => faults(item, `${path}[${index}]`));
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const below = `${path}.${key}`;
    // JSON of its own, with nulls that mean something; settingsOf reads it.
    if (below === `.data.${settingsKey}`) return [];
    const mustBeTexts = /\.(labels|annotations|matchLabels|nodeSelector)$/.test(path);
    return mustBeTexts && typeof inner !== 'string' ? [`${below} is no text: ${String(inner)}`] : faults(inner, below);
  });
}

function soundly(objects: readonly Rendered[]): readonly Rendered[] {
  for (const object of objects) {
    if (object.kind === 'CustomResourceDefinition') continue;
    expect(faults(object), `${object.kind} ${object.metadata.name}`).toEqual([]);
  }
  settingsOf(objects);
  return objects;
}

const everything = parse(readFileSync(join(chartDirectory, 'values.yaml'), 'utf8')) as Json;

/** Paths of all values that are no maps with something in them. */
function leaves(value: Json, above: readonly string[] = []): string[][] {
  return Object.entries(value).flatMap(([key, inner]) =>
    isMap(inner) && Object.keys(inner).length > 0 ? leaves(inner, [...above, key]) : [[...above, key]],
  );
}

function sections(value: Json, above: readonly string[] = []): string[][] {
  return Object.entries(value).flatMap(([key, inner]) =>
    isMap(inner) && Object.keys(inner).length > 0 ? [[...above, key], ...sections(inner, [...above, key])] : [],
  );
}

function at(path: readonly string[], value: unknown): Json {
  const [first = '', ...rest] = path;
  return { [first]: rest.length === 0 ? value : at(rest, value) };
}

function merged(base: Json, over: Json): Json {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    result[key] = isMap(below) && isMap(value) ? merged(below, value) : value;
  }
  return result;
}

const required = ['zookeeper', 'zookeeper.quorum', 'hdfs', 'hdfs.nameservices'];
const optional = (path: readonly string[]) => !required.includes(path.join('.'));

describe('null', () => {
  it.each(
    sections(everything)
      .filter(optional)
      .map((path) => [path.join('.'), path] as const),
  )('for %s is as good as left out', (_name, path) => {
    soundly(render(merged(minimalValues, at(path, null))));
  });

  it('for everything at once leaves an operator that runs', () => {
    const nothing = leaves(everything)
      .filter(optional)
      .reduce<Json>((values, path) => merged(values, at(path, null)), minimalValues);
    const objects = soundly(render(nothing));
    expect(operatorOf(objects).spec.replicas).toBeUndefined();
    expect(operatorOf(objects).container['resources']).toEqual({ limits: {}, requests: {} });
    expect(objects.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['ServiceAccount', 'ClusterRole', 'Service']),
    );
  });

  it('for a required value is told as one that is not set', () => {
    expect(refusal({ ...minimalValues, zookeeper: null })).toMatch(/zookeeper\.quorum is not set/);
    expect(refusal({ ...minimalValues, hdfs: { nameservices: null } })).toMatch(/hdfs\.nameservices is empty/);
  });

  it('takes a default away: a limit, an annotation, an entry of the environment', () => {
    const objects = render({
      agent: { resources: { limits: { memory: null } } },
      model: { podAnnotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': null }, env: { A: null } },
      resources: { limits: null },
    });
    expect(settingsOf(objects).agent.resources.limits).toEqual({});
    expect(settingsOf(objects).model).toMatchObject({ podAnnotations: {}, env: {} });
    expect(operatorOf(objects).container['resources']).toEqual({ requests: { cpu: '50m', memory: '128Mi' } });
  });
});

const schema = JSON.parse(readFileSync(join(chartDirectory, 'values.schema.json'), 'utf8')) as Json;

/** What the schema says of a value. */
function schemaOf(path: readonly string[]): Json {
  const resolved = (node: Json): Json => {
    const name = /^#\/\$defs\/(.*)$/.exec(String(node['$ref']))?.[1];
    return name === undefined ? node : resolved((schema['$defs'] as Record<string, Json>)[name] as Json);
  };
  return path.reduce<Json>((node, key) => {
    const properties = (node['properties'] ?? {}) as Record<string, Json>;
    const below = properties[key] ?? node['additionalProperties'];
    if (!isMap(below)) throw new Error(`the schema does not know ${path.join('.')}`);
    return resolved(below);
  }, resolved(schema));
}

describe('every value that may be of another kind', () => {
  const kinds = { integer: 20_261_101, number: 0.5, boolean: true };
  const all = leaves(everything).flatMap((path) => {
    const types = (schemaOf(path)['type'] ?? []) as string[];
    return Object.entries(kinds)
      .filter(([type]) => types.includes(type))
      .map(([type, value]) => [`${path.join('.')} as ${type}`, path, value] as const);
  });

  it.each(all)('%s is rendered as Kubernetes and the operator take it', (name, path, value) => {
    const values = merged(minimalValues, at(path, value));
    const said = attempt(values);
    if (typeof said !== 'string') soundly(said);
    // Bounds hold, and what belongs together; then the value is named.
    else
      expect(said.replaceAll('/', '.')).toContain(path.length > 1 ? path.slice(0, -1).join('.') : name.split(' ')[0]);
  });
});

describe('values without quotes', () => {
  it.each<[string, object, (objects: readonly Rendered[]) => unknown, unknown]>([
    [
      'a whole processor',
      { resources: { limits: { cpu: 1 } } },
      (o) => operatorOf(o).container['resources'],
      {
        requests: { cpu: '50m', memory: '128Mi' },
        limits: { cpu: '1', memory: '512Mi' },
      },
    ],
    [
      'half a processor',
      { resources: { requests: { cpu: 0.5 } } },
      (o) => operatorOf(o).container['resources'],
      {
        requests: { cpu: '0.5', memory: '128Mi' },
        limits: { memory: '512Mi' },
      },
    ],
    [
      'memory in bytes',
      { resources: { limits: { memory: 536_870_912 } } },
      (o) => operatorOf(o).container['resources'],
      {
        requests: { cpu: '50m', memory: '128Mi' },
        limits: { memory: '536870912' },
      },
    ],
    [
      "the agent's",
      { agent: { resources: { limits: { cpu: 1, memory: 268_435_456 } } } },
      (o) => settingsOf(o).agent.resources.limits,
      { cpu: '1', memory: '268435456' },
    ],
    [
      "the model's",
      { model: { resources: { limits: { cpu: 2 } } } },
      (o) => settingsOf(o).model.resources.limits,
      {
        cpu: '2',
      },
    ],
    ["the model's processor", { model: { cpu: 2 } }, (o) => settingsOf(o).model.cpu, '2'],
    [
      'no processor at all',
      { model: { cpu: 0 }, legacy: { cpu: 0 } },
      (o) => [settingsOf(o).model.cpu, settingsOf(o).legacy.cpu],
      ['0', '0'],
    ],
    ["the model's disk", { model: { disk: 10_737_418_240 } }, (o) => settingsOf(o).model.disk, '10737418240'],
    [
      'a tag of digits',
      { image: { tag: 20_261_101 } },
      (o) => operatorOf(o).container['image'],
      'maas-operator:20261101',
    ],
    [
      'a longer tag of digits',
      { image: { tag: 20_261_101_235_959 } },
      (o) => operatorOf(o).container['image'],
      'maas-operator:20261101235959',
    ],
    [
      'a tag of the models',
      { model: { image: { tag: 20_261_101 } } },
      (o) => settingsOf(o).model.image,
      'maas-runtime:20261101',
    ],
    [
      'an environment',
      { model: { env: { LEVEL: 5, DEBUG: true, RATE: 0.5, MANY: 10_000_000, NAME: '1e6', EMPTY: '' } } },
      (o) => settingsOf(o).model.env,
      { LEVEL: '5', DEBUG: 'true', RATE: '0.5', MANY: '10000000', NAME: '1e6', EMPTY: '' },
    ],
    [
      'annotations',
      { podAnnotations: { 'prometheus.io/scrape': true, 'prometheus.io/port': 8_080 } },
      (o) => operatorOf(o).spec.template.metadata.annotations,
      expect.objectContaining({ 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' }),
    ],
    [
      'labels',
      { podLabels: { tier: 1 } },
      (o) => operatorOf(o).spec.template.metadata.labels,
      expect.objectContaining({ tier: '1' }),
    ],
    [
      'annotations of the service account',
      { serviceAccount: { annotations: { 'eks.amazonaws.com/sts-regional-endpoints': true } } },
      (o) => one(o, 'ServiceAccount', 'maas-operator').metadata.annotations,
      { 'eks.amazonaws.com/sts-regional-endpoints': 'true' },
    ],
    [
      'annotations of the models',
      { model: { podAnnotations: { 'karpenter.sh/do-not-disrupt': true } } },
      (o) => settingsOf(o).model.podAnnotations,
      { 'karpenter.sh/do-not-disrupt': 'true', 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' },
    ],
    ['a node selector', { nodeSelector: { infra: true } }, (o) => operatorOf(o).pod['nodeSelector'], { infra: 'true' }],
    [
      'tolerations',
      { tolerations: [{ key: 'infra', value: true, tolerationSeconds: 3_600 }] },
      (o) => operatorOf(o).pod['tolerations'],
      [{ key: 'infra', value: 'true', tolerationSeconds: 3_600 }],
    ],
    [
      'labels of the monitor',
      { metrics: { serviceMonitor: { enabled: true, labels: { shard: 0 } } } },
      (o) => one(o, 'ServiceMonitor', 'maas-operator').metadata.labels,
      expect.objectContaining({ shard: '0' }),
    ],
    ['a user of HDFS', { hdfs: { ...minimalValues.hdfs, user: 1_000 } }, (o) => settingsOf(o).hdfs.user, '1000'],
    ['a cluster', { clusterId: 7 }, (o) => settingsOf(o).clusterId, '7'],
    ['namespaces', { namespaces: [2_026, 'fraud'] }, (o) => settingsOf(o).namespaces, ['2026', 'fraud']],
    [
      'queues',
      { scheduling: { queue: 1, queueNames: { 1: 2 } } },
      (o) => settingsOf(o).scheduling,
      expect.objectContaining({ queue: '1', queueNames: { 1: '2' } }),
    ],
    [
      'pull secrets by name',
      { imagePullSecrets: ['registry', { name: 'other' }] },
      (o) => operatorOf(o).pod['imagePullSecrets'],
      [{ name: 'registry' }, { name: 'other' }],
    ],
    [
      'pull secrets of the models by name',
      { model: { imagePullSecrets: ['registry', { name: 'other' }] } },
      (o) => settingsOf(o).model.imagePullSecrets,
      ['registry', 'other'],
    ],
  ])('%s', (_what, values, read, expected) => {
    expect(read(soundly(render(values)))).toEqual(expected);
  });
});

describe('numbers in quotes', () => {
  it('are numbers', () => {
    const objects = soundly(
      render({
        replicas: '2',
        runAsUser: '2000',
        metrics: { port: '9090' },
        zookeeper: { ...minimalValues.zookeeper, sessionTimeoutMs: '30000' },
        model: { runAsUser: '3000', disruptionBudget: { maxUnavailable: '2' } },
        legacy: { queue: { memory: { maximumMb: '4096' } } },
      }),
    );
    expect(operatorOf(objects).spec.replicas).toBe(2);
    expect(operatorOf(objects).pod['securityContext']).toMatchObject({ runAsUser: 2_000 });
    expect(one(objects, 'Service', 'maas-operator-metrics')['spec']).toMatchObject({ ports: [{ port: 9_090 }] });
    expect(settingsOf(objects)).toMatchObject({
      zookeeper: { sessionTimeoutMs: 30_000 },
      model: { runAsUser: 3_000, disruptionBudget: { maxUnavailable: 2 } },
      legacy: { queue: { memory: { maximumMb: 4_096 } } },
    });
  });
});

describe('on the command line', () => {
  const set = (...options: string[]) =>
    soundly(
      render(
        {},
        'maas-operator',
        options.flatMap((each) => ['--set', each]),
      ),
    );

  it('takes what is written there without thinking of types', () => {
    const objects = set(
      'resources.limits.cpu=1',
      'image.tag=20261101',
      'model.image.tag=1.10',
      'model.env.LEVEL=5',
      'model.env.DEBUG=true',
      'podAnnotations.reloader=true',
      'agent.resources.limits.cpu=2',
      'logLevel=null',
      'replicas=2',
    );
    expect(operatorOf(objects).container).toMatchObject({
      image: 'maas-operator:20261101',
      resources: { limits: { cpu: '1' } },
    });
    expect(settingsOf(objects)).toMatchObject({
      model: { image: 'maas-runtime:1.10', env: { LEVEL: '5', DEBUG: 'true' } },
      agent: { resources: { limits: { cpu: '2' } } },
    });
  });

  it.each(['metrics', 'resources', 'podDisruptionBudget', 'model', 'agent', 'image', 'serviceAccount', 'rbac', 'acls'])(
    'takes %s=null',
    (section) => {
      set(`${section}=null`);
    },
  );
});

describe('in a chart of somebody else', () => {
  const condition = { condition: 'maas-operator.enabled' };

  it('is switched on and off by a condition', () => {
    expect(renderUmbrella([condition], { 'maas-operator': { ...minimalValues, enabled: false } })).toEqual([]);
    const on = soundly(renderUmbrella([condition], { 'maas-operator': { ...minimalValues, enabled: true } }));
    expect(operatorOf(on, 'security-maas-operator').container['image']).toBe('maas-operator:0.1.0');
  });

  it('passes over what is global', () => {
    const global = { imageRegistry: 'registry.example', nested: { a: [1] }, off: null };
    soundly(renderUmbrella([{}], { global, 'maas-operator': minimalValues }, { global: { more: true } }));
  });

  it('takes nulls from the values of that chart, and from its user', () => {
    const nothing = leaves(everything)
      .filter(optional)
      .reduce<Json>((values, path) => merged(values, at(path, null)), minimalValues);
    soundly(renderUmbrella([{}], { 'maas-operator': nothing }));
    soundly(renderUmbrella([{}], { 'maas-operator': minimalValues }, { 'maas-operator': nothing }));
    const gone = Object.fromEntries(Object.keys(everything).map((key) => [key, null]));
    soundly(renderUmbrella([{}], { 'maas-operator': { ...gone, ...minimalValues } }));
  });

  it('is there twice under two names, each in a namespace of its own', () => {
    const objects = renderUmbrella([{ alias: 'east' }, { alias: 'west' }], {
      east: { ...minimalValues, namespaces: ['fraud'], namespaceOverride: 'maas-east' },
      west: { ...minimalValues, namespaces: ['dns'], namespaceOverride: 'maas-west', crds: { install: false } },
    });
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    const deployments = objects.filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata);
    expect(deployments.map((metadata) => [metadata.namespace, metadata.name])).toEqual([
      ['maas-east', 'security-east'],
      ['maas-west', 'security-west'],
    ]);
    expect(objects.filter((object) => object.metadata.namespace === namespace)).toEqual([]);
  });
});

describe('names', () => {
  it('are what the values say instead', () => {
    expect(operatorOf(render({ nameOverride: 'models' }), 'maas-operator-models').pod).toBeDefined();
    expect(operatorOf(render({ fullnameOverride: 'models' }), 'models').pod['serviceAccountName']).toBe('models');
  });
});
