import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeKubeApi } from '../../../test/builders/fake-kube-api.ts';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import { hasCode } from '../../contracts/errors.ts';
import { KubeClient } from './client.ts';
import { clusterInspector } from './cluster-inspector.ts';
import { createTransport, type Transport } from './transport.ts';

const clock = new HastyClock();
let api: FakeKubeApi;
let transport: Transport;
let inspector: ReturnType<typeof clusterInspector>;

beforeEach(async () => {
  api = await new FakeKubeApi().start();
  transport = createTransport(() => api.kubeconfig(), clock, 'maas-test');
  inspector = clusterInspector(new KubeClient(transport, clock), new AbortController().signal);
});
afterEach(async () => {
  transport.close();
  await api.stop();
});

describe('the inspector of a cluster', () => {
  it('finds what stands for the operator, and nothing where it does not', async () => {
    expect([await inspector.crd(), await inspector.clusterUid()]).toEqual([undefined, undefined]);
    expect(await inspector.lease('maas', 'maas-operator')).toBeUndefined();
    api.put('apiextensions.k8s.io/v1/customresourcedefinitions', { metadata: { name: 'modeldeployments.maas.dev' } });
    api.put('v1/namespaces', { metadata: { name: 'kube-system', uid: 'the-cluster' } });
    api.put('coordination.k8s.io/v1/leases', {
      metadata: { namespace: 'maas', name: 'maas-operator' },
      spec: { a: 1 },
    });
    expect(await inspector.crd()).toMatchObject({ metadata: { name: 'modeldeployments.maas.dev' } });
    expect(await inspector.clusterUid()).toBe('the-cluster');
    expect(await inspector.lease('maas', 'maas-operator')).toMatchObject({ spec: { a: 1 } });
  });

  it('tells the operator from other Deployments by its label', async () => {
    const deployment = (name: string, labels: Record<string, string>) =>
      api.put('apps/v1/deployments', { metadata: { namespace: 'maas', name, labels } });
    deployment('one', { 'app.kubernetes.io/name': 'maas-operator' });
    deployment('dga-1', { 'app.kubernetes.io/name': 'model' });
    expect(await inspector.operators('maas')).toMatchObject([{ metadata: { name: 'one' } }]);
  });

  it('reads keys, never values', async () => {
    api.put('v1/secrets', { metadata: { namespace: 'fraud', name: 's' }, data: { token: 'c2VjcmV0' } });
    api.put('v1/configmaps', {
      metadata: { namespace: 'fraud', name: 'c' },
      data: { a: '1' },
      binaryData: { b: 'Mg==' },
    });
    api.put('scheduling.k8s.io/v1/priorityclasses', { metadata: { name: 'high' } });
    expect(await inspector.keysOf('Secret', 'fraud', 's')).toEqual(['token']);
    expect(await inspector.keysOf('ConfigMap', 'fraud', 'c')).toEqual(['a', 'b']);
    expect(await inspector.keysOf('PriorityClass', undefined, 'high')).toEqual([]);
    expect(await inspector.keysOf('Secret', 'fraud', 'gone')).toBeUndefined();
  });

  it('knows namespaces and nodes', async () => {
    api.put('v1/namespaces', { metadata: { name: 'fraud' } });
    api.put('v1/nodes', { metadata: { name: 'n1' }, status: { allocatable: { cpu: '2' } } });
    expect([await inspector.namespaceExists('fraud'), await inspector.namespaceExists('lab')]).toEqual([true, false]);
    expect(await inspector.nodes()).toMatchObject([{ status: { allocatable: { cpu: '2' } } }]);
  });

  it('asks what the caller may do, or a service account with all its groups', async () => {
    api.fault = ({ body }) => {
      const spec = (body as { spec: { user?: string; groups?: string[] } }).spec;
      const groups = ['system:serviceaccounts', 'system:serviceaccounts:maas', 'system:authenticated'];
      const known =
        spec.user === 'system:serviceaccount:maas:op' && groups.every((each) => spec.groups?.includes(each));
      return { do: 'answer', status: 201, body: { status: { allowed: spec.user === undefined || known } } };
    };
    const list = { verb: 'list', group: '', resource: 'pods' };
    expect(await inspector.can(list)).toBe(true);
    expect(await inspector.can(list, { namespace: 'maas', name: 'op' })).toBe(true);
    expect(await inspector.can(list, { namespace: 'lab', name: 'op' })).toBe(false);
  });

  it('hands on that it may not look', async () => {
    api.fault = () => ({ do: 'answer', status: 403, body: { kind: 'Status', reason: 'Forbidden', message: 'no' } });
    await expect(inspector.nodes()).rejects.toSatisfy((error) => hasCode(error, 'CLUSTER_FORBIDDEN'));
  });
});
