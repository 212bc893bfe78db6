import { describe, expect, it } from 'vitest';
import { FakeZooKeeper } from '../../test/builders/fake-zookeeper.ts';
import { aPod } from '../../test/builders/model-deployment.ts';
import { MaasError } from '../contracts/errors.ts';
import { revokedMarker } from '../contracts/marker.ts';
import type { Mode } from '../contracts/modes.ts';
import { silentLog } from '../kernel/log.ts';
import type { Cluster, Stores } from './ports.ts';
import { Sweeper } from './sweeper.ts';

const uid = '00000000-0000-4000-8000-000000000001';
const id = `dga-1-${uid}`;
const registration = `/maas/service/dga/${id}`;
const marker = `/maas/operator/c1/instances/${id}`;

async function sweep(options: {
  watched?: boolean;
  exists?: boolean;
  markerData?: string;
  owner?: string;
  cluster?: string;
  mode?: Mode;
  /** Namespaces that are this operator's alone. */
  ours?: readonly string[];
  /** Why the API server cannot be asked about a pod. */
  refusal?: MaasError;
  more?: Readonly<Record<string, string>>;
}) {
  const zookeeper = new FakeZooKeeper();
  zookeeper.put(registration, 'bytes', 's1');
  zookeeper.put('/maas/service/dga/2', 'of the original', undefined);
  zookeeper.put(
    marker.replace('c1', options.cluster ?? 'c1'),
    options.markerData ?? '{"pod":"fraud/dga-1","model":"dga"}',
    options.owner ?? 's1',
  );
  for (const [path, data] of Object.entries(options.more ?? {})) zookeeper.put(path, data, 's0');
  const watched = [{ ownerUid: 'u', namespace: 'fraud', view: aPod({ uid }) }];
  let pods = options.watched ? watched : [];
  const store: Stores['pods'] = {
    list: () => pods,
    get: () => undefined,
    byUid: (id) => pods.find(({ view }) => view.uid === id),
    indexed: () => [],
  };
  const asked: string[] = [];
  const cluster: Pick<Cluster, 'podExists'> = {
    podExists: async (namespace, name, podUid) => {
      asked.push(`${namespace}/${name}/${podUid}`);
      if (options.refusal !== undefined && name === 'dga-0') throw options.refusal;
      return options.exists ?? false;
    },
  };
  let swept = 0;
  const sweeper = new Sweeper({
    zookeeper,
    operatorRoot: '/maas/operator',
    clusterId: 'c1',
    serviceRoot: () => '/maas/service',
    mode: (model) => (model === 'dga' ? (options.mode ?? 'active') : 'observe'),
    may: (namespace) => (options.ours ?? ['fraud']).includes(namespace),
    pods: store,
    cluster,
    metrics: { swept: () => swept++ },
    log: silentLog,
  });
  const again = () => sweeper.sweep(new AbortController().signal);
  await again();
  const podGoes = () => {
    pods = [];
  };
  return { zookeeper, asked, swept, again, podGoes };
}

describe('Sweeper', () => {
  it('takes a registration away whose pod does not exist, and tells the agent', async () => {
    const { zookeeper, asked, swept } = await sweep({});
    expect(asked).toEqual([`fraud/dga-1/${uid}`]);
    expect(zookeeper.nodes.has(registration)).toBe(false);
    expect(Buffer.from(zookeeper.nodes.get(marker)?.data ?? []).toString()).toBe(revokedMarker);
    expect(swept).toBe(1);
    expect(zookeeper.nodes.has('/maas/service/dga/2')).toBe(true);
  });

  it.each([
    ['of a pod that the watch holds', { watched: true }],
    ['of a pod that the API server knows, though the watch is behind', { exists: true }],
    ['of another cluster', { cluster: 'c2' }],
    ["of a namespace that is not, or not certainly, this operator's alone", { ours: ['other'] }],
    ['of a model that is only observed', { mode: 'observe' as const }],
    ['of another session than the marker', { owner: 's2' }],
    ['whose marker says nonsense', { markerData: 'nonsense' }],
    ['whose marker names another pod', { markerData: '{"pod":"fraud/other","model":"dga"}' }],
  ])('leaves a registration %s', async (_name, options) => {
    const { zookeeper } = await sweep(options);
    expect(zookeeper.nodes.has(registration)).toBe(true);
  });

  it('sweeps on when the API server cannot be asked about one pod', async () => {
    const other = '00000000-0000-4000-8000-000000000000';
    const { zookeeper, asked } = await sweep({
      refusal: new MaasError('CLUSTER_FORBIDDEN', 'no'),
      more: { [`/maas/operator/c1/instances/dga-0-${other}`]: '{"pod":"fraud/dga-0","model":"dga"}' },
    });
    expect(asked).toHaveLength(2);
    expect(zookeeper.nodes.has(registration)).toBe(false);
  });

  it('lists nothing while no marker comes or goes, and sees all the same whose pod has gone, and who comes', async () => {
    const { zookeeper, again, podGoes } = await sweep({ watched: true });
    const listed = zookeeper.listings;
    await again();
    await again();
    expect([zookeeper.listings, zookeeper.nodes.has(registration)]).toEqual([listed, true]);
    podGoes();
    await again();
    expect([zookeeper.listings, zookeeper.nodes.has(registration)]).toEqual([listed, false]);
    const another = id.replace('dga-1', 'dga-2').replace(/1$/, '2');
    zookeeper.put(`/maas/service/dga/${another}`, 'bytes', 's2');
    zookeeper.put(marker.replace(id, another), '{"pod":"fraud/dga-2","model":"dga"}', 's2');
    await again();
    expect(zookeeper.nodes.has(`/maas/service/dga/${another}`)).toBe(false);
  });
});
