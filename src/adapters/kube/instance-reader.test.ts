import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeKubeApi } from '../../../test/builders/fake-kube-api.ts';
import { hasCode } from '../../contracts/errors.ts';
import { labels } from '../../contracts/names.ts';
import { systemClock } from '../../kernel/system-clock.ts';
import { KubeClient } from './client.ts';
import { instanceReader } from './instance-reader.ts';
import { createTransport, type Transport } from './transport.ts';

const pods = 'v1/pods';

let api: FakeKubeApi;
let transport: Transport;
let reader: ReturnType<typeof instanceReader>;
const never = new AbortController().signal;

beforeEach(async () => {
  api = await new FakeKubeApi().start();
  transport = createTransport(() => api.kubeconfig(), systemClock, 'maas-test');
  reader = instanceReader(new KubeClient(transport, systemClock), systemClock, never);
});
afterEach(async () => {
  transport.close();
  await api.stop();
});

const put = (name: string, owner = 'one') =>
  api.put(pods, { metadata: { namespace: 'fraud', name, labels: { [labels.owner]: owner } } });
const asked = () => api.requests.map(({ path, query }) => `${path}?${query}`);

describe('what is read of instances', () => {
  it('is the log of a container, what its agent says, and events about it', async () => {
    api.fault = ({ path }) => ({
      do: 'answer',
      status: 200,
      body: path.endsWith('/events') ? { metadata: { resourceVersion: '1' }, items: [] } : { text: path },
    });
    // What else a caller's value has is none of the question.
    const wish = { tail: 5, previous: true, name: 'dga-1.0', namespace: 'other', follow: true };
    await reader.log('fraud', 'dga-a', 'model', wish);
    await reader.agent('fraud', 'dga-a', 8_099);
    await reader.events('fraud', 'u1');
    expect(asked()).toEqual([
      '/api/v1/namespaces/fraud/pods/dga-a/log?container=model&tailLines=5&previous=true',
      '/api/v1/namespaces/fraud/pods/http%3Adga-a%3A8099/proxy/status?',
      '/api/v1/namespaces/fraud/events?limit=500&fieldSelector=involvedObject.uid%3Du1',
    ]);
  });

  it('says which permission is missing', async () => {
    api.fault = () => ({
      do: 'answer',
      status: 403,
      body: {
        kind: 'Status',
        reason: 'Forbidden',
        message: 'pods "a" is forbidden: User "eve" cannot get resource "pods/proxy"',
      },
    });
    await expect(reader.agent('fraud', 'a', 1)).rejects.toThrow(/get pods\/proxy fraud\/a: .*cannot get/);
    const follow = async () => {
      for await (const _ of reader.followLog('fraud', 'a', 'model', {}, never)) break;
    };
    await expect(follow()).rejects.toSatisfy((error) => hasCode(error, 'CLUSTER_FORBIDDEN'));
  });

  it('is a list of pods as they are, again and again, also an empty one', async () => {
    const over = new AbortController();
    const seen: string[][] = [];
    for await (const items of reader.livePods('fraud', 'one', over.signal, () => undefined)) {
      const names = items.map((item) => (item['metadata'] as { name: string }).name).sort();
      if (JSON.stringify(seen.at(-1)) === JSON.stringify(names)) continue;
      seen.push(names);
      if (names.length === 0) put('dga-a');
      if (names.length === 1) {
        put('other', 'two');
        put('dga-b');
      }
      if (names.length === 2) over.abort();
    }
    expect(seen).toEqual([[], ['dga-a'], ['dga-a', 'dga-b']]);
  });

  it('is told to be old while the cluster is not heard, and to be followed again, but not of one stream that ended', async () => {
    const over = new AbortController();
    const told: string[] = [];
    let names: string[] = [];
    const follow = async () => {
      const onTrouble = (failure: unknown) => {
        told.push(hasCode(failure, 'CLUSTER_UNREACHABLE') ? 'old' : 'followed');
        if (told.length === 1) api.fault = () => undefined;
        if (told.length === 2) put('dga-b');
      };
      for await (const items of reader.livePods('fraud', 'one', over.signal, onTrouble))
        names = items.map((item) => (item['metadata'] as { name: string }).name);
    };
    const following = follow();
    put('dga-a');
    await expect.poll(() => names, { timeout: 10_000 }).toEqual(['dga-a']);
    const streams = () => api.requests.filter(({ query }) => query.get('watch') === 'true').length;
    await expect.poll(streams, { timeout: 10_000 }).toBe(1);
    api.cutWatches();
    await expect.poll(streams, { timeout: 10_000 }).toBe(2);
    expect(told).toEqual([]);
    api.fault = () => ({ do: 'reset' });
    api.cutWatches();
    await expect.poll(() => names.toSorted(), { timeout: 10_000 }).toEqual(['dga-a', 'dga-b']);
    expect(told).toEqual(['old', 'followed']);
    over.abort();
    await following;
  });
});
