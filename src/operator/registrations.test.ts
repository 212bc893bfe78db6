import { describe, expect, it, vi } from 'vitest';
import { FakeZooKeeper } from '../../test/builders/fake-zookeeper.ts';
import { encodeMarker } from '../contracts/marker.ts';
import { silentLog } from '../kernel/log.ts';
import { encodeRegistration } from '../wire/service-instance.ts';
import { RegistrationFollower } from './registrations.ts';

const uid = '00000000-0000-4000-8000-000000000001';
const id = `dga-1-${uid}`;
const bytes = (version = '1.0', instance = id, url = 'http://10.0.0.9:1500') =>
  Buffer.from(
    encodeRegistration({
      model: 'dga',
      version,
      id: instance,
      url,
      functions: { apply: 'apply' },
      registeredAt: 1,
    }),
  ).toString();

function follow(zookeeper: FakeZooKeeper, clock = { now: () => 0 }) {
  const changes: string[] = [];
  const follower = new RegistrationFollower(
    zookeeper,
    { config: '/metron/maas/config', markers: '/maas/operator/c1/instances' },
    clock,
    silentLog,
    (model) => changes.push(model),
  );
  follower.start();
  follower.follow('dga');
  const known = () => {
    const view = follower.view('dga');
    return view.known ? [...view.byPod.keys()] : undefined;
  };
  return { follower, changes, known };
}

describe('RegistrationFollower', () => {
  it('knows what is registered, and that nothing is', async () => {
    const zookeeper = new FakeZooKeeper();
    const { known } = follow(zookeeper);
    await vi.waitFor(() => expect(known()).toEqual([]));
    zookeeper.put(`/maas/service/dga/${id}`, bytes(), 's1');
    await vi.waitFor(() => expect(known()).toEqual([uid]));
    zookeeper.drop(`/maas/service/dga/${id}`);
    await vi.waitFor(() => expect(known()).toEqual([]));
  });

  it('reads thousands of them with few requests under way at once', async () => {
    const zookeeper = new FakeZooKeeper();
    const uids = Array.from({ length: 500 }, (_, n) => uid.slice(0, -4) + String(n).padStart(4, '0'));
    for (const each of uids) zookeeper.put(`/maas/service/dga/dga-1-${each}`, bytes('1.0', `dga-1-${each}`), 's1');
    const { known } = follow(zookeeper);
    await vi.waitFor(() => expect(known()?.toSorted()).toEqual(uids));
    expect(zookeeper.reads.most).toBeLessThanOrEqual(64);
  });

  it.each([
    ['a registration of somebody else', '/maas/service/dga/2', bytes('1.0', '2'), 's1'],
    ['a persistent node, which no agent makes', `/maas/service/dga/${id}`, bytes(), undefined],
    ['bytes that clients cannot read', `/maas/service/dga/${id}`, '{}', 's1'],
  ])('does not count %s', async (_name, path, data, owner) => {
    const zookeeper = new FakeZooKeeper();
    zookeeper.put(path, data, owner);
    const { known } = follow(zookeeper);
    await vi.waitFor(() => expect(known()).toEqual([]));
  });

  it('knows nothing while ZooKeeper is away, and reads all again afterwards', async () => {
    const zookeeper = new FakeZooKeeper();
    zookeeper.put(`/maas/service/dga/${id}`, bytes(), 's1');
    const { known, changes } = follow(zookeeper);
    await vi.waitFor(() => expect(known()).toEqual([uid]));
    changes.length = 0;
    zookeeper.become('suspended');
    expect(known()).toBeUndefined();
    expect(changes).toEqual(['dga']);
    zookeeper.become('connected');
    expect(known()).toBeUndefined();
    await vi.waitFor(() => expect(known()).toEqual([uid]));
  });

  it('reads a registration again that was made anew under the same name', async () => {
    const zookeeper = new FakeZooKeeper();
    zookeeper.put(`/maas/service/dga/${id}`, bytes(), 's1');
    const { follower, known } = follow(zookeeper);
    await vi.waitFor(() => expect(known()).toEqual([uid]));
    zookeeper.put(`/maas/service/dga/${id}`, bytes('1.0', id, 'http://10.0.0.9:1600'), 's1');
    await vi.waitFor(() => {
      const view = follower.view('dga');
      expect(view.known && view.byPod.get(uid)?.url).toBe('http://10.0.0.9:1600');
    });
  });

  it('says since when it has seen each, however often others come and go', async () => {
    const zookeeper = new FakeZooKeeper();
    let now = 1_000;
    const { follower, known } = follow(zookeeper, { now: () => now });
    const since = () => {
      const view = follower.view('dga');
      return view.known ? view.byPod.get(uid)?.since : undefined;
    };
    zookeeper.put(`/maas/service/dga/${id}`, bytes(), 's1');
    await vi.waitFor(() => expect(since()).toBe(1_000));
    now = 5_000;
    const other = `${uid.slice(0, -4)}0777`;
    zookeeper.put(`/maas/service/dga/dga-1-${other}`, bytes('1.0', `dga-1-${other}`), 's1');
    await vi.waitFor(() => expect(known()).toHaveLength(2));
    expect(since()).toBe(1_000);
    zookeeper.put(`/maas/service/dga/${id}`, bytes('1.0', id, 'http://10.0.0.9:1600'), 's1');
    await vi.waitFor(() => expect(since()).toBe(5_000));
  });

  it.each([
    ['what its marker says', 's1', { digest: 'sha256:aa' }, 'sha256:aa'],
    ['nothing where an agent of an earlier release made it', 's1', {}, undefined],
    ['nothing where the marker is of another session', 's0', { digest: 'sha256:aa' }, undefined],
  ])('knows of what an instance verified %s', async (_name, session, said, wanted) => {
    const zookeeper = new FakeZooKeeper();
    const marker = Buffer.from(encodeMarker({ namespace: 'fraud', pod: 'dga-1', model: 'dga', ...said })).toString();
    zookeeper.put(`/maas/operator/c1/instances/${id}`, marker, session);
    zookeeper.put(`/maas/service/dga/${id}`, bytes(), 's1');
    const { follower, known } = follow(zookeeper);
    await vi.waitFor(() => expect(known()).toEqual([uid]));
    const view = follower.view('dga');
    expect(view.known && view.byPod.get(uid)?.payloadDigest).toBe(wanted);
  });

  it('does not let an answer from before an outage stand after it', async () => {
    const zookeeper = new FakeZooKeeper();
    const { known } = follow(zookeeper);
    await vi.waitFor(() => expect(known()).toEqual([]));
    let go = () => {};
    zookeeper.hold = new Promise((resolve) => {
      go = resolve;
    });
    zookeeper.put(`/maas/service/dga/${id}`, bytes(), 's1');
    zookeeper.become('suspended');
    go();
    await zookeeper.hold;
    expect(known()).toBeUndefined();
  });

  it('follows the service root that the configuration node names, and says what is wrong with a bad one', async () => {
    const zookeeper = new FakeZooKeeper();
    zookeeper.put(
      '/metron/maas/config',
      '{"queue":"ZOOKEEPER","queueConfig":{"zk_path":"/q"},"serviceRoot":"/models"}',
    );
    zookeeper.put(`/models/dga/${id}`, bytes(), 's1');
    const { follower, known } = follow(zookeeper);
    await vi.waitFor(() => expect(known()).toEqual([uid]));
    expect(follower.serviceRoot()).toBe('/models');
    zookeeper.put('/metron/maas/config', '');
    expect(follower.view('dga')).toMatchObject({ known: false, why: expect.stringContaining('empty') });
    zookeeper.drop('/metron/maas/config');
    await vi.waitFor(() => expect(known()).toEqual([]));
    expect(follower.serviceRoot()).toBe('/maas/service');
  });
});
