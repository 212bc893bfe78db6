import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeKubeApi } from '../../../test/builders/fake-kube-api.ts';
import { hasCode } from '../../contracts/errors.ts';
import { annotations } from '../../contracts/names.ts';
import { KubeClient } from './client.ts';
import { queueCluster } from './queue-cluster.ts';
import { createTransport, type Transport } from './transport.ts';

const instant = { now: () => Date.now(), monotonic: () => performance.now(), sleep: async () => {} };
const record = { namespace: 'maas-system', name: 'the-record' };
const manifest = {
  name: 'dga-1.0',
  namespace: 'fraud',
  requests: '["r1"]',
  payloadComplete: '2026-01-01T00:00:00Z',
  spec: { name: 'dga', version: '1.0', instances: 2, memory: '512Mi' },
};

describe('the cluster of the old queue', () => {
  let api: FakeKubeApi;
  let transport: Transport;
  let known: { namespace: string; name: string }[];
  let events: unknown[];
  let cluster: ReturnType<typeof aCluster>;

  function aCluster() {
    return queueCluster({
      client: new KubeClient(transport, instant, () => 0),
      recorder: { record: (about, event) => events.push([about, event]) },
      record,
      known: (model) => (model === 'dga' ? known : []),
      project: ({ metadata, spec }, autoscaler) => ({
        autoscaler,
        state: {
          namespace: metadata.namespace ?? '',
          name: metadata.name,
          uid: metadata.uid,
          resourceVersion: metadata.resourceVersion,
        },
        annotations: metadata.annotations,
        spec,
      }),
    });
  }

  beforeEach(async () => {
    api = await new FakeKubeApi().start();
    transport = createTransport(() => api.kubeconfig(), instant, 'maas-test');
    known = [];
    events = [];
    cluster = aCluster();
  });
  afterEach(async () => {
    transport.close();
    await api.stop();
  });

  const put = (namespace: string, name: string) =>
    api.put('maas.dev/v1/modeldeployments', { metadata: { namespace, name }, spec: { name: 'dga' } });
  const made = async () => {
    const [model] = await cluster.find('fraud', 'dga', 'dga-1.0');
    if (model === undefined) return expect.unreachable('there is no model');
    return model;
  };
  const isConflict = (call: Promise<unknown>) =>
    call.then(
      () => false,
      (error: unknown) => hasCode(error, 'CONFLICT'),
    );

  it('finds what the watch knows of the model in that namespace, and what has its name, as they are now', async () => {
    known = [
      { namespace: 'fraud', name: 'by-hand' },
      { namespace: 'ads', name: 'elsewhere' },
      { namespace: 'fraud', name: 'gone-since' },
    ];
    for (const [namespace, name] of [
      ['fraud', 'by-hand'],
      ['ads', 'elsewhere'],
      ['fraud', 'dga-1.0'],
      ['fraud', 'other'],
    ] as const)
      put(namespace, name);
    const names = async (model: string) =>
      (await cluster.find('fraud', model, 'dga-1.0')).map(({ state }) => state.name).sort();
    expect(await names('dga')).toEqual(['by-hand', 'dga-1.0']);
    expect(await names('unheard-of')).toEqual(['dga-1.0']);
  });

  it('knows the autoscaler of each, and of none where it may not look at autoscalers', async () => {
    put('fraud', 'dga-1.0');
    const bounds = { minReplicas: 2, maxReplicas: 5 };
    const target = { apiVersion: 'maas.dev/v1', kind: 'ModelDeployment', name: 'dga-1.0' };
    const autoscaler = (name: string, scaleTargetRef: object, namespace = 'fraud') =>
      api.put('autoscaling/v2/horizontalpodautoscalers', {
        metadata: { namespace, name },
        spec: { ...bounds, scaleTargetRef },
      });
    autoscaler('z-second', target);
    autoscaler('a-deployment', { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dga-1.0' });
    autoscaler('a-elsewhere', target, 'ads');
    autoscaler('by-load', target);
    expect(await made()).toMatchObject({ autoscaler: { name: 'by-load', min: 2, max: 5 } });
    api.fault = ({ path }) => (path.endsWith('horizontalpodautoscalers') ? { do: 'answer', status: 403 } : undefined);
    expect((await made()).autoscaler).toBeUndefined();
  });

  it('makes a resource with the request that it came from, and never two of one name', async () => {
    const about = await cluster.create(manifest);
    expect(about).toMatchObject({ kind: 'ModelDeployment', namespace: 'fraud', name: 'dga-1.0' });
    expect(await made()).toMatchObject({
      state: { uid: about.uid },
      annotations: {
        [annotations.queueRequests]: '["r1"]',
        [annotations.payloadComplete]: '2026-01-01T00:00:00Z',
      },
      spec: manifest.spec,
    });
    await expect(cluster.create(manifest)).rejects.toThrow();
  });

  it('changes instances and annotations in one write, and leaves what it is not told', async () => {
    await cluster.create(manifest);
    const { state } = await made();
    await cluster.change(state, { instances: 5, requests: '["r1","r2"]', removal: 'r2' });
    expect(await made()).toMatchObject({
      spec: { ...manifest.spec, instances: 5 },
      annotations: {
        [annotations.queueRequests]: '["r1","r2"]',
        [annotations.queueRemoval]: 'r2',
        [annotations.payloadComplete]: '2026-01-01T00:00:00Z',
      },
    });
    const { state: now } = await made();
    await cluster.change(now, { instances: 1, memory: '1Gi', requests: '["r3"]', removal: null });
    const { spec, annotations: kept } = await made();
    expect(spec).toMatchObject({ instances: 1, memory: '1Gi' });
    expect(kept).not.toHaveProperty(annotations.queueRemoval);
  });

  it.each(['change', 'delete'] as const)(
    'does not %s what is in another state by now, nor a successor',
    async (what) => {
      await cluster.create(manifest);
      const { state } = await made();
      const act = () =>
        what === 'delete'
          ? cluster.delete(state)
          : cluster.change(state, { instances: 9, requests: '[]', removal: null });
      api.put('maas.dev/v1/modeldeployments', {
        metadata: { namespace: 'fraud', name: 'dga-1.0' },
        spec: { instances: 3 },
      });
      expect(await isConflict(act())).toBe(true);
      expect((await made()).spec).toEqual({ instances: 3 });
      api.remove('maas.dev/v1/modeldeployments', 'fraud', 'dga-1.0');
      await cluster.create(manifest);
      expect(await isConflict(act())).toBe(true);
      expect((await made()).spec).toEqual(manifest.spec);
    },
  );

  it('deletes what is in the state that was seen', async () => {
    await cluster.create(manifest);
    await cluster.delete((await made()).state);
    expect(await cluster.find('fraud', 'dga', 'dga-1.0')).toEqual([]);
  });

  it('keeps the record: made with its first entry, then patched, over the state that was read', async () => {
    expect(await cluster.record()).toBeUndefined();
    const about = await cluster.writeRecord(undefined, { first: '1', 'never-there': null });
    const first = await cluster.record();
    expect(first?.data).toEqual({ first: '1' });
    expect(about).toEqual({ kind: 'ConfigMap', ...record, uid: first?.state.uid });
    await cluster.writeRecord(first?.state, { first: null, second: '2' });
    expect((await cluster.record())?.data).toEqual({ second: '2' });
    expect(await isConflict(cluster.writeRecord(first?.state, { second: '3' }))).toBe(true);
    expect((await cluster.record())?.data).toEqual({ second: '2' });
  });

  it.each([
    ['ModelDeployment', 'maas.dev/v1'],
    ['ConfigMap', 'v1'],
  ] as const)('tells an event about a %s in the version of its kind', (kind, apiVersion) => {
    const event = { type: 'Normal', reason: 'RequestDone', message: 'm', action: 'Request' } as const;
    const object = { namespace: 'fraud', name: 'x', uid: 'u' };
    cluster.event({ kind, ...object }, event);
    expect(events).toEqual([[{ apiVersion, kind, ...object }, event]]);
  });
});
