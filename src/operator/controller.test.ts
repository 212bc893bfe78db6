import { describe, expect, it, vi } from 'vitest';
import { FakeZooKeeper } from '../../test/builders/fake-zookeeper.ts';
import { ManualClock } from '../../test/builders/manual-clock.ts';
import { aPayload, aPod, aResource, someSettings } from '../../test/builders/model-deployment.ts';
import { WatchStore } from '../adapters/kube/watch-store.ts';
import { MaasError } from '../contracts/errors.ts';
import type { ResourceEntry } from '../contracts/resource-entry.ts';
import type { ModelDeploymentStatus } from '../contracts/resource-status.ts';
import { silentLog } from '../kernel/log.ts';
import type { BudgetView, DeploymentView, PinView, PodView } from '../plan/observation.ts';
import { Controller } from './controller.ts';
import { RegistrationFollower } from './registrations.ts';
import type { Owned } from './views.ts';

const resource = aResource();
const { namespace, name, uid } = resource.metadata;

function setUp() {
  const clock = new ManualClock();
  const owner = ({ ownerUid }: Owned<unknown>) => ownerUid;
  const stores = {
    resources: new WatchStore<ResourceEntry>(({ resource: { spec } }) => spec.name),
    deployments: new WatchStore<Owned<DeploymentView>>(owner),
    pins: new WatchStore<Owned<PinView>>(owner),
    budgets: new WatchStore<Owned<BudgetView>>(owner),
    pods: new WatchStore<Owned<PodView>>(owner),
  };
  const world = {
    asked: 0,
    looked: 0,
    answer: undefined as Promise<void> | undefined,
    statuses: [] as ModelDeploymentStatus[],
    refusal: undefined as MaasError | undefined,
    inStep: true,
    refused: undefined as unknown,
    due: new Set<string>(),
  };
  const identity = (of: string) => ({ namespace, name: of, uid: of === name ? uid : of, resourceVersion: '1' });
  let version = 0;
  const controller = new Controller({
    stores,
    registrations: new RegistrationFollower(
      new FakeZooKeeper(),
      { config: '/c', markers: '/m' },
      clock,
      silentLog,
      () => {},
    ),
    modes: { of: () => ({ mode: 'active', agents: 'active' }) },
    holds: { view: () => ({ known: true, versions: {} }), async publish() {} },
    cluster: {
      async apply() {
        if (world.refusal !== undefined) throw world.refusal;
      },
      async remove() {},
      async writeStatus(_resource, status) {
        world.statuses.push(status);
      },
      event() {},
      podExists: async () => true,
    },
    payloads: {
      async resolve() {
        world.looked += 1;
        await world.answer;
        return aPayload();
      },
      keep: async (found) => found,
      async mend() {},
      drift: async () => undefined,
      originalDrift: async () => undefined,
      sweep: async () => [],
    },
    async get() {
      world.asked += 1;
      throw new Error('refused');
    },
    podWarnings: async () => [],
    served: {
      inStep: () => world.inStep,
      written: (_namespace, refusal) => {
        world.refused = refusal;
      },
    },
    queue: world.due,
    settings: someSettings,
    clock,
    metrics: { reconciled() {}, swept() {} },
    log: silentLog,
  });
  return {
    world,
    clock,
    pass: () => controller.process(uid),
    put: (changes: { readonly deletionTimestamp?: string } = {}) =>
      stores.resources.put(
        0,
        { ...identity(name), resourceVersion: String(++version) },
        { resource: { ...resource, metadata: { ...resource.metadata, ...changes } } },
      ),
    remove: () => stores.resources.remove(identity(name)),
    putPod: () => stores.pods.put(0, identity('pod-1'), { ownerUid: uid, namespace, view: aPod({ uid: 'pod-1' }) }),
    removePod: () => stores.pods.remove(identity('pod-1')),
  };
}

describe('a pass', () => {
  it('over what is not there does nothing, and comes again only when somebody asks', async () => {
    const { world, pass } = setUp();
    expect(await pass()).toEqual({});
    expect([world.statuses, world.looked]).toEqual([[], 0]);
  });

  it('decides nothing from an old picture', async () => {
    const { world, put, pass } = setUp();
    put();
    world.inStep = false;
    expect(await pass()).toEqual({});
    expect([world.statuses, world.looked]).toEqual([[], 0]);
  });

  it('is made due by what was found in the background, and comes again by itself while something is awaited', async () => {
    const { world, put, pass } = setUp();
    put();
    expect(await pass()).toEqual({ requeueAfterMs: 500 });
    await vi.waitFor(() => expect([...world.due]).toEqual([uid]));
    expect(await pass()).toEqual({ requeueAfterMs: 1_000 });
  });

  it('says of a new resource what was found, and that its payload is looked for only where that takes long', async () => {
    const { world, put, pass, clock } = setUp();
    const said = () =>
      world.statuses.map(({ conditions }) => conditions?.find(({ type }) => type === 'PayloadResolved'));
    put();
    await pass();
    expect(said()).toEqual([]);
    await clock.advance(100);
    await pass();
    expect(said()).toMatchObject([{ status: 'True', reason: 'Resolved' }]);
    const slow = setUp();
    slow.world.answer = new Promise(() => {});
    slow.put();
    await slow.pass();
    await slow.clock.advance(500);
    await slow.pass();
    expect(slow.world.statuses[0]?.conditions).toContainEqual(expect.objectContaining({ reason: 'Resolving' }));
  });

  it('tells that writes are forbidden in the namespace, and fails', async () => {
    const { world, put, pass, clock } = setUp();
    put();
    await pass();
    await vi.waitFor(() => expect(world.due.size).toBe(1));
    await clock.advance(1_000);
    world.refusal = new MaasError('CLUSTER_FORBIDDEN', 'patch configmaps: no');
    await expect(pass()).rejects.toBe(world.refusal);
    expect(world.refused).toBe(world.refusal);
    world.refusal = undefined;
    await pass();
    expect(world.refused).toBeUndefined();
  });

  it('forgets what is gone: a payload is looked for anew when the resource is made anew', async () => {
    const { world, put, remove, pass, clock } = setUp();
    put();
    await pass();
    await vi.waitFor(() => expect(world.due.size).toBe(1));
    await pass();
    expect(world.looked).toBe(1);
    remove();
    await pass();
    put();
    await pass();
    await clock.advance(1_000);
    expect(world.looked).toBe(2);
  });

  it('is not needed for a payload to be looked at, and what is being deleted is not looked at any more', async () => {
    const { world, put, pass, clock } = setUp();
    put();
    await pass();
    await clock.advance(30_000);
    expect(world.looked).toBe(2);
    put({ deletionTimestamp: '2026-01-01T00:00:00Z' });
    await pass();
    await clock.advance(300_000);
    expect(world.looked).toBe(2);
  });

  it('forgets pods that are gone, as what their agents did not answer', async () => {
    const { world, put, putPod, removePod, pass } = setUp();
    put();
    putPod();
    await pass();
    await pass();
    expect(world.asked).toBe(1);
    removePod();
    await pass();
    putPod();
    await pass();
    expect(world.asked).toBe(2);
  });
});
