import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { eventObject, FakeInstances, podObject, runningSince, time } from '../../../test/builders/fake-instances.ts';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import { ModelStore } from '../../../test/builders/model-store.ts';
import { settingsConfigMap, settingsKey } from '../../contracts/settings.ts';
import type { ApiObject, ClusterInspector } from '../ports.ts';

const uid = 'uid-1';
const spec = { name: 'dga', version: '1.0', instances: 2, memory: '64Mi', payload: { path: '/models/dga' } };
const found = {
  path: '/models/dga',
  script: 'run.sh',
  files: 2,
  bytes: 12_582_912,
  digest: `sha256:${'a'.repeat(64)}`,
};

const condition = (type: string, status: string, reason: string, message = '', at = 30) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: time(at),
});

function world(status: ApiObject, change: ApiObject = {}) {
  const store = new ModelStore();
  store.putConfigMap('maas-system', settingsConfigMap, {
    [settingsKey]: JSON.stringify({ hdfs: { nameservices: { a: { webhdfs: ['http://a:1'] } }, user: 'maas' } }),
  });
  store.put({
    metadata: { name: 'dga-1.0', uid },
    spec: { ...spec, ...change },
    status: { observedGeneration: 1, ...status },
  });
  return { store, instances: new FakeInstances() };
}

async function told(line: string, { store, instances }: ReturnType<typeof world>) {
  const inspector: Partial<ClusterInspector> = {
    lease: async () => ({ spec: { holderIdentity: 'op', renewTime: time(60), leaseDurationSeconds: 15 } }),
  };
  const ports = cliPorts({
    cluster: store.cluster(),
    clock: new HastyClock(Date.parse(time(60))),
    looking: { instances: () => instances.reader(), inspect: () => inspector as ClusterInspector },
  });
  const code = await typed(line, ports);
  return { code, out: ports.out.text, err: ports.err.text };
}

const reached = (...stages: [string, number][]) => stages.map(([stage, at]) => ({ stage, at: time(at) }));
const agentOf = (pod: string, stage: string, rest: object) => ({
  instance: `${pod}-uid-of-${pod}`,
  stage,
  since: time(0),
  zookeeper: 'connected',
  hdfs: { nameservice: 'a', path: '/models/dga', user: 'maas' },
  ...rest,
});

it('tells of calls that fail at a model that is up, and where more is said', async () => {
  const calls = '4 of 80 calls failed in the 5 minutes before 12:00:00Z (status 4), at 1 of 2 instances';
  const serves = { serving: '1.0', registered: 2, endpointsTotal: 2, payload: found };
  const conditions = [condition('Ready', 'True', 'Serving'), condition('CallsFailing', 'True', 'CallsFailing', calls)];
  const { code, out } = await told('why dga-1.0', world({ ...serves, conditions }));
  expect(code).toBe(0);
  expect(out).toContain('dga 1.0 is served: 2 of 2 registered\n');
  expect(out).toContain(`  calls      ${calls}\n`);
  expect(out).toMatch(/^ +kubectl maas logs dga-1.0 -n \S+ --agent$/m);
  const after = await told('why dga-1.0', world({ ...serves, conditions: conditions.slice(0, 1) }));
  expect(after.out).not.toContain('calls ');
  const listed = await told('list -o wide', world({ ...serves, conditions }));
  expect(listed.out).toContain(calls);
});

/** One that serves, and one whose script ends again and again. */
function oneFails() {
  const message = 'the script ended with status 1; its last lines: no module named flask';
  const is = world({
    serving: '1.0',
    registered: 1,
    endpointsTotal: 2,
    payload: found,
    endpoints: [
      { pod: 'dga-b', version: '1.0', state: 'ScriptEnded', message, next: 'Keep the script running.' },
      { pod: 'dga-a', version: '1.0', state: 'Registered', url: 'http://10.0.0.1:80', functions: { apply: 'apply' } },
    ],
    conditions: [
      condition('Ready', 'False', 'ScriptEnded', `1 of 2 registered; dga-b: ${message}`),
      condition('Reconciling', 'True', 'ScriptEnded'),
    ],
  });
  const { instances } = is;
  const terminated = { exitCode: 1, reason: 'Error', finishedAt: time(50), message: 'no module named flask' };
  instances.pods.push(
    podObject('dga-a', uid),
    podObject('dga-b', uid, {
      status: {
        conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: time(1) }],
        initContainerStatuses: [runningSince('agent', 3)],
        containerStatuses: [
          {
            name: 'model',
            restartCount: 2,
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 20s restarting failed container' } },
            lastState: { terminated },
          },
        ],
      },
    }),
  );
  instances.events.push(
    eventObject('dga-b', 'kubelet', 'Pulled', 'Container image "a" already present on machine', 2),
    eventObject('dga-b', 'kubelet', 'BackOff', 'Back-off restarting failed container model in pod dga-b', 55, 3),
  );
  instances.agents.set(
    'dga-b',
    agentOf('dga-b', 'WaitingForEndpoint', {
      reached: reached(['Starting', 3], ['FetchingPayload', 3.2], ['WaitingForEndpoint', 3.7]),
      scriptStarted: time(40),
      verifiedDigest: found.digest,
      payload: { bytesDone: found.bytes, bytesTotal: found.bytes, filesDone: 2, filesTotal: 2 },
    }),
  );
  instances.logs.set('dga-b/model', 'loading\nno module named \u001b[31mflask\n');
  instances.logs.set(
    'dga-b/agent',
    `{"level":"info","time":"${time(3.7)}","name":"agent","stage":"WaitingForEndpoint","msg":"stage"}\n`,
  );
  return is;
}

describe('why', () => {
  it('tells of the instance that fails, what it did, what was said of it, and what to do', async () => {
    expect(await told('why dga-1.0', oneFails())).toEqual({
      code: 0,
      err: '',
      out: `dga 1.0 is not fully served: 1 of 2 registered
  why        ScriptEnded for 30s, since 00:59:30Z: 1 of 2 registered; dga-b: the script ended with status 1; its last lines: no module named flask
  next       Keep the script running.
             kubectl maas logs dga-1.0 -n fraud --instance dga-b --previous
  clients    get version 1.0 at http://10.0.0.1:80
  functions  apply=apply
  payload    /models/dga as user maas; 2 files, 12 MiB, sha256:aaaaaaaaaaaa
  resource   fraud/dga-1.0

dga-b on node-1: ScriptEnded
  00:59:00Z           made
  00:59:01Z    +1.0s  scheduled  on node-1
  00:59:02Z    +1.0s  images     the agent's only, on the node already
  00:59:03Z    +1.0s  agent
  00:59:03Z    +0.7s  payload    12 MiB verified in 700ms, 17.1 MiB/s
  00:59:40Z   +36.3s  script     after 2 restarts
  kubelet    (5s ago, 3 times) BackOff: Back-off restarting failed container model in pod dga-b
  script     | loading
             | no module named flask
  agent      | 00:59:03Z stage stage=WaitingForEndpoint

1 more instance: \`kubectl maas watch dga-1.0 -n fraud\` shows all.
`,
    });
  });

  it('says of a model that serves since when, and what clients see', async () => {
    const endpoint = (pod: string) => ({ pod, version: '1.0', state: 'Registered', url: `http://${pod}:80` });
    const is = world({
      serving: '1.0',
      registered: 2,
      endpointsTotal: 2,
      payload: found,
      endpoints: [endpoint('dga-a'), endpoint('dga-b')],
      conditions: [condition('Ready', 'True', 'Serving', '2 of 2 registered', -3_600)],
    });
    const up = { containerStatuses: [runningSince('model', 1)], initContainerStatuses: [runningSince('agent', 2)] };
    const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: time(0) };
    const ready = { type: 'Ready', status: 'True', lastTransitionTime: time(9) };
    const status = { ...up, conditions: [scheduled, ready] };
    is.instances.pods.push(podObject('dga-a', uid, { status }), podObject('dga-b', uid, { status }));
    // An agent of an earlier release tells no steps: what the pod knows is told.
    is.instances.agents.set('dga-a', { ...agentOf('dga-a', 'Registered', {}), hdfs: undefined });
    expect((await told('why dga', is)).out).toBe(`dga 1.0 is served: 2 of 2 registered
  why        Serving for 61m, since 23:59:00Z: 2 of 2 registered
  clients    get version 1.0 at http://dga-a:80, http://dga-b:80
  payload    /models/dga as user maas; 2 files, 12 MiB, sha256:aaaaaaaaaaaa
  resource   fraud/dga-1.0

dga-a on node-1: Registered
  00:59:00Z           made
  00:59:00Z    +0.0s  scheduled  on node-1
  00:59:02Z    +2.0s  agent
  00:59:09Z    +7.0s  registered

1 more instance, up as well.
`);
    // Nobody reads logs of what is well.
    expect(is.instances.asked.filter((question) => question.startsWith('log'))).toEqual([]);
  });

  it('names what may not be read, and tells the rest from the status', async () => {
    const is = oneFails();
    for (const what of ['agent', 'events', 'log'] as const) is.instances.refused.add(what);
    const partly = await told('why dga', is);
    expect(partly.code).toBe(0);
    expect(partly.out).toContain(`
  script     | no module named flask
`);
    expect(partly.out).toContain(`
  not read   what its agent says (dga-b): agent is forbidden: User "eve" cannot get it
  not read   events (dga-b): events is forbidden: User "eve" cannot get it
  not read   its agent's log (dga-b): log is forbidden: User "eve" cannot get it
`);
    is.instances.refused.add('pods');
    const hardly = await told('why dga', is);
    expect(hardly.out).toContain('\ndga-b: ScriptEnded\n');
    expect(hardly.out).toContain('  not read   pods: pods is forbidden: User "eve" cannot get it\n');
  });

  it('tells as JSON what it tells people, with the command to run', async () => {
    const { out } = await told('why dga -o json', oneFails());
    const story = JSON.parse(out);
    expect(story).toMatchObject({
      kind: 'ModelStory',
      served: true,
      complete: false,
      reason: 'ScriptEnded',
      next: { command: 'kubectl maas logs dga-1.0 -n fraud --instance dga-b --previous' },
      instances: [{ pod: 'dga-b', script: { previous: false, lines: ['loading', expect.any(String)] } }],
      untold: 1,
      unread: [],
    });
    expect(story.instances[0].steps.at(-1)).toEqual({
      step: 'script',
      at: '2026-01-01T00:59:40.000Z',
      tookMs: 36_300,
      detail: 'after 2 restarts',
    });
  });

  it('says how far a switch is, and how to go back from one that cannot get any further', async () => {
    const revision = (number: number, rest: object) => ({
      revision: number,
      id: `${number}`,
      version: `${number}.0`,
      path: '/models/dga',
      startedAt: time(0),
      result: 'Stalled',
      spec: {},
      ...rest,
    });
    const is = world({
      serving: '0.9',
      registered: 0,
      rollout: { from: '0.9', to: '1.0', key: 'k', startedAt: time(0), answering: 1, needed: 2, released: false },
      history: [revision(2, {}), revision(1, { result: 'Serving', servedAt: time(0) })],
      endpoints: [{ pod: 'old', version: '0.9', state: 'Registered', url: 'http://old:80' }],
      conditions: [
        condition('Ready', 'False', 'Held', '0 of 2 registered'),
        condition('Stalled', 'True', 'RolloutDeadlineExceeded', 'not within 1m'),
      ],
    });
    expect((await told('why dga', is)).out).toBe(`dga 1.0 is not served: clients get version 0.9
  why        Held for 30s, since 00:59:30Z: 0 of 2 registered
  stalled    RolloutDeadlineExceeded: not within 1m
  switch     from version 0.9 to 1.0, begun 60s ago: 1 instance of 1.0 answers, 2 must before they are registered together
  next       Wait.
             kubectl maas watch dga-1.0 -n fraud
  go back    kubectl maas undo dga-1.0 -n fraud
  clients    get version 0.9 at http://old:80
  payload    /models/dga as user maas
  resource   fraud/dga-1.0
`);
  });

  it('says what nobody looks after, what is paused, what is stopped', async () => {
    const nobody = world({}, {});
    nobody.store.update('dga-1.0', { status: { observedGeneration: 0 } });
    nobody.store.putConfigMap('maas-system', settingsConfigMap, {
      [settingsKey]: JSON.stringify({
        hdfs: { nameservices: { a: { webhdfs: ['http://a:1'] } } },
        namespaces: ['dns'],
      }),
    });
    expect((await told('why dga', nobody)).out).toContain(
      'why        NotServed: the operator in namespace maas-system does not serve namespace fraud; it serves dns\n',
    );
    const paused = world({
      conditions: [condition('Ready', 'False', 'RollingOut', 'waits'), condition('Reconciling', 'False', 'Paused')],
    });
    const out = (await told('why dga', paused)).out;
    expect(out).toContain('dga 1.0 is not known to be served: ? of 2 registered, and is paused\n');
    expect(out).toContain('  next       kubectl maas resume dga-1.0 -n fraud\n');
    const inSwitch = world({
      serving: '0.9',
      registered: 0,
      rollout: { from: '0.9', to: '1.0', key: 'k', startedAt: time(0), answering: 2, needed: 2, released: false },
      endpoints: [
        { pod: 'new', version: '1.0', state: 'Held' },
        { pod: 'old', version: '0.9', state: 'Registered', url: 'http://old:80' },
      ],
      conditions: [
        condition('Ready', 'False', 'Held', '0 of 2 registered'),
        condition('Reconciling', 'False', 'Paused'),
      ],
    });
    inSwitch.instances.pods.push(podObject('new', uid), podObject('old', uid));
    const held = (await told('why dga', inSwitch)).out;
    expect(held).toContain('2 instances of 1.0 answer, and nothing goes on while it is paused\n');
    expect(held).toContain('  next       kubectl maas resume dga-1.0 -n fraud\n');
    expect(held).toContain('\nnew on node-1: Held\n');
    expect(held).not.toContain('Wait.');
    const stopped = world(
      { registered: 0, conditions: [condition('Ready', 'True', 'ScaledToZero')] },
      { instances: 0 },
    );
    expect((await told('why dga', stopped)).out).toContain('kubectl scale mdl dga-1.0 -n fraud --replicas 1\n');
  });
});
