import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeKubeApi } from '../../../test/builders/fake-kube-api.ts';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import { hasCode } from '../../contracts/errors.ts';
import { KubeClient } from './client.ts';
import { commandCluster } from './command-cluster.ts';
import { createTransport, type Transport } from './transport.ts';

const models = 'maas.dev/v1/modeldeployments';
const clock = new HastyClock();

let api: FakeKubeApi;
let transport: Transport;
let cluster: ReturnType<typeof commandCluster>;

beforeEach(async () => {
  api = await new FakeKubeApi().start();
  transport = createTransport(() => api.kubeconfig(), clock, 'maas-test');
  cluster = commandCluster(new KubeClient(transport, clock), 'fraud', new AbortController().signal);
});
afterEach(async () => {
  transport.close();
  await api.stop();
});

const dga = { name: 'dga', version: '1.0', instances: 1 };
const put = (namespace: string, name = 'dga-1.0') => api.put(models, { metadata: { namespace, name }, spec: dga });
const specOf = (namespace = 'fraud', name = 'dga-1.0') => api.find(models, namespace, name)?.['spec'];

async function stateOf(name: string, namespace = 'fraud') {
  const { uid = '', resourceVersion = '' } = api.find(models, namespace, name)?.metadata ?? {};
  return { namespace, name, uid, resourceVersion };
}

describe('the cluster of the commands: models', () => {
  it('are those of a namespace, or of all', async () => {
    put('fraud');
    put('lab');
    expect(await cluster.list('lab')).toMatchObject([{ metadata: { namespace: 'lab' }, spec: dga }]);
    expect(await cluster.list(undefined)).toHaveLength(2);
    expect(await cluster.get('fraud', 'dga-1.0')).toMatchObject({ spec: dga });
    expect(await cluster.get('fraud', 'other')).toBeUndefined();
  });

  it('are made once', async () => {
    const manifest = {
      apiVersion: 'maas.dev/v1',
      kind: 'ModelDeployment',
      metadata: { name: 'dga-1.0', namespace: 'fraud' },
      spec: dga,
    };
    expect(await cluster.create(manifest, false)).toMatchObject({ spec: dga });
    expect(specOf()).toEqual(dga);
    await expect(cluster.create(manifest, false)).rejects.toSatisfy((error) => hasCode(error, 'CONFLICT'));
  });

  it('are changed only in the state that was seen', async () => {
    put('fraud');
    const seen = await stateOf('dga-1.0');
    const annotations = { 'maas.dev/payload-complete': 'now' };
    expect(await cluster.patch(seen, { spec: { instances: 3 }, annotations }, false)).toMatchObject({
      metadata: { annotations },
      spec: { ...dga, instances: 3 },
    });
    await expect(cluster.patch(seen, { spec: { instances: 9 } }, false)).rejects.toSatisfy((error) =>
      hasCode(error, 'CONFLICT'),
    );
    expect(specOf()).toEqual({ ...dga, instances: 3 });
  });

  it('are deleted only in the state that was seen', async () => {
    put('fraud');
    const seen = await stateOf('dga-1.0');
    await cluster.patch(seen, { spec: { instances: 3 } }, false);
    await expect(cluster.delete(seen, { foreground: false, dryRun: false })).rejects.toSatisfy((error) =>
      hasCode(error, 'CONFLICT'),
    );
    await cluster.delete(await stateOf('dga-1.0'), { foreground: true, dryRun: false });
    expect(api.all(models)).toEqual([]);
    expect(api.requests.at(-1)?.body).toMatchObject({ propagationPolicy: 'Foreground' });
  });

  it.each(['create', 'patch', 'delete'] as const)('are only looked at in a dry run: %s', async (call) => {
    put('fraud');
    const state = await stateOf('dga-1.0');
    api.fault = () => ({
      do: 'answer',
      status: 200,
      body: { metadata: { name: 'n', uid: 'u', resourceVersion: '1' } },
    });
    await {
      create: () => cluster.create({ metadata: { name: 'n', namespace: 'fraud' }, spec: dga }, true),
      patch: () => cluster.patch(state, { spec: dga }, true),
      delete: () => cluster.delete(state, { foreground: false, dryRun: true }),
    }[call]();
    const sent = api.requests.at(-1);
    expect([sent?.query.get('dryRun'), sent?.body]).toSatisfy(
      ([query, body]) => query === 'All' || JSON.stringify(body).includes('"dryRun":["All"]'),
    );
  });
});

describe('the cluster of the commands: ConfigMaps', () => {
  it('are read, and are nothing where there is none', async () => {
    expect(await cluster.configMap('maas', 'modes')).toBeUndefined();
    expect(await cluster.configMapState('maas', 'modes')).toBeUndefined();
    api.put('v1/configmaps', { metadata: { namespace: 'maas', name: 'modes' } });
    expect(await cluster.configMap('maas', 'modes')).toEqual({});
  });

  it('are made without a loss of what is there, and changed in the state that was seen', async () => {
    const made = await cluster.makeConfigMap('maas', 'modes');
    expect(made).toMatchObject({ namespace: 'maas', name: 'modes', data: {} });
    await cluster.patchConfigMap(made, { a: '1' });
    expect(await cluster.makeConfigMap('maas', 'modes')).toMatchObject({ data: { a: '1' } });
    await expect(cluster.patchConfigMap(made, { a: '2' })).rejects.toSatisfy((error) => hasCode(error, 'CONFLICT'));
    expect(await cluster.configMap('maas', 'modes')).toEqual({ a: '1' });
  });
});
