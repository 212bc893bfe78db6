import { describe, expect, it, onTestFinished } from 'vitest';
import { failure } from '../../../test/builders/failure.ts';
import { FakeKubeApi, type Fault } from '../../../test/builders/fake-kube-api.ts';
import { systemClock } from '../../kernel/system-clock.ts';
import { callModel } from '../http/model-call.ts';
import { KubeClient } from './client.ts';
import { throughApiServer } from './pod-proxy.ts';
import { createTransport } from './transport.ts';

const pod = '/api/v1/namespaces/fraud/pods/';

async function world(answers: readonly Extract<Fault, { do: 'answer' }>[]) {
  const api = await new FakeKubeApi().start();
  const left = [...answers];
  api.fault = () => left.shift();
  const transport = createTransport(() => api.kubeconfig(), systemClock, 'maas-test');
  onTestFinished(async () => {
    transport.close();
    await api.stop();
  });
  const ask = throughApiServer(new KubeClient(transport, systemClock), { namespace: 'fraud', name: 'p' });
  const asked = () => api.requests.map(({ path, query }) => [path, query.toString()]);
  return { asked, call: (url: string) => callModel(ask, url, { timeoutMs: 5_000, maxBytes: 1_000 }) };
}

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  ({ do: 'answer', status, body, headers }) as const;

describe('a call through the API server', () => {
  it.each([
    ['http://10.0.0.1:1500/base/apply?a=b+c', `${pod}p%3A1500/proxy/base/apply`, 'a=b+c'],
    ['http://10.0.0.1/apply?', `${pod}p%3A80/proxy/apply`, ''],
    ['https://10.0.0.1/apply?', `${pod}https%3Ap%3A443/proxy/apply`, ''],
  ])('of %s asks for %s', async (url, path, query) => {
    const { asked, call } = await world([answer(200, { a: 1 })]);
    expect(await call(url)).toMatchObject({ kind: 'answered', status: 200 });
    expect(asked()).toEqual([[path, query]]);
  });

  it('passes on what the model says, whatever its status', async () => {
    const { call } = await world([answer(503, { error: 'mine' })]);
    const outcome = await call('http://10.0.0.1:1500/apply?');
    expect(outcome).toMatchObject({ kind: 'answered', status: 503 });
    expect(outcome.kind === 'answered' && Buffer.from(outcome.body).toString()).toBe('{"error":"mine"}');
  });

  it.each([
    [503, 'error trying to reach service: dial tcp 10.0.0.1:1500: connect: connection refused'],
    [404, 'pods "p" not found'],
  ])('tells a %i of the API server from one of the model', async (status, message) => {
    const { call } = await world([answer(status, { kind: 'Status', apiVersion: 'v1', message, code: status })]);
    expect(await call('http://10.0.0.1:1500/apply?')).toMatchObject({ kind: 'unreached', problem: message });
  });

  it('tells a connection that broke off from one that was never there', async () => {
    const message = 'error trying to reach service: EOF';
    const { call } = await world([answer(502, { kind: 'Status', apiVersion: 'v1', message, code: 502 })]);
    expect(await call('http://10.0.0.1:1500/apply?')).toMatchObject({ kind: 'dropped', problem: message });
  });

  it('fails where nobody asked the model because the caller may not', async () => {
    const message = 'pods "p:1500" is forbidden: User "u" cannot get resource "pods/proxy" in API group ""';
    const { call } = await world([answer(403, { kind: 'Status', apiVersion: 'v1', message, code: 403 })]);
    expect(await failure(call('http://10.0.0.1:1500/apply?'))).toMatchObject({ code: 'CLUSTER_FORBIDDEN' });
  });

  it('follows a redirect within the pod', async () => {
    const location = `https://api${pod}p:1500/proxy/elsewhere?x=1`;
    const { asked, call } = await world([answer(302, '', { location }), answer(200, {})]);
    expect(await call('http://10.0.0.1:1500/apply?')).toMatchObject({ kind: 'answered', status: 200 });
    expect(asked()[1]).toEqual([`${pod}p%3A1500/proxy/elsewhere`, 'x=1']);
  });
});
