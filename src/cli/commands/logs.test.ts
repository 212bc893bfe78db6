import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { FakeInstances, podObject, runningSince, time } from '../../../test/builders/fake-instances.ts';
import { ModelStore } from '../../../test/builders/model-store.ts';
import { MaasError } from '../../contracts/errors.ts';
import type { Clock } from '../../kernel/clock.ts';
import { systemClock } from '../../kernel/system-clock.ts';
import type { ApiObject, InstanceReader, LogLine } from '../ports.ts';

const uid = 'uid-1';
const spec = { name: 'dga', version: '1.0', instances: 2, memory: '64Mi', payload: { path: '/models/dga' } };

function world() {
  const store = new ModelStore();
  store.put({ metadata: { name: 'dga-1.0', uid }, spec });
  return { store, instances: new FakeInstances() };
}

const running = (restarts = 0) => ({ containerStatuses: [runningSince('model', 1, { restartCount: restarts })] });
const ended = (restarts = 0) => ({
  containerStatuses: [
    { name: 'model', restartCount: restarts, state: { terminated: { exitCode: 1, reason: 'Error', message: '' } } },
  ],
});
const pod = (name: string, status: ApiObject = running()) => podObject(name, uid, { status });

/** A short while is over soon, but not before others had their turn. */
const brisk: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 2), signal) };

interface Seen {
  readonly terminal?: boolean;
  readonly reader?: Partial<InstanceReader>;
  readonly signal?: AbortSignal;
}

function shown(line: string, { store, instances }: ReturnType<typeof world>, { terminal, reader, signal }: Seen = {}) {
  const ports = cliPorts({
    cluster: store.cluster(),
    clock: brisk,
    ...(terminal === undefined ? {} : { terminal }),
    ...(signal === undefined ? {} : { signal }),
    looking: { instances: () => instances.reader(reader) },
  });
  return typed(line, ports).then((code) => ({ code, out: ports.out.text, err: ports.err.text }));
}

describe('logs', () => {
  it('has the name of its instance before each line, and says which has printed nothing', async () => {
    const is = world();
    const waiting = [{ name: 'model', state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }];
    is.instances.pods.push(pod('dga-bb'), pod('dga-a'), pod('dga-c', { containerStatuses: waiting }));
    is.instances.logs.set('dga-a/model', 'one\n\n\ttwo \u001b[31m\n').set('dga-bb/model', 'three');
    expect(await shown('logs dga', is)).toEqual({
      code: 0,
      out: 'dga-a | one\ndga-a | \ndga-a | \ttwo \ndga-bb | three\n',
      err: 'note: dga-c has printed nothing yet: ImagePullBackOff: no such image\n',
    });
    expect(is.instances.asked).toContain('log fraud dga-a model 100');
    expect((await shown('logs dga', is, { terminal: true })).out).toContain('\u001b[36mdga-a |\u001b[0m one\n');
  });

  it('of one instance are its own words alone', async () => {
    const is = world();
    is.instances.pods.push(pod('dga-a'), pod('dga-b'));
    is.instances.logs.set('dga-b/model/previous', 'before\n');
    expect(await shown('logs dga-1.0 --instance dga-b --previous --tail 5', is)).toEqual({
      code: 0,
      out: 'before\n',
      err: '',
    });
    expect(is.instances.asked.at(-1)).toBe('log fraud dga-b model 5 previous');
    expect(await shown('logs dga-1.0 --instance other', is)).toMatchObject({
      code: 3,
      err: expect.stringContaining(
        'there is no instance other, but dga-a, dga-b; `kubectl maas why dga-1.0 -n fraud` tells more',
      ),
    });
  });

  it('name the instances that there are, and say that nothing ran before the first start', async () => {
    const is = world();
    is.instances.pods.push(pod('dga-a'), pod('dga-b'));
    expect(await shown('logs dga-1.0 --instance dga-x', is)).toMatchObject({
      code: 3,
      err: 'note: there is no instance dga-x, but dga-a, dga-b; `kubectl maas why dga-1.0 -n fraud` tells more\n',
    });
    expect(await shown('logs dga-1.0 --instance dga-b --previous', is)).toMatchObject({
      code: 0,
      out: '',
      err: 'note: dga-b has not been started again, so nothing ran before\n',
    });
  });

  it('of agents are text on a terminal and JSON to a pipe', async () => {
    const is = world();
    const json = `{"level":"warn","time":"${time(0)}","name":"agent","err":{"code":"HDFS_ERROR","message":"no"},"msg":"not yet"}`;
    is.instances.pods.push(pod('dga-a', { initContainerStatuses: [runningSince('agent', 1)] }));
    is.instances.logs.set('dga-a/agent', `${json}\nnot JSON\n`);
    expect((await shown('logs dga --agent', is)).out).toBe(`${json}\nnot JSON\n`);
    expect((await shown('logs dga --agent', is, { terminal: true })).out).toBe(
      '00:59:00Z warn: not yet err="HDFS_ERROR: no"\nnot JSON\n',
    );
  });

  it('say where there are none, and which permission is missing', async () => {
    const is = world();
    expect(await shown('logs dga', is)).toMatchObject({ code: 0, err: expect.stringContaining('no instances') });
    is.instances.pods.push(pod('dga-a'));
    is.instances.refused.add('log');
    expect(await shown('logs dga', is)).toMatchObject({ code: 4, err: expect.stringContaining('log is forbidden') });
    expect(await shown('logs dga -f --previous', is)).toMatchObject({ code: 2 });
  });
});

/** A cluster that tells step by step what its pods are, each step once the reader has seen the one before. */
function scenes(steps: readonly (readonly ApiObject[])[], onStep: (step: number) => Promise<void> = async () => {}) {
  return async function* (): AsyncGenerator<readonly ApiObject[]> {
    for (const [step, pods] of steps.entries()) {
      await onStep(step);
      yield pods;
    }
  };
}

const lines = (...texts: string[]): LogLine[] =>
  texts.map((text) => ({ at: text.slice(0, text.indexOf(' ')), text: text.slice(text.indexOf(' ') + 1) }));

describe('logs -f', () => {
  it('follows new instances and new starts, says no line twice, and ends when the model is gone', async () => {
    const is = world();
    const asked: string[] = [];
    const followed: Record<string, LogLine[][]> = {
      // A connection that broke: what it had said comes again.
      'dga-a': [
        lines('2026-01-01T00:00:01.1Z one'),
        lines('2026-01-01T00:00:01.1Z one', '2026-01-01T00:00:01.12Z two'),
        lines('2026-01-01T00:00:09Z started again'),
      ],
      'dga-b': [lines('2026-01-01T00:00:05Z new')],
    };
    const counts: Record<string, number> = {};
    const until = (name: string, times: number) =>
      expect.poll(() => counts[name] ?? 0, { interval: 1, timeout: 2_000 }).toBeGreaterThanOrEqual(times);
    const reader: Partial<InstanceReader> = {
      livePods: scenes(
        [[pod('dga-a')], [pod('dga-a', running(1)), pod('dga-b')], [pod('dga-a', running(1))], []],
        async (step) => {
          if (step === 1) await until('dga-a', 2);
          if (step === 2) await until('dga-b', 1);
          if (step === 3) {
            await until('dga-a', 3);
            is.store.remove('dga-1.0');
          }
        },
      ),
      followLog: async function* (_, name, container, { tail, since }) {
        const at = counts[name] ?? 0;
        asked.push(`${name} ${container} ${tail ?? 'all'} ${since ?? ''}`);
        counts[name] = at + 1;
        yield* followed[name]?.[at] ?? [];
        if (at === 0 && name === 'dga-a') throw new MaasError('CLUSTER_UNREACHABLE', 'cut');
      },
    };
    expect(await shown('logs dga -f --tail 3', is, { reader })).toEqual({
      code: 0,
      out: 'dga-a | one\ndga-a | two\ndga-b | new\ndga-a | started again\n',
      err: 'note: dga-1.0 is gone\n',
    });
    expect(asked.slice(0, 2)).toEqual(['dga-a model 3 ', 'dga-a model all 2026-01-01T00:00:01.1Z']);
    expect(asked).toContain('dga-b model all ');
  });

  it('of one instance end with it, and where there is none of this name', async () => {
    const is = world();
    const livePods = scenes([[pod('dga-a'), pod('dga-b')], [pod('dga-b')]]);
    const followLog = async function* (_: string, name: string) {
      yield* lines(`2026-01-01T00:00:01Z of ${name}`);
    };
    expect(await shown('logs dga -f --instance dga-a', is, { reader: { livePods, followLog } })).toEqual({
      code: 0,
      out: 'dga-a | of dga-a\n',
      err: 'note: dga-a is gone\n',
    });
    expect(await shown('logs dga -f --instance dga-x', is, { reader: { livePods, followLog } })).toEqual({
      code: 3,
      out: '',
      err: 'note: there is no instance dga-x, but dga-a, dga-b; `kubectl maas why dga-1.0 -n fraud` tells more\n',
    });
  });

  it('reads a container that ended once, and ends when it is interrupted', async () => {
    const is = world();
    const interrupt = new AbortController();
    let reads = 0;
    const reader: Partial<InstanceReader> = {
      livePods: async function* (_, __, until) {
        yield [pod('dga-a', ended())];
        await expect.poll(() => reads, { interval: 1 }).toBe(1);
        yield [pod('dga-a', ended())];
        interrupt.abort(new Error('SIGINT received'));
        if (!until.aborted) await new Promise((resolve) => until.addEventListener('abort', resolve));
      },
      followLog: async function* () {
        reads += 1;
        yield { at: '2026-01-01T00:00:01Z', text: 'the end' };
      },
    };
    expect(await shown('logs dga -f', is, { reader, signal: interrupt.signal })).toEqual({
      code: 130,
      out: 'dga-a | the end\n',
      err: '',
    });
    expect(reads).toBe(1);
  });

  it('ends where the permission is missing, which is told once', async () => {
    const is = world();
    const reader: Partial<InstanceReader> = {
      livePods: async function* (_, __, until) {
        yield [pod('dga-a'), pod('dga-b')];
        if (!until.aborted) await new Promise((resolve) => until.addEventListener('abort', resolve));
      },
      followLog: async function* () {
        yield* await Promise.reject<LogLine[]>(new MaasError('CLUSTER_FORBIDDEN', 'get pods/log is forbidden'));
      },
    };
    const { code, err } = await shown('logs dga -f', is, { reader });
    expect([code, err.split('is forbidden').length]).toEqual([4, 2]);
  });
});
