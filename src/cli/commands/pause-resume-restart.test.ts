import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import { ModelStore, part, someModels } from '../../../test/builders/model-store.ts';
import { MaasError } from '../../contracts/errors.ts';
import { annotations } from '../../contracts/names.ts';
import type { ApiObject } from '../ports.ts';

const spec = { name: 'dga', version: '1.0', instances: 3, memory: '512Mi', payload: { path: 'models/dga' } };

function storeWith(change: ApiObject = {}, status: ApiObject = {}): ModelStore {
  const store = new ModelStore();
  store.put({ metadata: { name: 'dga-1.0' }, spec: { ...spec, ...change }, status });
  return store;
}

async function ran(line: string, store: ModelStore, before?: (call: string) => Promise<void>) {
  const clock = new HastyClock(Date.parse('2026-01-01T01:00:00Z'));
  const ports = cliPorts({ cluster: store.cluster(before === undefined ? {} : { before }), clock });
  const code = await typed(line, ports);
  return { code, out: ports.out.text, err: ports.err.text };
}

const condition = (type: string, status: string, reason: string, message = '') => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const pausedOf = (store: ModelStore) => part(store.peek('dga-1.0') ?? {}, 'spec')['paused'];
const refreshOf = (store: ModelStore) =>
  part(part(store.peek('dga-1.0') ?? {}, 'metadata'), 'annotations')[annotations.refresh];

describe('a name that is not there', () => {
  it.each([
    ['pause dag-1.0', 'next: Did you mean dga-1.0?\n'],
    ['why DGA', 'next: Did you mean dga or dga-1.0?\n'],
    ['undo weather', 'next: There is one in another namespace: add -n elsewhere.\n'],
    ['logs sky', 'next: See what is deployed with `kubectl maas list -A`.\n'],
  ])('of %s: %s', async (line, next) => {
    const store = storeWith();
    store.put({ metadata: { name: 'rain', namespace: 'elsewhere' }, spec: { ...spec, name: 'weather' } });
    const { code, err } = await ran(line, store);
    expect([code, err]).toEqual([3, expect.stringContaining(next)]);
  });

  it('is not found where other namespaces may not be seen', async () => {
    let lists = 0;
    const { code, err } = await ran('undo weather', storeWith(), async (call) => {
      if (call === 'list' && ++lists > 1) throw new MaasError('CLUSTER_FORBIDDEN', 'list');
    });
    expect([code, err]).toEqual([3, expect.stringContaining('`kubectl maas list -A`')]);
  });
});

describe('pause and resume', () => {
  it('set and take back what the operator looks at, and say where there is nothing to do', async () => {
    const store = storeWith();
    expect((await ran('pause dga-1.0', store)).out).toBe(
      'modeldeployment.maas.dev/dga-1.0 paused: what runs goes on, and nothing is changed until it is resumed\n',
    );
    expect(pausedOf(store)).toBe(true);
    expect(await ran('pause dga-1.0', store)).toEqual({
      code: 0,
      out: 'modeldeployment.maas.dev/dga-1.0 is paused already\n',
      err: '',
    });
    expect((await ran('resume dga-1.0', store)).out).toBe('modeldeployment.maas.dev/dga-1.0 resumed\n');
    expect(part(store.peek('dga-1.0') ?? {}, 'spec')).toEqual(spec);
    expect((await ran('resume dga-1.0', store)).out).toBe('modeldeployment.maas.dev/dga-1.0 is not paused\n');
    expect(store.writes.length).toBe(2);
  });

  it('give two people who do it at once one answer each, and write once', async () => {
    const store = storeWith();
    let met = 0;
    const together = Promise.withResolvers<void>();
    const before = async (call: string) => {
      if (call !== 'patch') return;
      met += 1;
      if (met === 2) together.resolve();
      await together.promise;
    };
    const answers = await Promise.all([ran('pause dga-1.0', store, before), ran('pause dga-1.0', store, before)]);
    expect(answers.map(({ out }) => out.split(' ').slice(1, 4).join(' ')).sort()).toEqual([
      'is paused already\n',
      'paused: what runs',
    ]);
    expect(store.writes.length).toBe(1);
  });

  it('take the name of the model where one resource alone is of it', async () => {
    const store = someModels();
    expect((await ran('pause echo', store)).out).toContain('/echo-1.0 paused');
    expect(await ran('pause dga', store)).toMatchObject({
      code: 2,
      err: expect.stringContaining('several resources of namespace fraud are of dga: dga-1.0, dga-2.0'),
    });
    expect(await ran('pause nobody', store)).toMatchObject({
      code: 3,
      err: expect.stringContaining('no resource and no model of namespace fraud is called nobody'),
    });
    expect(store.writes.length).toBe(1);
  });

  it('refuse a model that is on its way out', async () => {
    const store = new ModelStore();
    store.put({ metadata: { name: 'dga-1.0', deletionTimestamp: '2026-01-01T00:00:00Z' }, spec });
    expect(await ran('pause dga', store)).toMatchObject({ code: 3, err: expect.stringContaining('is being deleted') });
  });

  it('change nothing in a dry run', async () => {
    const store = storeWith();
    expect((await ran('pause dga-1.0 --dry-run', store)).out).toContain('paused: true');
    expect(store.writes).toEqual([]);
  });

  it('wait until the operator says so', async () => {
    const store = storeWith();
    const before = async (call: string) => {
      if (call !== 'get' || pausedOf(store) !== true) return;
      store.update('dga-1.0', {
        status: { observedGeneration: 2, conditions: [condition('Reconciling', 'False', 'Paused')] },
      });
    };
    expect(await ran('pause dga-1.0 --wait', store, before)).toMatchObject({ code: 0, err: 'dga 1.0: paused (0s)\n' });
  });
});

describe('restart', () => {
  it('says what will happen, and when one before it is not done', async () => {
    const store = storeWith();
    expect((await ran('restart dga', store)).out).toBe(
      'modeldeployment.maas.dev/dga-1.0 restarts its 3 instances, one after the other, each when a new one serves\n',
    );
    expect(refreshOf(store)).toBe('2026-01-01T01:00:00.000Z');
    store.update('dga-1.0', {
      metadata: { annotations: { [annotations.refresh]: '2026-01-01T00:59:20.000Z' } },
      status: { conditions: [condition('Reconciling', 'True', 'RollingOut')] },
    });
    expect((await ran('restart dga', store)).out).toContain('; one that was asked for 40s ago is not done\n');
  });

  it.each<[string, ApiObject, string]>([
    ['one instance', { instances: 1 }, 'restarts its instance, which goes when a new one serves'],
    ['none', { instances: 0 }, 'has no instances that could be restarted'],
    ['a pause', { paused: true }, 'restarts its 3 instances when it is resumed: it is paused'],
  ])('of %s says so', async (_, change, did) => {
    expect((await ran('restart dga', storeWith(change))).out).toBe(`modeldeployment.maas.dev/dga-1.0 ${did}\n`);
  });

  it('waits for instances that were started since, not for those of before', async () => {
    const store = storeWith();
    let looks = 0;
    const serving = { registered: 3, conditions: [condition('Ready', 'True', 'Serving', '3 of 3 registered')] };
    store.update('dga-1.0', { status: { observedGeneration: 1, ...serving } });
    const before = async (call: string) => {
      if (call !== 'get' || refreshOf(store) === undefined) return;
      looks += 1;
      const refreshed = looks > 3 ? { refreshed: refreshOf(store) } : {};
      store.update('dga-1.0', { status: { observedGeneration: 2, ...serving, ...refreshed } });
    };
    expect((await ran('restart dga-1.0 --wait', store, before)).code).toBe(0);
    expect(looks).toBe(4);
  });

  it('does not wait for what only somebody who resumes it can bring about', async () => {
    const store = storeWith({ paused: true });
    const before = async (call: string) => {
      if (call !== 'get' || refreshOf(store) === undefined) return;
      store.update('dga-1.0', {
        status: {
          observedGeneration: 2,
          refreshed: refreshOf(store),
          conditions: [
            condition('Ready', 'False', 'RollingOut', '0 of 3; paused by spec.paused'),
            condition('Reconciling', 'False', 'Paused'),
          ],
        },
      });
    };
    expect(await ran('restart dga-1.0 --wait', store, before)).toMatchObject({
      code: 5,
      err: expect.stringContaining('Let it go on with `kubectl maas resume dga-1.0 -n fraud`.'),
    });
  });
});
