import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { ManualClock } from '../../../test/builders/manual-clock.ts';
import { ModelStore } from '../../../test/builders/model-store.ts';
import { MaasError } from '../../contracts/errors.ts';

const condition = (type: string, status: 'True' | 'False', reason: string, message = '') => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const addOne = 'add --name dga --version 1.0 --wait --timeout 30s';
const removeAll = 'remove --name dga --version 1.0 --wait --timeout 30s';

const up = {
  replicas: 2,
  ready: 2,
  registered: 2,
  conditions: [
    condition('Ready', 'True', 'Serving', '2 of 2 registered'),
    condition('Reconciling', 'False', 'Settled'),
  ],
};

/** One instance runs, and the command under test asks for the second. */
function begin(line = addOne, instances = 1) {
  const store = new ModelStore();
  const spec = { name: 'dga', version: '1.0', instances, memory: '512Mi', payload: { path: 'p' } };
  store.put({ metadata: { name: 'dga-1.0' }, spec, status: { ...up, observedGeneration: 1, registered: instances } });
  const clock = new ManualClock();
  const trouble: { now?: MaasError } = {};
  const interrupt = new AbortController();
  const cluster = store.cluster({
    before: async (call) => {
      if (call === 'get' && trouble.now !== undefined) throw trouble.now;
    },
  });
  const ports = cliPorts({ cluster, clock, signal: interrupt.signal });
  const done: { code?: number } = {};
  const ended = typed(line, ports).then((code) => {
    done.code = code;
  });
  return { store, clock, ports, done, ended, trouble, interrupt };
}

const scaled = 'modeldeployment.maas.dev/dga-1.0 scaled from 1 to 2 instances\n';

describe('add --wait', () => {
  it.each(['Shadow', 'Draining'])(
    'is done without registrations where the mode is not to register: %s',
    async (reason) => {
      const { store, clock, done } = begin();
      const conditions = [
        condition('Ready', 'True', reason, '2 of 2 answer'),
        condition('Reconciling', 'False', 'Settled'),
      ];
      store.update('dga-1.0', { status: { observedGeneration: 2, ready: 2, registered: 0, conditions } });
      await clock.advance(1_000);
      expect(done.code).toBe(0);
    },
  );

  it('does not wait for an operator that only looks', async () => {
    const { store, clock, ports, done } = begin();
    const conditions = [condition('Ready', 'True', 'Observed', 'the operator only looks')];
    store.update('dga-1.0', { status: { observedGeneration: 2, conditions } });
    await clock.advance(1_000);
    expect(done.code).toBe(5);
    expect(ports.err.text).toContain('the operator only looks');
  });

  it('waits until the operator has seen the change and all instances are registered', async () => {
    const { store, clock, ports, done } = begin();
    await clock.advance(1_000);
    // What the status says is about the generation before.
    expect(done.code).toBeUndefined();
    store.update('dga-1.0', {
      status: {
        observedGeneration: 2,
        conditions: [
          condition('Ready', 'False', 'Starting', '1 of 2 registered'),
          condition('Reconciling', 'True', 'Starting'),
        ],
      },
    });
    await clock.advance(1_000);
    store.update('dga-1.0', {
      status: {
        ...up,
        conditions: [
          condition('Ready', 'True', 'Serving', '2 of 2 registered'),
          condition('Reconciling', 'True', 'RollingOut'),
        ],
      },
    });
    await clock.advance(1_000);
    expect(done.code).toBeUndefined();
    store.update('dga-1.0', { status: up });
    await clock.advance(1_000);
    expect(done.code).toBe(0);
    expect(ports.out.text).toBe(scaled);
    expect(ports.err.text).toBe(
      [
        'dga 1.0: waiting for the operator to see the change (0s)',
        'dga 1.0: Starting: 1 of 2 registered (1s)',
        'dga 1.0: Serving: 2 of 2 registered (2s)',
        '',
      ].join('\n'),
    );
  });

  it('ends at once when only a person can help, and says why', async () => {
    const { store, clock, ports, done } = begin();
    await clock.advance(100);
    store.update('dga-1.0', {
      status: {
        observedGeneration: 2,
        registered: 1,
        endpoints: [
          { pod: 'p1', version: '1.0', state: 'Registered' },
          { pod: 'p2\u001b', version: '1.0', state: 'Starting', message: 'soon' },
        ],
        conditions: [condition('Stalled', 'True', 'PayloadNoScript', 'no *.sh in /models/dga')],
      },
    });
    await clock.advance(1_000);
    expect(done.code).toBe(5);
    expect(ports.err.text).toBe(
      [
        'dga 1.0: waiting for the operator to see the change (0s)',
        '  p2\\u001b  Starting: soon',
        'error[MODEL_STALLED]: dga 1.0 cannot come up by itself: PayloadNoScript: no *.sh in /models/dga',
        'next: Correct what the message names.',
        '',
      ].join('\n'),
    );
  });

  it('ends with the time, and says what it waits for', async () => {
    const { store, clock, ports, done } = begin();
    await clock.advance(100);
    store.update('dga-1.0', {
      status: {
        observedGeneration: 2,
        registered: 1,
        endpoints: [{ pod: 'p2', version: '1.0', state: 'ScriptEnded', message: 'status 1' }],
        conditions: [condition('Ready', 'False', 'ScriptEnded', '1 of 2 registered; p2: status 1')],
      },
    });
    await clock.advance(29_000);
    expect(done.code).toBeUndefined();
    await clock.advance(1_000);
    expect(done.code).toBe(5);
    expect(ports.err.text).toContain(
      [
        '  p2  ScriptEnded: status 1',
        'error[TIMEOUT]: dga 1.0 is not up after 30s: ScriptEnded: 1 of 2 registered; p2: status 1',
        'next: It is still being tried. See more with `kubectl maas why dga-1.0 -n fraud`.',
        '',
      ].join('\n'),
    );
  });

  it('says that no operator is there', async () => {
    const { clock, ports, done } = begin();
    await clock.advance(15_000);
    expect(done.code).toBe(5);
    expect(ports.err.text).toContain(
      'error[OPERATOR_AWAY]: nobody takes up dga 1.0: there is no operator in namespace maas-system\nnext: Install it, or name its namespace with --operator-namespace.\n',
    );
  });

  it('takes no other resource of the same name for its own', async () => {
    const { store, clock, ports, done } = begin();
    await clock.advance(100);
    store.update('dga-1.0', { metadata: { uid: 'successor' }, status: { ...up, observedGeneration: 2 } });
    await clock.advance(1_000);
    expect(done.code).toBe(3);
    expect(ports.err.text).toContain('error[MODEL_NOT_FOUND]: dga 1.0 was removed by somebody else while waiting\n');
  });

  it('counts what others want meanwhile', async () => {
    const { store, clock, done } = begin();
    await clock.advance(100);
    store.update('dga-1.0', {
      metadata: { generation: 3 },
      spec: { instances: 5 },
      status: { ...up, observedGeneration: 2 },
    });
    await clock.advance(1_000);
    expect(done.code).toBeUndefined();
    store.update('dga-1.0', { status: { ...up, observedGeneration: 3, registered: 5 } });
    await clock.advance(1_000);
    expect(done.code).toBe(0);
  });

  it('outlives an API server that is away for a while, not one that refuses', async () => {
    const { store, clock, ports, done, trouble } = begin();
    trouble.now = new MaasError('CLUSTER_UNREACHABLE', 'connection refused');
    await clock.advance(20_000);
    expect(done.code).toBeUndefined();
    expect(ports.err.text).toContain('dga 1.0: cannot ask the cluster: connection refused');
    delete trouble.now;
    store.update('dga-1.0', { status: { ...up, observedGeneration: 2 } });
    await clock.advance(1_000);
    expect(done.code).toBe(0);

    const refused = begin();
    refused.trouble.now = new MaasError('CLUSTER_FORBIDDEN', 'may not get');
    await refused.clock.advance(1_000);
    expect(refused.done.code).toBe(4);
  });

  it('can be interrupted', async () => {
    const { ports, done, ended, interrupt, clock } = begin();
    await clock.advance(100);
    interrupt.abort(new Error('SIGINT received'));
    await ended;
    expect(done.code).toBe(130);
    expect(ports.err.text).toContain('error[INTERRUPTED]: interrupted; what was written to the cluster stays\n');
  });
});

describe('remove --wait', () => {
  it('waits until there are no more instances than wanted', async () => {
    const { store, clock, ports, done } = begin(`${removeAll} --instances 1`, 2);
    store.update('dga-1.0', { status: { observedGeneration: 2, replicas: 1, endpointsTotal: 2 } });
    await clock.advance(1_000);
    expect(done.code).toBeUndefined();
    store.update('dga-1.0', { status: { endpointsTotal: 1 } });
    await clock.advance(1_000);
    expect(done.code).toBe(0);
    expect(ports.err.text).toBe('dga 1.0: 2 instances, 1 wanted (0s)\ndga 1.0: 1 instance, 1 wanted (1s)\n');
  });

  it('waits until a deleted model is gone with all that belongs to it', async () => {
    const { store, ports, done, clock } = begin();
    await clock.advance(0);
    store.update('dga-1.0', { status: { ...up, observedGeneration: 2 } });
    await clock.advance(1_000);
    expect(done.code).toBe(0);
    expect(ports.out.text).toBe(scaled);
    const removal = cliPorts({ cluster: store.cluster(), clock });
    expect(await typed(removeAll, removal)).toBe(0);
    expect(store.writes.at(-1)).toBe('delete dga-1.0 in the foreground');
    expect(removal.err.text).toBe('dga 1.0: gone (0s)\n');
  });
});
