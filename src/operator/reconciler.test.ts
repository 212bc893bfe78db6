import { describe, expect, it } from 'vitest';
import { HastyClock } from '../../test/builders/manual-clock.ts';
import { aPayload, aResource, someSettings } from '../../test/builders/model-deployment.ts';
import { MaasError } from '../contracts/errors.ts';
import type { ReasonedEvent } from '../contracts/reasons.ts';
import type { ModelDeployment } from '../contracts/resource.ts';
import type { ResourceEntry } from '../contracts/resource-entry.ts';
import type { ModelDeploymentStatus } from '../contracts/resource-status.ts';
import { silentLog } from '../kernel/log.ts';
import type { Manifest } from '../plan/children.ts';
import type { Cluster, Store } from './ports.ts';
import { Reconciler } from './reconciler.ts';
import type { Owned } from './views.ts';

/** A cluster that keeps what it is told; its watch brings a written status only when the test says so. */
function setUp(options: { refuse?: MaasError | undefined; status?: ModelDeploymentStatus } = {}) {
  const clock = new HastyClock(1_800_000_000_000);
  const zookeeper = { why: undefined as string | undefined };
  let resource: ModelDeployment = { ...aResource(), ...(options.status && { status: options.status }) };
  const world = {
    applied: [] as Manifest[],
    copied: [] as string[],
    statuses: [] as ModelDeploymentStatus[],
    events: [] as ReasonedEvent[],
    refuse: options.refuse,
  };
  const cluster: Cluster = {
    async apply(manifest) {
      if (world.refuse !== undefined) throw world.refuse;
      world.applied.push(manifest);
    },
    async remove() {},
    async writeStatus(_resource, status) {
      world.statuses.push(status);
    },
    event: (_resource, event) => world.events.push(event),
    podExists: async () => true,
  };
  const none = <P>(): Store<P> => ({ get: () => undefined, byUid: () => undefined, list: () => [], indexed: () => [] });
  const reconciler = new Reconciler(
    {
      stores: {
        resources: none<ResourceEntry>(),
        deployments: none(),
        pins: none(),
        budgets: none(),
        pods: none<Owned<never>>(),
      },
      registrations: () =>
        zookeeper.why === undefined ? { known: true, byPod: new Map() } : { known: false, why: zookeeper.why },
      mode: () => ({ mode: 'active', agents: 'active' }),
      holds: () => ({ known: true, versions: {} }),
      payload: () => ({ state: 'resolved', payload: aPayload() }),
      agents: () => new Map(),
      shields: () => new Map(),
      warnings: () => new Map(),
    },
    cluster,
    { copyPayload: (uid) => world.copied.push(uid), publish: async () => {} },
    someSettings,
    clock,
  );
  return {
    world,
    zookeeper,
    pass: clock.pass,
    reconcile: () => reconciler.reconcile({ resource }, silentLog),
    /** The watch brings the last written status. */
    watch: () => {
      const { metadata } = resource;
      const resourceVersion = String(Number(metadata.resourceVersion) + 1);
      resource = { ...resource, metadata: { ...metadata, resourceVersion }, status: world.statuses.at(-1) ?? {} };
    },
    remove: () => {
      resource = { ...resource, metadata: { ...resource.metadata, deletionTimestamp: '2026-03-01T12:00:00Z' } };
    },
  };
}

describe('Reconciler', () => {
  it('pins the payload before it makes the Deployment, and writes one status', async () => {
    const { world, reconcile } = setUp();
    await reconcile();
    expect(world.applied.map((manifest) => manifest.kind)).toEqual(['ConfigMap', 'Deployment']);
    expect(world.statuses).toHaveLength(1);
    expect(world.statuses[0]).toMatchObject({ observedGeneration: 1, payload: { digest: 'sha256:aa' } });
  });

  it('does not write a status again that the watch has not brought yet', async () => {
    const { world, reconcile, pass, watch } = setUp();
    await reconcile();
    pass(5_000);
    await reconcile();
    expect(world.statuses).toHaveLength(1);
    watch();
    pass(5_000);
    await reconcile();
    expect(world.statuses).toHaveLength(1);
  });

  it('says in the status why the API server refused, tries again, and takes it back', async () => {
    const refuse = new MaasError('CLUSTER_REFUSED', 'Deployment "x" is invalid: spec.template.spec.affinity');
    const { world, reconcile, pass, watch } = setUp({ refuse });
    expect(await reconcile()).toMatchObject({ kind: 'failed', error: refuse });
    watch();
    pass(2_000);
    await reconcile();
    const reason = () => world.statuses.at(-1)?.conditions?.find((condition) => condition.type === 'Ready')?.reason;
    expect(reason()).toBe('ClusterRefused');
    expect(world.events.map((event) => event.reason)).toContain('ClusterRefused');
    world.refuse = undefined;
    watch();
    pass(2_000);
    await reconcile();
    watch();
    pass(2_000);
    await reconcile();
    expect(reason()).toBe('Starting');
  });

  it('writes at most one status a second for a resource, and comes back for the rest', async () => {
    const { world, reconcile, pass, watch } = setUp({ refuse: new MaasError('CLUSTER_REFUSED', 'no') });
    await reconcile();
    watch();
    pass(300);
    world.refuse = undefined;
    const outcome = await reconcile();
    expect(world.statuses).toHaveLength(1);
    expect(outcome).toMatchObject({ kind: 'done', againMs: 700 });
  });

  it('says after a restart that nobody knows what clients see once it had the time to read it', async () => {
    const { world, zookeeper, reconcile, pass, watch } = setUp({ status: { conditions: [] } });
    zookeeper.why = 'ZooKeeper is being read';
    expect(await reconcile()).toMatchObject({ kind: 'done', againMs: 1_000 });
    expect(world.statuses).toEqual([]);
    zookeeper.why = undefined;
    await reconcile();
    expect(world.statuses.map(({ registered }) => registered)).toEqual([0]);
    watch();
    zookeeper.why = 'ZooKeeper is suspended';
    pass(2_000);
    await reconcile();
    expect(world.statuses.map(({ registered }) => registered)).toEqual([0, undefined]);
  });

  it('says so in the end where it stays away from the start', async () => {
    const { world, zookeeper, reconcile, pass } = setUp({ status: { conditions: [] } });
    zookeeper.why = 'ZooKeeper is connecting';
    await reconcile();
    pass(3_000);
    await reconcile();
    expect(world.statuses.at(-1)?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('Unknown');
  });

  it('writes nothing for a resource that is being deleted', async () => {
    const { world, reconcile, remove } = setUp();
    remove();
    await reconcile();
    expect([world.applied, world.statuses]).toEqual([[], []]);
  });
});
