import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { ModelStore } from '../../../test/builders/model-store.ts';
import { wellTree } from '../../../test/builders/well-facts.ts';
import { wellWorld } from '../../../test/builders/well-world.ts';
import { callFields } from '../call/print-calls.ts';
import type { CallOutcome, ModelCaller, Touch } from '../ports.ts';

const spec = { name: 'dga', version: '1.0', instances: 2, memory: '512Mi', payload: { path: '/m/dga' } };

function endpoint(pod: string, version: string, more: object = {}) {
  const url = `http://10.0.0.${pod.slice(-1)}:1500`;
  return { pod, version, url, functions: { apply: 'apply' }, state: 'Registered', ...more };
}

function storeWith(...endpoints: readonly object[]): ModelStore {
  const store = new ModelStore();
  store.put({ metadata: { name: 'dga' }, spec, status: { endpoints } });
  return store;
}

const twoVersions = () => storeWith(endpoint('p1', '9.0'), endpoint('p2', '10.0'), endpoint('p3', '9.0'));

const answered = (body: string, status = 200): CallOutcome => ({
  kind: 'answered',
  status,
  body: new TextEncoder().encode(body),
  cut: false,
  ms: 12.3,
});

interface World {
  readonly store?: ModelStore;
  readonly answer?: (url: string) => CallOutcome;
  readonly touch?: Touch;
}

async function ran(
  line: string,
  { store = twoVersions(), answer = () => answered('{"is_malicious":"legit"}'), touch }: World = {},
) {
  const asked: string[] = [];
  const caller: ModelCaller = {
    directly: async (url) => {
      asked.push(url);
      return answer(url);
    },
    throughApiServer: async ({ namespace, name }, url) => {
      asked.push(`${namespace}/${name} ${url}`);
      return answer(url);
    },
  };
  const ports = cliPorts({
    cluster: store.cluster(),
    looking: { models: () => caller, touch: async () => touch ?? { outcome: 'connected' } },
  });
  const code = await typed(line.split(' '), ports);
  return { code, out: ports.out.text, err: ports.err.text, asked };
}

describe('call', () => {
  it('calls an instance of the version that clients take, and prints its answer alone', async () => {
    expect(await ran('call dga host=yahoo.com text=a=b')).toEqual({
      code: 0,
      out: '{"is_malicious":"legit"}\n',
      err:
        "dga 9.0, instance p3, by the resources' status\n" +
        'GET http://10.0.0.3:1500/apply?host=yahoo.com&text=a%3Db\n' +
        'status 200 after 12 ms\n',
      asked: ['http://10.0.0.3:1500/apply?host=yahoo.com&text=a%3Db'],
    });
  });

  it('calls another version and function where they are named', async () => {
    const store = storeWith(endpoint('p1', '9.0'), endpoint('p2', '10.0', { functions: { score: 'v2/score' } }));
    const { asked } = await ran('call dga --model-version 10.0 -f score', { store });
    expect(asked).toEqual(['http://10.0.0.2:1500/v2/score?']);
  });

  it('calls through the API server what it cannot reach', async () => {
    const touch: Touch = { outcome: 'unreachable', problem: 'no route' };
    const { asked, err } = await ran('call dga', { touch });
    expect(asked).toEqual(['fraud/p3 http://10.0.0.3:1500/apply?']);
    expect(err).toContain('GET http://10.0.0.3:1500/apply? (through the API server)\n');
    expect((await ran('call dga --via direct', { touch })).asked).toEqual(['http://10.0.0.3:1500/apply?']);
    expect((await ran('call dga --via api-server')).asked).toEqual(['fraud/p3 http://10.0.0.3:1500/apply?']);
  });

  it('calls each instance of the version with --all', async () => {
    const answer = (url: string) => (url.includes('0.1') ? answered('{"a":1}') : answered('oops', 503));
    const { code, out, err, asked } = await ran('call dga --all', { answer });
    expect(asked).toHaveLength(2);
    expect(code).toBe(1);
    expect(out).toBe(
      'INSTANCE   VERSION   STATUS   TIME    STELLAR       ANSWER\n' +
        'p1         9.0       200      12 ms   map           {"a":1}\n' +
        'p3         9.0       503      12 ms   thread lost   status 503: the thread of the client has lost its only connection with it and can call no model any more\n',
    );
    expect(err).toBe('1 of 2 instances gave Stellar no map\n');
  });

  it('prints JSON of the documented shape', async () => {
    const { out, code } = await ran('call dga -o json', { answer: () => answered('[1]') });
    const report = JSON.parse(out);
    expect(code).toBe(1);
    expect(report).toEqual({
      kind: 'ModelCalls',
      apiVersion: 'cli.maas.dev/v1',
      model: 'dga',
      source: 'status',
      calls: [
        {
          version: '9.0',
          instance: 'p3',
          way: 'direct',
          url: 'http://10.0.0.3:1500/apply?',
          status: 200,
          ms: 12.3,
          gives: 'null',
          why: 'the answer is not a map but: array',
          answer: null,
          body: '[1]',
        },
      ],
    });
    const documented = callFields.map(([field]) => field);
    expect(documented).toEqual(['model', 'source', ...Object.keys(report.calls[0]).map((key) => `calls[].${key}`)]);
  });

  it.each<[string, CallOutcome, string]>([
    ['an error', answered('no', 500), 'Stellar: MAAS_MODEL_APPLY gives null, now and from then on; status 500'],
    ['no content', answered('', 204), 'Stellar: MAAS_MODEL_APPLY gives null; status 204'],
    ['no JSON', answered('legit'), 'Stellar: MAAS_MODEL_APPLY gives null; the answer is not JSON'],
    [
      'silence',
      { kind: 'late', problem: 'no answer within 10000 ms', ms: 10_000 },
      'Stellar: MAAS_MODEL_APPLY does not return; no answer within 10000 ms; Stellar has no limit of time',
    ],
    [
      'nobody',
      { kind: 'unreached', problem: 'connect ECONNREFUSED', ms: 1 },
      'Stellar: MAAS_MODEL_APPLY gives null; there was no connection: connect ECONNREFUSED',
    ],
    [
      'a dropped connection',
      { kind: 'dropped', problem: 'socket hang up', ms: 1 },
      'Stellar: MAAS_MODEL_APPLY gives null; the connection ended without an answer: socket hang up',
    ],
    [
      'a circle',
      { kind: 'lost', problem: 'it is redirected in a circle', ms: 1 },
      'gives null; it is redirected in a circle',
    ],
  ])('says what Stellar makes of %s', async (_what, outcome, words) => {
    const { code, err } = await ran('call dga', { answer: () => outcome });
    expect(code).toBe(1);
    expect(err).toContain(words);
  });

  it('shows a hostile answer escaped and in part', async () => {
    const { out } = await ran('call dga', { answer: () => answered(`\u001b[2J\n${'x'.repeat(5_000)}`) });
    expect(out.startsWith('\\u001b[2J\nxxx')).toBe(true);
    expect(out.length).toBeLessThan(2_100);
    expect((await ran('call dga', { answer: () => answered('{"a":"\\u001b\u202e"}') })).out).toBe(
      '{"a":"\\u001b\\u202e"}\n',
    );
  });

  it('asks nothing where Stellar would not', async () => {
    const { asked, err } = await ran('call dga', {
      store: storeWith(endpoint('p1', '1', { functions: { apply: 'a b' } })),
    });
    expect(asked).toEqual([]);
    expect(err).toContain('gives null; the path of the function holds characters that a URL cannot have');
  });

  it.each([
    ['call spam', 3, "no instance of spam is registered in the resources' status\n"],
    [
      'call dga --model-version 2',
      3,
      "no instance of dga 2 is registered in the resources' status; registered are 10.0, 9.0\n",
    ],
    ['call', 2, "missing required argument 'model'"],
    ['call dga host', 2, 'Write name=value'],
    ['call dga a=1 a=2', 2, 'a is there twice'],
  ])('%s is refused', async (line, code, text) => {
    const result = await ran(line);
    expect(result.code).toBe(code);
    expect(result.err).toContain(text);
    expect(result.asked).toEqual([]);
  });

  it('passes over instances that are not registered, and says what the status does not list', async () => {
    const store = new ModelStore();
    const endpoints = [endpoint('p1', '9.0', { state: 'Starting' }), endpoint('p2', '10.0')];
    store.put({ metadata: { name: 'dga' }, spec, status: { endpoints, endpointsTotal: 60 } });
    const { asked, err } = await ran('call dga', { store });
    expect(asked).toEqual(['http://10.0.0.2:1500/apply?']);
    expect(err).toContain('note: 58 instances more than the status lists are not called\n');
  });

  it('looks where clients do with --from zookeeper', async () => {
    const asked: string[] = [];
    const { ports } = wellWorld(
      wellTree()
        .register({ id: 'yarn', version: '9.0', url: 'http://node7:1500' })
        .registerFromPod({ version: '2.0', url: 'http://10.0.0.2:1500' }),
      {
        models: () => ({
          directly: async (url) => {
            asked.push(url);
            return answered('{}');
          },
          throughApiServer: async ({ namespace, name }, url) => {
            asked.push(`${namespace}/${name} ${url}`);
            return answered('{}');
          },
        }),
        touch: async () => ({ outcome: 'unreachable', problem: 'no route' }),
      },
    );
    expect(await typed('call dga --from zookeeper', ports)).toBe(0);
    expect(await typed('call dga --from zookeeper --model-version 2.0', ports)).toBe(0);
    expect(asked).toEqual(['http://node7:1500/apply?', 'fraud/dga-1 http://10.0.0.2:1500/apply?']);
    expect(ports.err.text).toContain('dga 9.0, instance yarn, by ZooKeeper below /maas/service\n');
  });
});
