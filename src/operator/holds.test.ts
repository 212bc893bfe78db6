import { describe, expect, it, vi } from 'vitest';
import { FakeZooKeeper } from '../../test/builders/fake-zookeeper.ts';
import { encodeHolds, type Holds } from '../contracts/holds.ts';
import { silentLog } from '../kernel/log.ts';
import { HoldFollower } from './holds.ts';

const path = '/maas/operator/c1/holds';
const holds = (held: boolean, since = 1): Holds => ({
  namespace: 'models',
  name: 'dga',
  versions: { 'k-1': { held, since } },
});
function told(zookeeper: FakeZooKeeper, uid: string): string | undefined {
  const node = zookeeper.nodes.get(`${path}/${uid}`);
  return node === undefined ? undefined : Buffer.from(node.data).toString();
}

function follower(zookeeper = new FakeZooKeeper()) {
  const changes: (string | undefined)[] = [];
  const leads = { now: true };
  const follower = new HoldFollower({
    zookeeper,
    path,
    leadership: { holds: () => leads.now },
    changed: (uid) => changes.push(uid),
    log: silentLog,
  });
  follower.start();
  return { zookeeper, follower, changes, leads };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('what is published of holds', () => {
  it('is nothing for a resource that has no node, once that is known', async () => {
    const { follower: holdFollower } = follower();
    await settled();
    expect(holdFollower.view('u1')).toEqual({ known: true, versions: {} });
  });

  it('is read, followed, and unknown while the connection is away', async () => {
    const zookeeper = new FakeZooKeeper();
    zookeeper.put(path, '');
    zookeeper.put(`${path}/u1`, Buffer.from(encodeHolds(holds(true))).toString());
    const { follower: holdFollower, changes } = follower(zookeeper);
    await settled();
    expect(holdFollower.view('u1')).toEqual({ known: true, versions: { 'k-1': { held: true, since: 1 } } });
    zookeeper.put(`${path}/u1`, Buffer.from(encodeHolds(holds(false, 2))).toString());
    await settled();
    expect(holdFollower.view('u1')).toEqual({ known: true, versions: { 'k-1': { held: false, since: 2 } } });
    expect(changes).toContain('u1');
    zookeeper.become('suspended');
    expect(holdFollower.view('u1')).toEqual({ known: false });
    zookeeper.become('connected');
    expect(holdFollower.view('u1')).toEqual({ known: false });
    await settled();
    expect(holdFollower.view('u1')).toMatchObject({ known: true, versions: { 'k-1': { held: false } } });
  });

  it('reads thousands of them with few requests under way at once when the connection comes back', async () => {
    const zookeeper = new FakeZooKeeper();
    zookeeper.put(path, '');
    const uids = Array.from({ length: 500 }, (_, n) => `u${n}`);
    for (const uid of uids) zookeeper.put(`${path}/${uid}`, Buffer.from(encodeHolds(holds(true))).toString());
    const { follower: holdFollower } = follower(zookeeper);
    await vi.waitFor(() => expect(uids.every((uid) => holdFollower.view(uid).known)).toBe(true));
    zookeeper.become('suspended');
    zookeeper.become('connected');
    await vi.waitFor(() => expect(uids.every((uid) => holdFollower.view(uid).known)).toBe(true));
    expect(zookeeper.reads.most).toBeLessThanOrEqual(64);
  });

  it('takes what nobody of ours wrote for nothing', async () => {
    const zookeeper = new FakeZooKeeper();
    zookeeper.put(path, '');
    zookeeper.put(`${path}/u1`, 'nonsense');
    const { follower: holdFollower } = follower(zookeeper);
    await settled();
    expect(holdFollower.view('u1')).toEqual({ known: true, versions: {} });
  });
});

describe('publishing', () => {
  it('makes the node, changes it, and is seen by the next pass', async () => {
    const { zookeeper, follower: holdFollower } = follower();
    await settled();
    await holdFollower.publish('u1', holds(true));
    expect(holdFollower.view('u1')).toMatchObject({ known: true, versions: { 'k-1': { held: true } } });
    await holdFollower.publish('u1', holds(false, 2));
    expect(holdFollower.view('u1')).toMatchObject({ known: true, versions: { 'k-1': { held: false } } });
    expect(told(zookeeper, 'u1')).toBe(Buffer.from(encodeHolds(holds(false, 2))).toString());
  });

  it('writes nothing for who does not lead', async () => {
    const { zookeeper, follower: holdFollower, leads } = follower();
    leads.now = false;
    await holdFollower.publish('u1', holds(true));
    expect(told(zookeeper, 'u1')).toBeUndefined();
  });
});

describe('the sweep', () => {
  it('removes what was published for resources that are certainly gone, and nothing else', async () => {
    const { zookeeper, follower: holdFollower, leads } = follower();
    await settled();
    for (const uid of ['gone', 'here', 'elsewhere']) await holdFollower.publish(uid, holds(true));
    zookeeper.put(`${path}/foreign`, 'nonsense');
    await settled();
    leads.now = false;
    await holdFollower.sweep(() => true);
    leads.now = true;
    await holdFollower.sweep((uid, namespace) => uid === 'gone' && namespace === 'models');
    expect(['gone', 'here', 'elsewhere', 'foreign'].map((uid) => told(zookeeper, uid) !== undefined)).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });
});
