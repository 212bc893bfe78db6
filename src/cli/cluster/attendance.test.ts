import { describe, expect, it } from 'vitest';
import { cliPorts } from '../../../test/builders/cli-ports.ts';
import { typed } from '../../../test/builders/command-line.ts';
import { ManualClock } from '../../../test/builders/manual-clock.ts';
import { keyOf, ModelStore } from '../../../test/builders/model-store.ts';
import { type Concern, concernsAnnotation, encodeConcerns } from '../../contracts/concern.ts';
import { MaasError } from '../../contracts/errors.ts';
import { settingsConfigMap, settingsKey } from '../../contracts/settings.ts';
import type { ApiObject, ClusterInspector } from '../ports.ts';

const now = Date.UTC(2026, 0, 1);
const add = 'add --name dga --version 1.0 --memory 512 --hdfs-model-path models/dga';

const leaseOf = (secondsAgo: number, concerns: readonly Concern[] = []): ApiObject => ({
  metadata: { annotations: { [concernsAnnotation]: encodeConcerns(concerns) } },
  spec: { leaseDurationSeconds: 15, renewTime: new Date(now - secondsAgo * 1_000).toISOString() },
});
const refused: Concern = {
  reason: 'NamespaceRefused',
  subject: 'namespace fraud',
  namespaces: ['fraud'],
  message: 'the operator may not look after the models of namespace fraud: forbidden',
  next: 'Make the Role again.',
};

/** The caller works in the namespace fraud. */
function begin(
  line: string,
  world: { serves?: readonly string[]; lease?: ApiObject | 'none' | 'forbidden' },
  present?: Parameters<ModelStore['put']>[0],
) {
  const store = new ModelStore();
  if (present !== undefined) store.put(present);
  const clock = new ManualClock(now);
  if (world.serves !== undefined) {
    store.configMaps.set(keyOf('maas-system', settingsConfigMap), {
      [settingsKey]: JSON.stringify({
        hdfs: { nameservices: { main: { webhdfs: ['http://nn1:9870'] } } },
        namespaces: world.serves,
      }),
    });
  }
  const inspector: Pick<ClusterInspector, 'lease'> = {
    lease: async () => {
      if (world.lease === 'forbidden') throw new MaasError('CLUSTER_FORBIDDEN', 'no');
      return world.lease === 'none' ? undefined : world.lease;
    },
  };
  const ports = cliPorts({
    cluster: store.cluster(),
    clock,
    looking: { inspect: () => inspector as ClusterInspector },
  });
  const done: { code?: number } = {};
  void typed(line, ports).then((code) => {
    done.code = code;
  });
  return { store, clock, ports, done };
}

describe('add', () => {
  it.each<[string, Parameters<typeof begin>[1], RegExp, RegExp]>([
    [
      'a namespace that is not served',
      { serves: ['ads', 'lab'], lease: leaseOf(1) },
      /error\[NAMESPACE_NOT_SERVED\]: the operator in namespace maas-system does not serve namespace fraud; it serves ads, lab/,
      /next: .*-n.*--operator-namespace.*`namespaces`/,
    ],
    [
      'the same, where the Lease may not be read',
      { serves: ['ads'], lease: 'forbidden' },
      /NAMESPACE_NOT_SERVED/,
      /next: /,
    ],
    [
      'a namespace that has lost its Role',
      { serves: ['fraud'], lease: leaseOf(1, [refused]) },
      /error\[NAMESPACE_NOT_SERVED\]: the operator may not look after the models of namespace fraud/,
      /next: Make the Role again\./,
    ],
  ])('refuses %s, and writes nothing', async (_name, world, message, next) => {
    const { store, clock, ports, done } = begin(add, world);
    await clock.advance(0);
    expect(done.code).toBe(3);
    expect(ports.err.text).toMatch(message);
    expect(ports.err.text).toMatch(next);
    expect(store.peek('dga-1.0')).toBeUndefined();
  });

  it.each<[string, Parameters<typeof begin>[1], string]>([
    ['a namespace that is served', { serves: ['fraud'], lease: leaseOf(1) }, ''],
    ['all namespaces', { serves: [], lease: leaseOf(1) }, ''],
    ['somebody who may not look', { lease: 'forbidden' }, ''],
    ['another operator, which publishes elsewhere', { lease: 'none' }, ''],
    [
      'an operator that is away, and says so',
      { serves: [], lease: leaseOf(3_600) },
      'note: the operator in namespace maas-system was last at work 60m ago; it is done when one is\n',
    ],
  ])('goes on with %s', async (_name, world, note) => {
    const { store, clock, ports, done } = begin(add, world);
    await clock.advance(0);
    expect([done.code, ports.err.text]).toEqual([0, note]);
    expect(store.peek('dga-1.0')).toBeDefined();
  });

  it.each<[string, Parameters<typeof begin>[1], RegExp]>([
    [
      'an operator that is away',
      { serves: [], lease: leaseOf(3_600) },
      /error\[OPERATOR_AWAY\]: nobody takes up dga 1.0: the operator in namespace maas-system was last at work 60m ago/,
    ],
    [
      'no operator at all',
      { lease: 'none' },
      /error\[OPERATOR_AWAY\]: nobody takes up dga 1.0: there is no operator in namespace maas-system\nnext: .*--operator-namespace/,
    ],
  ])('--wait ends within seconds with %s', async (_name, world, message) => {
    const { clock, ports, done } = begin(`${add} --wait`, world);
    await clock.advance(11_000);
    expect(done.code).toBeUndefined();
    await clock.advance(4_000);
    expect(done.code).toBe(5);
    expect(ports.err.text).toMatch(message);
  });

  it('--wait waits for an operator that is at work, and for one of which nothing is known', async () => {
    for (const lease of [leaseOf(-600), 'forbidden'] as const) {
      const { clock, done } = begin(`${add} --wait`, { serves: ['fraud'], lease });
      await clock.advance(120_000);
      expect(done.code).toBeUndefined();
    }
  });
});

describe('list', () => {
  const shown = async (world: Parameters<typeof begin>[1], status = {}) => {
    const { clock, ports, done } = begin('list --all-namespaces', world, {
      metadata: { name: 'dga-1.0' },
      spec: { name: 'dga', version: '1.0', instances: 1, memory: '512Mi', payload: { path: 'p' } },
      status,
    });
    await clock.advance(0);
    expect(done.code).toBe(0);
    return { out: ports.out.text, err: ports.err.text };
  };
  const serving = {
    observedGeneration: 1,
    conditions: [
      { type: 'Ready', status: 'True', reason: 'Serving', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ],
  };

  it('says that nobody serves the namespace of a model that nobody has seen', async () => {
    const { out, err } = await shown({ serves: ['ads'], lease: leaseOf(1) });
    expect(out).toContain('NotServed');
    expect(err).toMatch(/^note: the operator in namespace maas-system does not serve namespace fraud/);
  });

  it('says that what it shows of a namespace that was lost may be old', async () => {
    const { out, err } = await shown({ serves: ['fraud'], lease: leaseOf(1, [refused]) }, serving);
    expect(out).toContain('Serving');
    expect(err).toMatch(
      /^note: the operator may not look after the models of namespace fraud.*Make the Role again\.\n$/,
    );
  });

  it('says since when no operator is at work', async () => {
    const { err } = await shown({ serves: [], lease: leaseOf(300) }, serving);
    expect(err).toBe(
      'note: the operator in namespace maas-system was last at work 5m ago. What is shown may be old.\n',
    );
  });

  it('says nothing else where all is well, or nothing is known', async () => {
    expect((await shown({ serves: ['fraud'], lease: leaseOf(1) }, serving)).err).toBe('');
    expect((await shown({ lease: 'forbidden' }, serving)).err).toBe('');
    expect((await shown({ lease: 'none' }, serving)).err).toBe('');
  });
});
