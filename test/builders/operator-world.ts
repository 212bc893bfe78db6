/**
 * The world around an operator, in memory: a cluster whose watches tell what the test says, a Lease that a test gives
 * and takes, a ZooKeeper. It remembers what was written, and in which order things were put away.
 */
import { WatchStore } from '../../src/adapters/kube/watch-store.ts';
import { MaasError } from '../../src/contracts/errors.ts';
import type { ReasonedEvent } from '../../src/contracts/reasons.ts';
import type { ModelDeployment } from '../../src/contracts/resource.ts';
import type { ResourceEntry } from '../../src/contracts/resource-entry.ts';
import type { ModelDeploymentStatus } from '../../src/contracts/resource-status.ts';
import type { OperatorSettings } from '../../src/contracts/settings.ts';
import { silentLog } from '../../src/kernel/log.ts';
import type { Gauges } from '../../src/manager/gauges.ts';
import type { ModesObject, News, OperatorWorld, PlannedKind } from '../../src/manager/ports.ts';
import { runOperator } from '../../src/manager/run-operator.ts';
import type { HealthPorts } from '../../src/operator/http-server.ts';
import { Leadership } from '../../src/operator/leadership.ts';
import type { Owned } from '../../src/operator/views.ts';
import type { Manifest } from '../../src/plan/children.ts';
import type { BudgetView, DeploymentView, PinView, PodView } from '../../src/plan/observation.ts';
import { FakeZooKeeper } from './fake-zookeeper.ts';
import { ManualClock } from './manual-clock.ts';
import { aPayload, someSettings } from './model-deployment.ts';

type WatchName = PlannedKind | 'modes';
const watchNames: readonly WatchName[] = ['resources', 'deployments', 'pins', 'budgets', 'pods', 'modes'];

export class FakeOperatorWorld {
  readonly clock = new ManualClock();
  readonly log = silentLog;
  readonly zookeeper = new FakeZooKeeper();
  readonly leadership = new Leadership();
  readonly stores = {
    resources: new WatchStore<ResourceEntry>(({ resource }) => resource.spec.name),
    deployments: new WatchStore<Owned<DeploymentView>>(({ ownerUid }) => ownerUid),
    pins: new WatchStore<Owned<PinView>>(({ ownerUid }) => ownerUid),
    budgets: new WatchStore<Owned<BudgetView>>(({ ownerUid }) => ownerUid),
    pods: new WatchStore<Owned<PodView>>(({ ownerUid }) => ownerUid),
    modes: new WatchStore<ModesObject>(),
  };
  /** What was applied to the cluster, by kind and name. The watches tell nothing of it by themselves. */
  readonly objects = new Map<string, Manifest>();
  /** Writes to the cluster that were done. */
  writes = 0;
  readonly statuses: ModelDeploymentStatus[] = [];
  readonly events: {
    readonly about: { readonly kind: string; readonly uid: string };
    readonly event: ReasonedEvent;
  }[] = [];
  /** What was put away, in this order. */
  readonly ended: string[] = [];
  readonly settings: OperatorSettings & { clusterId: string };
  news: News | undefined;
  health: HealthPorts | undefined;
  gauges: Gauges | undefined;
  /** Annotations that the Lease is to have. */
  annotations: () => Readonly<Record<string, string>> = () => ({});
  /** Called before each write to the cluster. */
  beforeWrite: () => Promise<void> = async () => {};
  /** What the named step of the start fails with. */
  readonly fails: { watch?: Error; serve?: Error; acquire?: Error } = {};
  /** Rejects or resolves as the operator does. */
  done: Promise<void> = Promise.resolve();
  readonly #stopping = new AbortController();
  readonly #lost = new AbortController();
  readonly #free = Promise.withResolvers<void>();
  readonly #synced = new Map(watchNames.map((name) => [name, Promise.withResolvers<void>()]));
  readonly #inStep = new Set<WatchName>();
  #released = false;
  #version = 0;

  constructor(settings: Partial<OperatorSettings> = {}) {
    this.settings = { ...someSettings, ...settings, clusterId: someSettings.clusterId };
  }

  /** Begins the operator's life. */
  start(): this {
    this.done = runOperator(this.#world(), this.#stopping.signal);
    this.done.catch(() => {});
    return this;
  }

  stop(): void {
    this.#stopping.abort('SIGTERM');
  }

  /** Nobody else has the Lease. */
  freeLease(): void {
    this.#free.resolve();
  }

  loseLease(): void {
    this.#lost.abort(new MaasError('LEASE_LOST', 'another holds it'));
  }

  /** The watches have listed what there is. */
  sync(...names: readonly WatchName[]): void {
    for (const name of names.length === 0 ? watchNames : names) {
      this.#inStep.add(name);
      if (name !== 'modes') {
        for (const namespace of this.settings.namespaces.length === 0 ? [undefined] : this.settings.namespaces)
          this.news?.access(name, namespace, undefined);
      }
      this.#synced.get(name)?.resolve();
    }
  }

  put(resource: ModelDeployment): void {
    const { namespace, name, uid } = resource.metadata;
    const identity = { namespace, name, uid, resourceVersion: String(++this.#version) };
    for (const change of this.stores.resources.put(0, identity, { resource })) this.news?.resource(change);
  }

  remove({ metadata: { namespace, name, uid } }: ModelDeployment): void {
    const identity = { namespace, name, uid, resourceVersion: String(++this.#version) };
    for (const change of this.stores.resources.remove(identity)) this.news?.resource(change);
  }

  configureModes(text: string): void {
    const identity = { namespace: 'maas-system', name: 'modes', uid: 'm1', resourceVersion: String(++this.#version) };
    for (const change of this.stores.modes.put(0, identity, { uid: 'm1', text })) this.news?.modes(change);
  }

  #world(): OperatorWorld {
    const { clock, log, leadership, settings, stores, zookeeper } = this;
    const ends = (what: string) => async () => {
      this.ended.push(what);
    };
    const write = async () => {
      await this.beforeWrite();
      if (!leadership.holds()) throw new MaasError('LEASE_LOST', 'not the leader');
      this.writes += 1;
    };
    return {
      settings,
      self: { namespace: 'maas-system', identity: 'operator_1' },
      leadership,
      acquire: async (annotations, signal) => {
        if (this.fails.acquire !== undefined) throw this.fails.acquire;
        const stopped = new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
        );
        await Promise.race([this.#free.promise, stopped]);
        this.annotations = annotations;
        return {
          uid: 'lease-uid',
          holds: () => !this.#lost.signal.aborted && !this.#released,
          lost: this.#lost.signal,
          release: async () => {
            this.#released = true;
            this.ended.push('lease');
          },
        };
      },
      stores,
      watch: (news) => {
        if (this.fails.watch !== undefined) throw this.fails.watch;
        this.news = news;
        const watch = (name: WatchName) => ({
          synced: this.#synced.get(name)?.promise ?? Promise.resolve(),
          isSynced: () => this.#inStep.has(name),
          counters: () => ({ relists: 0, restarts: 0, failures: 0 }),
          stop: async () => {
            this.news = undefined;
            this.ended.push(`watch of ${name}`);
          },
        });
        return {
          resources: watch('resources'),
          deployments: watch('deployments'),
          pins: watch('pins'),
          budgets: watch('budgets'),
          pods: watch('pods'),
          modes: watch('modes'),
        };
      },
      zookeeper,
      cluster: {
        apply: async (manifest) => {
          await write();
          this.objects.set(`${manifest.kind} ${manifest.metadata.name}`, manifest);
        },
        remove: write,
        writeStatus: async (_resource, status) => {
          await write();
          this.statuses.push(status);
        },
        event: () => {},
        podExists: async () => true,
      },
      payloads: {
        resolve: async (path) => aPayload({ path }),
        keep: async (found) => found,
        mend: async () => {},
        drift: async () => undefined,
        originalDrift: async () => undefined,
        sweep: async () => [],
      },
      get: async () => Promise.reject(new Error('refused')),
      podWarnings: async () => [],
      record: (about, event) => this.events.push({ about, event }),
      serve: async (health) => {
        if (this.fails.serve !== undefined) throw this.fails.serve;
        this.health = health;
        return { port: 8080, close: ends('http') };
      },
      queue: undefined,
      metrics: {
        added: () => {},
        waited: () => {},
        retried: () => {},
        reconciled: () => {},
        swept: () => {},
        show: (gauges) => {
          this.gauges = gauges;
        },
        render: async () => ({ type: 'text/plain', text: '' }),
      },
      clock,
      log,
    };
  }
}
