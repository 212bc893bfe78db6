/** The metrics follow the conventions of Prometheus, say of each model what they should, and are all in the documents. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { type BuildInfo, type MeasuredModel, type MetricSources, operatorMetrics } from '../../src/adapters/metrics.ts';
import { initialState, usualLimits } from '../../src/agent/lifecycle/state.ts';
import { metricsText } from '../../src/agent/metrics.ts';
import { Counts } from '../../src/agent/shield/counts.ts';
import { shieldMetrics } from '../../src/agent/shield/metrics-text.ts';
import { metricsText as cacheMetricsText, noCounts } from '../../src/payload-cache/metrics.ts';

const dga: MeasuredModel = {
  namespace: 'fraud',
  name: 'dga-1.0',
  model: 'dga',
  version: '1.0',
  ready: 'False',
  reason: 'ScriptEnded',
  instances: { desired: 2, ready: 1, registered: 1 },
};

function sources(given: Partial<MetricSources> = {}): MetricSources {
  return {
    queue: () => ({ depth: 1, delayed: 2, active: 3 }),
    watches: () => [{ kind: 'pods', relists: 4, restarts: 5, failures: 6 }],
    models: () => [dga],
    leader: () => true,
    zookeeperConnected: () => true,
    requestsHeld: () => 7,
    concerns: () => [{ reason: 'NamespaceRefused', subject: 'namespace fraud' }],
    ...given,
  };
}

const build = { version: '1.2.3', commit: 'abc' };

function shown(given: Partial<MetricSources> = {}, info: BuildInfo = build) {
  const metrics = operatorMetrics(info);
  metrics.show(sources(given));
  return metrics;
}

/** All metrics of a busy operator. */
async function operatorText(given: Partial<MetricSources> = {}): Promise<string> {
  const metrics = shown(given);
  metrics.reconciled('success', 0.1);
  metrics.request('done');
  metrics.called('hdfs', { operation: 'list', code: 'HDFS_UNREACHABLE', seconds: 0.2 });
  metrics.called('zookeeper', { operation: 'get', code: 'OK', seconds: 0.002 });
  return (await metrics.render()).text;
}

function agentText(): string {
  const state = initialState(
    { ...usualLimits, startup: 1, unregister: 1 },
    { gateOpen: false, stopping: false, revoked: false },
    0,
  );
  const progress = { bytesDone: 1, bytesTotal: 1, filesDone: 1, filesTotal: 1, bytesFromCache: 1 };
  return metricsText({ ...state, progress }, { timeToRegister: 1_500 });
}

function shieldText(): string {
  const counts = new Counts();
  counts.ended('answered', 3, 0);
  counts.code(200);
  return shieldMetrics({
    ...{ model: 'dga', version: '1.0', counts, inFlight: 1, queued: 2, connections: 3 },
    instructions: { maxInFlight: 4 },
    cache: { entries: 1, bytes: 2 },
    mirror: { same: 1, different: 2, failed: 3, skipped: 4 },
  });
}

const cacheText = () => cacheMetricsText(noCounts(), { taken: 0, room: 1, files: 0 });

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: ReadonlySet<string>;
}

function familiesOf(text: string): Family[] {
  return [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(([, name = '', help = '', type = '']) => {
    const samples = text.split('\n').filter((line) => new RegExp(`^${name}(_bucket|_sum|_count)?[{ ]`).test(line));
    const labels = samples.flatMap((line) => [...line.matchAll(/([a-zA-Z_]\w*)="/g)].map((match) => match[1] ?? ''));
    return { name, type, help, labels: new Set(labels.filter((label) => label !== 'le')) };
  });
}

const seriesOf = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(`${name}{`));

/** The rules of `promtool check metrics`, and of the naming page of Prometheus. */
const rules: readonly (readonly [rule: string, broken: (family: Family) => boolean])[] = [
  ['a help text in a sentence', ({ help }) => !/^[A-Z0-9].*\.$/.test(help)],
  ['counters, and no others, end in _total', ({ name, type }) => (type === 'counter') !== name.endsWith('_total')],
  [
    'only lower case with underscores',
    ({ name, labels }) => [name, ...labels].some((each) => !/^[a-z][a-z0-9_]*$/.test(each)),
  ],
  ['a prefix', ({ name }) => !/^(maas|process|nodejs)_/.test(name)],
  ['no suffix that belongs to histograms', ({ name }) => /_(count|sum|bucket)$/.test(name)],
  ['no type in the name', ({ name }) => /(^|_)(counter|gauge|histogram|summary)(_|$)/.test(name)],
  [
    'base units: seconds and bytes',
    ({ name }) => /_(ms|milliseconds|minutes|hours|kb|mb|mib|kilobytes|megabytes|percent)(_|$)/.test(name),
  ],
  ['durations in seconds', ({ name }) => /_(duration|wait|age|time)$/.test(name)],
  [
    'no label that Prometheus sets',
    ({ labels }) => ['job', 'instance', 'le', 'quantile'].some((label) => labels.has(label)),
  ],
];

describe.each<[string, () => Promise<string>]>([
  ['operator', () => operatorText()],
  ['agent', async () => agentText()],
  ['shield', async () => shieldText()],
  ['payload cache', async () => cacheText()],
])('the metrics of the %s', (_who, text) => {
  it.each(rules)('have %s', async (_rule, broken) => {
    const families = familiesOf(await text());
    expect(families.length).toBeGreaterThan(5);
    expect(families.filter(broken).map(({ name }) => name)).toEqual([]);
  });
});

describe('what is told of models', () => {
  it('names each with namespace, name, version and reason', async () => {
    const text = await operatorText();
    const labels = 'namespace="fraud",name="dga-1.0",model="dga",version="1.0"';
    expect(seriesOf(text, 'maas_model_status')).toEqual([
      `maas_model_status{${labels},ready="False",reason="ScriptEnded"} 1`,
    ]);
    expect(seriesOf(text, 'maas_model_instances_desired')).toEqual([`maas_model_instances_desired{${labels}} 2`]);
    expect(seriesOf(text, 'maas_model_instances_ready')).toEqual([`maas_model_instances_ready{${labels}} 1`]);
    expect(seriesOf(text, 'maas_model_instances_registered')).toEqual([`maas_model_instances_registered{${labels}} 1`]);
  });

  it('is told by the leader alone, and by nobody who leads no more', async () => {
    let leads = true;
    const metrics = shown({ leader: () => leads });
    const told = async () =>
      (await metrics.render()).text.split('\n').filter((line) => /^maas_(model_|instances_)/.test(line));
    expect((await told()).length).toBe(7);
    leads = false;
    // Sums over all replicas are those of the leader: a gauge without labels is 0.
    expect(await told()).toEqual(['maas_instances_desired 0', 'maas_instances_registered 0']);
  });

  it('ends with the model, and with the reason', async () => {
    let models: readonly MeasuredModel[] = [dga];
    const metrics = shown({ models: () => models });
    const told = async () => seriesOf((await metrics.render()).text, 'maas_model_status');
    await told();
    models = [{ ...dga, ready: 'True', reason: 'Serving' }];
    expect((await told()).map((line) => /reason="(\w+)"/.exec(line)?.[1])).toEqual(['Serving']);
    models = [];
    expect(await told()).toEqual([]);
  });

  it('does not say 0 for what is unknown', async () => {
    const unknown = { ...dga, instances: { ...dga.instances, registered: undefined } };
    const text = await operatorText({ models: () => [unknown] });
    expect(seriesOf(text, 'maas_model_instances_registered')).toEqual([]);
    expect(seriesOf(text, 'maas_model_instances_ready').length).toBe(1);
  });

  it('is four series a model, whatever happens to it', async () => {
    const models = [...Array(50).keys()].map((n) => ({ ...dga, name: `dga-${n}` }));
    const text = await operatorText({ models: () => models });
    expect(
      text.split('\n').filter((line) => line.startsWith('maas_model_') && line.includes('namespace=')).length,
    ).toBe(200);
  });
});

describe('the other metrics', () => {
  it('count the calls to HDFS and ZooKeeper by operation and code, and time them', async () => {
    const text = await operatorText();
    expect(text).toContain('maas_hdfs_requests_total{operation="list",code="HDFS_UNREACHABLE"} 1');
    expect(text).toContain('maas_hdfs_request_duration_seconds_sum{operation="list"} 0.2');
    expect(text).toContain('maas_zookeeper_requests_total{operation="get",code="OK"} 1');
    expect(text).toContain('maas_zookeeper_request_duration_seconds_count{operation="get"} 1');
  });

  it('say what was built', async () => {
    expect(await operatorText()).toContain('maas_operator_build_info{version="1.2.3",commit="abc"} 1');
    const { text } = await shown({}, { version: '1', commit: undefined }).render();
    expect(text).toContain('commit="unknown"');
  });

  it('count what the watches count, each time they are read', async () => {
    const metrics = shown();
    for (let reading = 0; reading < 2; reading += 1) {
      expect((await metrics.render()).text).toContain('maas_watch_relists_total{kind="pods"} 4');
    }
  });
});

describe('the table of the document', () => {
  const document = readFileSync(join(projectRoot, 'docs/operations.md'), 'utf8').split('\n## Metrics\n')[1] ?? '';
  const section = document.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| (.*?) \| (\w+) \| .* \|$/gm)].flatMap(([, names = '', type = '']) =>
    [...names.matchAll(/`([a-z_]+)(?:\{([a-z_,]+)\})?`/g)].map(([, name = '', labels = '']) =>
      [name, type, labels.split(',').sort().join(',')].join(' '),
    ),
  );

  it('has every metric that is served, with its type and labels, and no other', async () => {
    const served = familiesOf([await operatorText(), agentText(), shieldText(), cacheText()].join('\n'))
      .filter(({ name }) => name.startsWith('maas_'))
      .map(({ name, type, labels }) => [name, type, [...labels].sort().join(',')].join(' '));
    expect(rows.toSorted()).toEqual(served.toSorted());
  });

  it('is not contradicted elsewhere: every metric that is named anywhere is served', async () => {
    const served = new Set(
      familiesOf([await operatorText(), agentText(), shieldText(), cacheText()].join('\n')).map(({ name }) => name),
    );
    for (const name of ['docs/operations.md', 'docs/models.md', 'docs/migration.md', 'README.md'].flatMap(
      (path) => readFileSync(join(projectRoot, path), 'utf8').match(/\bmaas_(?!deploy|service)[a-z_]+[a-z]\b/g) ?? [],
    )) {
      expect([...served]).toContain(name.replace(/_(bucket|sum|count)$/, ''));
    }
  });
});
