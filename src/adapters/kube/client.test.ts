import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeKubeApi, type Fault, refusal } from '../../../test/builders/fake-kube-api.ts';
import { HastyClock } from '../../../test/builders/manual-clock.ts';
import { hasCode } from '../../contracts/errors.ts';
import { apiStatusOf } from './api-status.ts';
import { KubeClient } from './client.ts';
import { configMaps, deployments, type KubeObject, namespaces, pods, type ResourceKind } from './resource-kind.ts';
import { createTransport, type Transport } from './transport.ts';

const models: ResourceKind<KubeObject & { spec?: { name?: string }; status?: { ready?: number } }> = {
  apiVersion: 'maas.dev/v1',
  kind: 'ModelDeployment',
  plural: 'modeldeployments',
  namespaced: true,
};

describe('the Kubernetes client', () => {
  let api: FakeKubeApi;
  let transport: Transport;
  let client: KubeClient;
  let clock: HastyClock;

  beforeEach(async () => {
    api = await new FakeKubeApi().start();
    clock = new HastyClock();
    transport = createTransport(() => api.kubeconfig(), clock, 'maas-test');
    client = new KubeClient(transport, clock, () => 0);
  });
  afterEach(async () => {
    transport.close();
    await api.stop();
  });

  /** The first faults, one a request, then service. */
  const failFirst = (...faults: Fault[]): void => {
    api.fault = () => faults.shift();
  };
  const model = (name: string, fields: object = {}) => ({ metadata: { namespace: 'fraud', name }, ...fields });
  const fails = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => expect.unreachable('the call should have failed'),
      (error: unknown) => error,
    );

  it('finds the path of every kind', async () => {
    await client.get(deployments, { namespace: 'fraud', name: 'a' });
    await client.get(namespaces, { name: 'fraud' });
    await client.list(pods, { namespace: 'fraud', labelSelector: 'a=b' });
    await client.list(models);
    expect(api.requests.map((request) => request.path)).toEqual([
      '/apis/apps/v1/namespaces/fraud/deployments/a',
      '/api/v1/namespaces/fraud',
      '/api/v1/namespaces/fraud/pods',
      '/apis/maas.dev/v1/modeldeployments',
    ]);
    expect(api.requests[2]?.query.get('labelSelector')).toBe('a=b');
  });

  it('refuses names that would address something else', async () => {
    for (const name of ['', '.', '..']) {
      await expect(client.get(pods, { namespace: 'fraud', name })).rejects.toThrow(TypeError);
    }
    await client.get(pods, { namespace: 'fraud', name: '../../secrets' });
    expect(api.requests.map((request) => request.path)).toEqual(['/api/v1/namespaces/fraud/pods/..%2F..%2Fsecrets']);
  });

  it('reads what is there and says undefined for what is not', async () => {
    api.put('v1/configmaps', { metadata: { namespace: 'fraud', name: 'a' }, data: { key: 'ä' } });
    expect(await client.get(configMaps, { namespace: 'fraud', name: 'a' })).toMatchObject({ data: { key: 'ä' } });
    expect(await client.get(configMaps, { namespace: 'fraud', name: 'b' })).toBeUndefined();
  });

  it('does not take a kind that the server does not know for absent objects', async () => {
    failFirst({ do: 'answer', status: 404, body: '404 page not found' });
    const error = await fails(client.get(models, { namespace: 'fraud', name: 'a' }));
    expect(hasCode(error, 'CLUSTER_NOT_FOUND')).toBe(true);
    failFirst({ do: 'answer', status: 404, body: '404 page not found' });
    const onDelete = await fails(client.delete(models, { namespace: 'fraud', name: 'a' }));
    expect(hasCode(onDelete, 'CLUSTER_NOT_FOUND')).toBe(true);
  });

  it('lists all pages, with the kind on each item', async () => {
    for (let i = 0; i < 7; i++) api.put('maas.dev/v1/modeldeployments', model(`m${i}`));
    const { items, resourceVersion } = await client.list(models, { pageSize: 3 });
    expect(items.map((item) => item.metadata.name)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6']);
    expect(items[6]).toMatchObject({ apiVersion: 'maas.dev/v1', kind: 'ModelDeployment' });
    expect(resourceVersion).not.toBe('');
    expect(api.requests).toHaveLength(3);
  });

  it('starts a list over when its continuation expired', async () => {
    for (let i = 0; i < 4; i++) api.put('maas.dev/v1/modeldeployments', model(`m${i}`));
    let expired = false;
    api.fault = (request) => {
      if (expired || request.query.get('continue') === null) return undefined;
      expired = true;
      return { do: 'answer', status: 410, body: refusal(410, 'Expired', 'the provided continue parameter is too old') };
    };
    const { items } = await client.list(models, { pageSize: 3 });
    expect(items).toHaveLength(4);
  });

  it('applies with a manager, and by UID never creates', async () => {
    const options = { fieldManager: 'maas-operator' };
    const created = await client.apply(models, model('a', { spec: { name: 'dga' } }), options);
    const [request] = api.requests;
    expect(request?.headers['content-type']).toBe('application/apply-patch+yaml');
    expect(Object.fromEntries(request?.query ?? [])).toEqual({ fieldManager: 'maas-operator', force: 'true' });
    expect(request?.body).toMatchObject({ apiVersion: 'maas.dev/v1', kind: 'ModelDeployment' });

    api.remove('maas.dev/v1/modeldeployments', 'fraud', 'a');
    const late = model('a', { metadata: { namespace: 'fraud', name: 'a', uid: created.metadata.uid } });
    expect(hasCode(await fails(client.apply(models, late, options)), 'CONFLICT')).toBe(true);
    expect(api.all('maas.dev/v1/modeldeployments')).toEqual([]);
  });

  it('writes the status through its subresource', async () => {
    api.put('maas.dev/v1/modeldeployments', model('a'));
    await client.applyStatus(models, model('a', { status: { ready: 1 } }), { fieldManager: 'm' });
    expect(api.requests[0]?.path).toBe('/apis/maas.dev/v1/namespaces/fraud/modeldeployments/a/status');
    expect(api.requests[0]?.query.get('force')).toBe('true');
  });

  it('patches only the object and the state that was meant', async () => {
    const known = api.put('maas.dev/v1/modeldeployments', model('a'));
    const name = { namespace: 'fraud', name: 'a' };
    const stale = await fails(client.mergePatch(models, name, { spec: {} }, { resourceVersion: '1' }));
    expect(hasCode(stale, 'CONFLICT')).toBe(true);
    const uid = known.metadata.uid ?? '';
    const patched = await client.mergePatch(models, name, { metadata: { labels: { a: 'b' } } }, { uid });
    expect(patched.metadata.labels).toEqual({ a: 'b' });
  });

  it('deletes only the object that was meant', async () => {
    const known = api.put('maas.dev/v1/modeldeployments', model('a'));
    const name = { namespace: 'fraud', name: 'a' };
    expect(hasCode(await fails(client.delete(models, name, { uid: 'another' })), 'CONFLICT')).toBe(true);
    expect(api.all('maas.dev/v1/modeldeployments')).toHaveLength(1);
    expect(await client.delete(models, name, { uid: known.metadata.uid ?? '', foreground: true })).toBe(true);
    expect(api.requests.at(-1)?.body).toMatchObject({
      propagationPolicy: 'Foreground',
      preconditions: { uid: known.metadata.uid },
    });
    expect(await client.delete(models, name)).toBe(false);
  });

  it('repeats reads after a reset connection, and only reads', async () => {
    failFirst({ do: 'reset' }, { do: 'reset' });
    expect(await client.get(configMaps, { namespace: 'fraud', name: 'a' })).toBeUndefined();
    expect(api.requests).toHaveLength(3);

    failFirst({ do: 'serve-and-reset' });
    const error = await fails(client.create(configMaps, { metadata: { namespace: 'fraud', name: 'a' } }));
    expect(hasCode(error, 'CLUSTER_UNREACHABLE')).toBe(true);
    expect(api.requests.filter((request) => request.method === 'POST')).toHaveLength(1);
  });

  it('gives a read up after three resets', async () => {
    api.fault = () => ({ do: 'reset' });
    const error = await fails(client.get(configMaps, { namespace: 'fraud', name: 'a' }));
    expect(hasCode(error, 'CLUSTER_UNREACHABLE')).toBe(true);
    expect(api.requests).toHaveLength(3);
  });

  it('waits as long as a 429 says, for writes too, and not for ever', async () => {
    const busy: Fault = {
      do: 'answer',
      status: 429,
      headers: { 'retry-after': '2' },
      body: refusal(429, 'TooManyRequests', 'slow down'),
    };
    failFirst(busy, busy);
    await client.create(configMaps, { metadata: { namespace: 'fraud', name: 'a' } });
    expect(clock.waits).toEqual([2_000, 2_000]);
    api.fault = () => busy;
    const error = await fails(client.get(configMaps, { namespace: 'fraud', name: 'a' }));
    expect(hasCode(error, 'CLUSTER_UNAVAILABLE')).toBe(true);
    expect(clock.waits).toHaveLength(5);
  });

  it('ends a call that gets no answer at its deadline', async () => {
    failFirst({ do: 'hang' });
    const error = await fails(client.get(configMaps, { namespace: 'fraud', name: 'a' }, { deadlineMs: 50 }));
    expect(hasCode(error, 'CLUSTER_UNREACHABLE')).toBe(true);
    expect(String(error)).toContain('within 50 ms');
  });

  it('ends a call when it is given up', async () => {
    failFirst({ do: 'hang' });
    const abort = new AbortController();
    const call = fails(client.list(configMaps, { signal: abort.signal }));
    abort.abort();
    expect(hasCode(await call, 'CLUSTER_UNREACHABLE')).toBe(true);
  });

  it('says that nobody listens', async () => {
    await api.stop();
    const error = await fails(client.serverVersion());
    expect(hasCode(error, 'CLUSTER_UNREACHABLE')).toBe(true);
    expect(String(error)).toContain(transport.address());
    api = await new FakeKubeApi().start();
  });

  it('reads the credentials anew after a 401', async () => {
    let loads = 0;
    const renewing = createTransport(
      () => {
        loads++;
        return api.kubeconfig();
      },
      clock,
      'maas-test',
    );
    failFirst({ do: 'answer', status: 401, body: refusal(401, 'Unauthorized', 'Unauthorized') });
    await new KubeClient(renewing, clock).list(pods);
    expect(loads).toBe(2);
    api.fault = () => ({ do: 'answer', status: 401, body: refusal(401, 'Unauthorized', 'Unauthorized') });
    expect(hasCode(await fails(new KubeClient(renewing, clock).list(pods)), 'CLUSTER_UNAUTHENTICATED')).toBe(true);
    renewing.close();
  });

  it('names the missing permission, and does not where none is missing', async () => {
    const rbac = 'pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "fraud"';
    failFirst({ do: 'answer', status: 403, body: refusal(403, 'Forbidden', rbac) });
    const denied = await fails(client.list(pods, { namespace: 'fraud' }));
    expect(denied).toMatchObject({
      code: 'CLUSTER_FORBIDDEN',
      next: 'Ask for the permission to list pods of API group "" in namespace fraud.',
    });
    const quota = 'pods "a" is forbidden: exceeded quota: compute, requested: limits.memory=1Gi';
    failFirst({ do: 'answer', status: 403, body: refusal(403, 'Forbidden', quota) });
    const refused = await fails(client.create(pods, { metadata: { namespace: 'fraud', name: 'a' } }));
    expect(hasCode(refused, 'CLUSTER_REFUSED')).toBe(true);
  });

  it('tells which fields are wrong', async () => {
    const body = {
      ...refusal(422, 'Invalid', 'ModelDeployment "a" is invalid'),
      details: {
        name: 'a',
        causes: [{ field: 'spec.memory', message: 'did you mean Mi?', reason: 'FieldValueInvalid' }],
      },
    };
    failFirst({ do: 'answer', status: 422, body });
    const error = await fails(client.apply(models, model('a'), { fieldManager: 'm' }));
    expect(hasCode(error, 'CLUSTER_REFUSED')).toBe(true);
    expect(String(error)).toContain('spec.memory: did you mean Mi?');
    expect(apiStatusOf(error)?.causes[0]?.field).toBe('spec.memory');
  });

  it.each([
    ['an object without a UID', { metadata: { name: 'a' } }],
    ['a list', []],
    ['nothing', null],
  ])('does not take %s for an object', async (_what, body) => {
    failFirst({ do: 'answer', status: 200, body });
    const error = await fails(client.get(pods, { namespace: 'fraud', name: 'a' }));
    expect(hasCode(error, 'CLUSTER_UNAVAILABLE')).toBe(true);
  });

  it('asks what the caller may do, or somebody else', async () => {
    api.fault = ({ path }) => ({
      do: 'answer',
      status: 201,
      body: { status: { allowed: path.endsWith('/selfsubjectaccessreviews') } },
    });
    const permission = { verb: 'list', group: '', resource: 'pods', namespace: 'fraud' };
    expect(await client.can(permission)).toBe(true);
    const subject = { user: 'system:serviceaccount:maas:op', groups: ['system:serviceaccounts'] };
    expect(await client.can(permission, { subject })).toBe(false);
    expect(api.requests.slice(-2).map(({ path, body }) => ({ path, body }))).toEqual([
      {
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes: permission },
        },
      },
      {
        path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec: { ...subject, resourceAttributes: permission },
        },
      },
    ]);
  });

  it('uses one connection for calls that follow each other', async () => {
    for (let i = 0; i < 5; i++) await client.list(pods);
    expect(api.connections).toBe(1);
  });
});
