/** The operator's metrics, with the names that controllers usually give them. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Call } from './measured-calls.ts';

/** What is read when somebody asks, not counted along the way. */
export interface MetricSources {
  readonly queue: () => { readonly depth: number; readonly delayed: number; readonly active: number };
  readonly watches: () => Iterable<{
    readonly kind: string;
    readonly relists: number;
    readonly restarts: number;
    readonly failures: number;
  }>;
  readonly models: () => Iterable<MeasuredModel>;
  readonly leader: () => boolean;
  readonly zookeeperConnected: () => boolean;
  /** Requests of the old queue that have to wait; undefined where that queue is not read. */
  readonly requestsHeld: () => number | undefined;
  /** What concerns the operator as a whole; see api/concern.ts. */
  readonly concerns: () => Iterable<{ readonly reason: string; readonly subject: string }>;
}

/** A ModelDeployment as its status says it is. */
export interface MeasuredModel {
  readonly namespace: string;
  /** Of the resource. */
  readonly name: string;
  readonly model: string;
  readonly version: string;
  /** Status and reason of the condition Ready. */
  readonly ready: string;
  readonly reason: string;
  readonly instances: {
    readonly desired: number;
    readonly ready: number;
    /** Undefined while ZooKeeper cannot be asked. */
    readonly registered: number | undefined;
  };
}

export interface BuildInfo {
  readonly version: string;
  /** Of the sources; undefined where the build was not told. */
  readonly commit: string | undefined;
}

export interface OperatorMetrics {
  reconciled(outcome: 'success' | 'error', seconds: number): void;
  swept(): void;
  retried(): void;
  added(): void;
  waited(seconds: number): void;
  request(outcome: 'done' | 'rejected' | 'forwarded'): void;
  /** A call to HDFS or ZooKeeper has ended. */
  called(system: 'hdfs' | 'zookeeper', call: Call): void;
  /** The text that Prometheus reads, and its content type. */
  render(): Promise<{ readonly type: string; readonly text: string }>;
}

/** From a request on the same network to a payload of some gigabytes. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

export function operatorMetrics(sources: MetricSources, build: BuildInfo): OperatorMetrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: (gauge: Gauge<string>) => void, labelNames: string[] = []) =>
    new Gauge({
      name,
      help,
      registers,
      labelNames,
      collect() {
        this.reset();
        read(this);
      },
    });
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, registers, labelNames });
  const histogram = (name: string, help: string, labelNames: string[] = []) =>
    new Histogram({ name, help, registers, labelNames, buckets });
  /** All replicas know the models; they are told once, by the one that acts. */
  const models = () => (sources.leader() ? [...sources.models()] : []);

  const reconciles = counter('maas_reconcile_total', 'Passes over a ModelDeployment, by outcome.', ['outcome']);
  const reconcileSeconds = histogram('maas_reconcile_duration_seconds', 'Duration of a pass.');
  const adds = counter('maas_workqueue_adds_total', 'Keys that entered the work queue.');
  const retries = counter('maas_workqueue_retries_total', 'Passes that failed and are repeated.');
  const waits = histogram('maas_workqueue_wait_seconds', 'Time that due keys waited for a worker.');
  const sweeps = counter('maas_registrations_swept_total', 'Registrations removed because their pod is gone.');
  const requests = counter('maas_queue_requests_total', 'Requests of the old queue, by what became of them.', [
    'outcome',
  ]);
  gauge('maas_queue_requests_held', 'Requests of the old queue that have to wait.', (g) => {
    const held = sources.requestsHeld();
    if (held !== undefined) g.set(held);
  });
  gauge(
    'maas_operator_concern',
    '1 for each thing that keeps the operator from its work as a whole, by reason and what it is about.',
    (g) => {
      for (const { reason, subject } of sources.concerns()) g.set({ reason, subject }, 1);
    },
    ['reason', 'subject'],
  );
  gauge('maas_workqueue_depth', 'Keys that are due and wait for a worker.', (g) => g.set(sources.queue().depth));
  gauge('maas_workqueue_delayed', 'Keys that wait for their time.', (g) => g.set(sources.queue().delayed));
  gauge('maas_workqueue_active', 'Keys that are worked on.', (g) => g.set(sources.queue().active));
  gauge('maas_leader', '1 while this process is the leader.', (g) => g.set(sources.leader() ? 1 : 0));
  gauge('maas_zookeeper_connected', '1 while ZooKeeper answers.', (g) => g.set(sources.zookeeperConnected() ? 1 : 0));
  for (const name of ['relists', 'restarts', 'failures'] as const) {
    new Counter({
      name: `maas_watch_${name}_total`,
      help: `${watchCounters[name]}, by the kind that is watched.`,
      registers,
      labelNames: ['kind'],
      // The watches count for themselves.
      collect() {
        this.reset();
        for (const watch of sources.watches()) this.inc({ kind: watch.kind }, watch[name]);
      },
    });
  }
  gauge(
    'maas_model_deployments',
    'ModelDeployments, by the status of their Ready condition. Told by the leader.',
    (g) => {
      for (const { ready } of models()) g.inc({ ready });
    },
    ['ready'],
  );
  gauge('maas_instances_desired', 'Instances that are wanted, over all ModelDeployments. Told by the leader.', (g) => {
    for (const { instances } of models()) g.inc(instances.desired);
  });
  gauge(
    'maas_instances_registered',
    'Instances that clients see, over all ModelDeployments. Told by the leader.',
    (g) => {
      for (const { instances } of models()) g.inc(instances.registered ?? 0);
    },
  );
  gauge(
    'maas_model_status',
    'Always 1: the status and the reason of the Ready condition of a ModelDeployment are in the labels. Told by the leader.',
    (g) => {
      for (const { ready, reason, ...each } of models()) g.set({ ...labelsOf(each), ready, reason }, 1);
    },
    [...modelLabels, 'ready', 'reason'],
  );
  for (const which of ['desired', 'ready', 'registered'] as const) {
    gauge(
      `maas_model_instances_${which}`,
      `${instanceGauges[which]} Told by the leader.`,
      (g) => {
        for (const { instances, ...each } of models()) {
          const value = instances[which];
          if (value !== undefined) g.set(labelsOf(each), value);
        }
      },
      [...modelLabels],
    );
  }
  const calls = {
    hdfs: {
      total: counter('maas_hdfs_requests_total', 'Calls to HDFS, by operation and error code.', ['operation', 'code']),
      seconds: histogram('maas_hdfs_request_duration_seconds', 'Duration of calls to HDFS, with their retries.', [
        'operation',
      ]),
    },
    zookeeper: {
      total: counter('maas_zookeeper_requests_total', 'Calls to ZooKeeper, by operation and error code.', [
        'operation',
        'code',
      ]),
      seconds: histogram(
        'maas_zookeeper_request_duration_seconds',
        'Duration of calls to ZooKeeper, with the wait for a connection.',
        ['operation'],
      ),
    },
  };
  gauge(
    'maas_operator_build_info',
    'Always 1: version and commit of the operator are in the labels.',
    (g) => g.set({ version: build.version, commit: build.commit ?? 'unknown' }, 1),
    ['version', 'commit'],
  );
  gauge('process_resident_memory_bytes', 'Resident memory.', (g) => g.set(process.memoryUsage.rss()));
  gauge('nodejs_heap_size_used_bytes', 'Used heap.', (g) => g.set(process.memoryUsage().heapUsed));

  return {
    reconciled(outcome, seconds) {
      reconciles.inc({ outcome });
      reconcileSeconds.observe(seconds);
    },
    swept: () => sweeps.inc(),
    retried: () => retries.inc(),
    added: () => adds.inc(),
    waited: (seconds) => waits.observe(seconds),
    request: (outcome) => requests.inc({ outcome }),
    called(system, { operation, code, seconds }) {
      calls[system].total.inc({ operation, code });
      calls[system].seconds.observe({ operation }, seconds);
    },
    render: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
}

const watchCounters = {
  relists: 'Times that a watch listed everything anew',
  restarts: 'Times that a watch was started again',
  failures: 'Failed requests of the watches',
} as const;

const instanceGauges = {
  desired: 'Instances that are wanted of a ModelDeployment.',
  ready: 'Instances of a ModelDeployment that answer.',
  registered: 'Instances of a ModelDeployment that clients see; absent while ZooKeeper cannot be asked.',
} as const;

/** One series of each metric for a resource, since a resource has one value of each label at a time. */
const modelLabels = ['namespace', 'name', 'model', 'version'] as const;

function labelsOf(model: Pick<MeasuredModel, (typeof modelLabels)[number]>): Record<string, string> {
  const { namespace, name, model: modelName, version } = model;
  return { namespace, name, model: modelName, version };
}
