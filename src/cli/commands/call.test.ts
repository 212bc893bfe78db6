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
  readonly inputs?: string;
  /** The user interrupts after so many calls. */
  readonly interruptAfter?: number;
}

async function ran(
  line: string,
  {
    store = twoVersions(),
    answer = () => answered('{"is_malicious":"legit"}'),
    touch,
    inputs = '',
    interruptAfter,
  }: World = {},
) {
  const asked: string[] = [];
  const stop = new AbortController();
  const reply = (url: string) => {
    if (asked.length === interruptAfter) stop.abort(new Error('SIGINT received'));
    stop.signal.throwIfAborted();
    return answer(url);
  };
  const caller: ModelCaller = {
    directly: async (url) => {
      asked.push(url);
      return reply(url);
    },
    throughApiServer: async ({ namespace, name }, url) => {
      asked.push(`${namespace}/${name} ${url}`);
      return reply(url);
    },
  };
  const ports = cliPorts({
    cluster: store.cluster(),
    signal: stop.signal,
    looking: {
      models: () => caller,
      touch: async () => touch ?? { outcome: 'connected' },
      readFile: async () => inputs,
    },
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

  it('calls what has a name by it, whatever stands behind it', async () => {
    const touch: Touch = { outcome: 'unresolved', problem: 'ENOTFOUND' };
    const store = storeWith(endpoint('p1', '1.0', { url: 'http://models.example:80/dga' }));
    expect((await ran('call dga', { store, touch })).asked).toEqual(['http://models.example:80/dga/apply?']);
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
    expect(err).toContain('nothing is asked\n');
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

describe('call --compare', () => {
  const oneEach = () => storeWith(endpoint('p1', '1.0'), endpoint('p2', '2.0'));
  const compare = 'call dga --compare 1.0 2.0 --inputs hosts.csv';
  const inputs = `host\n${['a', 'b', 'c', 'd'].join('\n')}\n`;

  it('shows the rows that two versions answer differently, and fails for them', async () => {
    const answer = (url: string) =>
      answered(url.includes('0.2') && url.endsWith('host=c') ? '{"x":2,"at":1}' : '{"at":2,"x":1}');
    const { code, out, asked } = await ran(compare, { store: oneEach(), answer, inputs });
    expect(code).toBe(1);
    expect(asked).toHaveLength(8);
    expect(out).toBe(
      [
        'VERSION   MAPS   NO MAP   P50     P90     P99     MAX',
        '1.0       4      0        12 ms   12 ms   12 ms   12 ms',
        '2.0       4      0        12 ms   12 ms   12 ms   12 ms',
        '',
        'ROW   ARGUMENTS   1.0              2.0',
        '3     host=c      {"at":2,"x":1}   {"x":2,"at":1}',
        '',
        '4 rows: 3 the same, 1 different',
        '',
      ].join('\n'),
    );
  });

  it('takes the same fields in another order, ignored ones and two failures for the same', async () => {
    const answer = (url: string) => {
      if (url.endsWith('host=b')) return answered('no', url.includes('0.2') ? 500 : 204);
      return answered(
        url.includes('0.2') ? '{"x":1,"y":[{"a":1,"b":2}],"at":1}' : '{"at":2,"y":[{"b":2,"a":1}],"x":1.0}',
      );
    };
    const { code, out } = await ran(`${compare} --ignore at`, { store: oneEach(), answer, inputs });
    expect(code).toBe(0);
    expect(out).toContain('4 rows: 4 the same, 0 different, 1 without a map from either\n');
    expect(out).toContain('1.0       3      1 ');
    expect((await ran(compare, { store: oneEach(), answer, inputs })).code).toBe(1);
  });

  it('fails where neither version gave a map to any row', async () => {
    const { code, out } = await ran(compare, { store: oneEach(), answer: () => answered('', 204), inputs });
    expect(code).toBe(1);
    expect(out).toContain('4 rows: 4 the same, 0 different, 4 without a map from either\n');
  });

  it('keeps few calls under way', async () => {
    const { asked } = await ran(`${compare} --parallel 2`, { store: oneEach(), inputs });
    expect(asked.map((url) => new URL(url).searchParams.get('host'))).toEqual(['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd']);
  });

  it('keeps one under way where that is asked for', async () => {
    const { asked } = await ran(`${compare} --parallel 1`, { store: oneEach(), inputs });
    expect(asked.map((url) => new URL(url).hostname)).toEqual(Array(4).fill(['10.0.0.1', '10.0.0.2']).flat());
  });

  it('prints what there is when it is interrupted', async () => {
    const { code, out } = await ran(`${compare} --parallel 2`, { store: oneEach(), inputs, interruptAfter: 5 });
    expect(code).toBe(130);
    expect(out).toContain('2 rows: 2 the same, 0 different; interrupted after 2 of 4 rows\n');
  });

  it('prints JSON', async () => {
    const answer = (url: string) => answered(url.includes('0.2') ? '{"x":2}' : '{"x":1}');
    const { out } = await ran(`${compare} -o json`, { store: oneEach(), answer, inputs: '{"host":"a"}' });
    const times = { count: 1, p50: 12.3, p90: 12.3, p99: 12.3, max: 12.3 };
    expect(JSON.parse(out)).toEqual({
      kind: 'ModelComparison',
      apiVersion: 'cli.maas.dev/v1',
      model: 'dga',
      rows: 1,
      compared: 1,
      differing: 1,
      neither: 0,
      versions: [
        { version: '1.0', maps: 1, others: 0, latencies: times },
        { version: '2.0', maps: 1, others: 0, latencies: times },
      ],
      differences: [{ row: 1, arguments: { host: 'a' }, answers: ['{"x":1}', '{"x":2}'] }],
    });
  });

  it.each([
    ['call dga --compare 1.0 --inputs f', '--compare takes two versions'],
    ['call dga --compare 1.0 2.0', '--compare needs --inputs'],
    ['call dga --inputs f', '--inputs is of --compare'],
    [`${compare} --all`, '--compare names the versions itself'],
    [`${compare} --parallel 65`, 'It is a whole number from 1 to 64'],
    [`${compare} --load 5`, '--load goes with neither'],
    ['call dga --load 1001', 'from 1 to 1000'],
    ['call dga --load 5 --for 11m', '10m at most'],
  ])('%s is refused', async (line, why) => {
    const { code, err } = await ran(line, { inputs });
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(why) });
  });

  it('calls nobody where one version is not there', async () => {
    const { code, asked } = await ran('call dga --compare 9.0 3.0 --inputs f', { inputs });
    expect({ code, asked }).toEqual({ code: 3, asked: [] });
  });
});

describe('call --load', () => {
  it('calls so many times a second, any instance, and prints how long they took', async () => {
    const { code, out, err, asked } = await ran('call dga --load 10 --for 2s host=a');
    expect({ code, err }).toEqual({ code: 0, err: 'calling dga 9.0 for 2s: 2 instances, 10 a second\n' });
    expect(asked).toHaveLength(20);
    expect(out).toContain('20 calls in 1.9 s, 10.5 a second of 10: 20 with a map\n');
    expect(out).toContain('p50 12 ms, p90 12 ms, p99 12 ms, max 12 ms\n');
    expect(out).toContain('to 20 ms  20  ###');
    expect(out).toMatch(/INSTANCE +CALLS\np3 +20\n/);
  });

  it('gives up on a model that gives no map', async () => {
    const { code, out, asked } = await ran('call dga --load 100 --for 1m', { answer: () => answered('no', 500) });
    expect(code).toBe(1);
    expect(asked.length).toBeLessThan(100);
    expect(out).toContain('given up early: the model gave no map any more\n');
    expect(out).toMatch(/0 with a map, \d+ thread lost\n/);
  });

  it('prints what there is when it is interrupted', async () => {
    const { code, out } = await ran('call dga --load 10 --for 10s', { interruptAfter: 8 });
    expect(code).toBe(130);
    expect(out).toMatch(/^7 calls in /);
  });

  it('counts a call that waited in vain among the slow ones, and one without a connection among none', async () => {
    let calls = 0;
    const answer = (): CallOutcome => {
      calls += 1;
      if (calls === 10) return { kind: 'late', problem: 'no answer', ms: 10_000 };
      return calls === 20 ? { kind: 'unreached', problem: 'refused', ms: 0.1 } : answered('{}');
    };
    const { out } = await ran('call dga --load 20 --for 1s', { answer });
    expect(out).toContain('20 calls in 0.9 s, 21.1 a second of 20: 18 with a map, 1 null, 1 waiting\n');
    expect(out).toContain('p50 12 ms, p90 12 ms, p99 10.0 s, max 10.0 s, of 19 calls that had a connection\n');
    expect(out).toContain('to 10 s   1  ###');
  });

  it('leaves out what is due while too many are under way', async () => {
    const never: ModelCaller = {
      directly: (_url, { signal }) =>
        new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
      throughApiServer: async () => answered('{}'),
    };
    const stop = new AbortController();
    const ports = cliPorts({
      cluster: twoVersions().cluster(),
      signal: stop.signal,
      looking: { models: () => never, touch: async () => ({ outcome: 'connected' }) },
    });
    const done = typed('call dga --load 100 --for 1s', ports);
    setImmediate(() => setImmediate(() => stop.abort(new Error('SIGINT received'))));
    expect(await done).toBe(130);
    expect(ports.out.text).toMatch(/^0 calls in /);
    expect(ports.out.text).toContain('36 calls left out, because 64 were under way already\n');
  });
});
