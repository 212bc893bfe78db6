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
  /** What concerns the operator as a whole; see contracts/concern.ts. */
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
  /** From now on these are shown, too. */
  show(sources: MetricSources): void;
  /** The text that Prometheus reads, and its content type. */
  render(): Promise<{ readonly type: string; readonly text: string }>;
}

/** From a request on the same network to a payload of some gigabytes. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

/** A value of a gauge, or several with their labels; what is undefined is not told. */
type Reading = number | undefined | readonly { readonly labels: Record<string, string>; readonly value: number }[];

/** What the metrics are made with, all in one registry. */
class Instruments {
  readonly registry = new Registry();
  readonly #registers = [this.registry];

  /** Read when somebody asks. Equal labels add up. */
  gauge(name: string, help: string, read: () => Reading, labelNames: readonly string[] = []): void {
    new Gauge({
      name,
      help,
      registers: this.#registers,
      labelNames: [...labelNames],
      collect() {
        this.reset();
        const reading = read();
        if (typeof reading === 'number') this.set(reading);
        else for (const { labels, value } of reading ?? []) this.inc(labels, value);
      },
    });
  }

  counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, registers: this.#registers, labelNames });
  }

  /** Of what others count for themselves. */
  readCounter(name: string, help: string, label: string, read: () => Iterable<readonly [string, number]>): void {
    new Counter({
      name,
      help,
      registers: this.#registers,
      labelNames: [label],
      collect() {
        this.reset();
        for (const [value, count] of read()) this.inc({ [label]: value }, count);
      },
    });
  }

  histogram(name: string, help: string, labelNames: string[] = []): Histogram {
    return new Histogram({ name, help, registers: this.#registers, labelNames, buckets });
  }
}

export function operatorMetrics(build: BuildInfo): OperatorMetrics {
  const instruments = new Instruments();
  processGauges(instruments, build);
  const reconciles = instruments.counter('maas_reconcile_total', 'Passes over a ModelDeployment, by outcome.', [
    'outcome',
  ]);
  const reconcileSeconds = instruments.histogram('maas_reconcile_duration_seconds', 'Duration of a pass.');
  const adds = instruments.counter('maas_workqueue_adds_total', 'Keys that entered the work queue.');
  const retries = instruments.counter('maas_workqueue_retries_total', 'Passes that failed and are repeated.');
  const waits = instruments.histogram('maas_workqueue_wait_seconds', 'Time that due keys waited for a worker.');
  const sweeps = instruments.counter(
    'maas_registrations_swept_total',
    'Registrations removed because their pod is gone.',
  );
  const requests = instruments.counter(
    'maas_queue_requests_total',
    'Requests of the old queue, by what became of them.',
    ['outcome'],
  );
  const calls = {
    hdfs: callsTo(instruments, 'hdfs', 'HDFS', 'with their retries'),
    zookeeper: callsTo(instruments, 'zookeeper', 'ZooKeeper', 'with the wait for a connection'),
  };
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
    show(sources) {
      operatorGauges(instruments, sources);
      modelGauges(instruments, sources);
    },
    render: async () => ({ type: instruments.registry.contentType, text: await instruments.registry.metrics() }),
  };
}

function operatorGauges(instruments: Instruments, sources: MetricSources): void {
  const { queue, watches, leader, zookeeperConnected, requestsHeld, concerns } = sources;
  instruments.gauge('maas_queue_requests_held', 'Requests of the old queue that have to wait.', requestsHeld);
  instruments.gauge(
    'maas_operator_concern',
    '1 for each thing that keeps the operator from its work as a whole, by reason and what it is about.',
    () => [...concerns()].map(({ reason, subject }) => ({ labels: { reason, subject }, value: 1 })),
    ['reason', 'subject'],
  );
  instruments.gauge('maas_workqueue_depth', 'Keys that are due and wait for a worker.', () => queue().depth);
  instruments.gauge('maas_workqueue_delayed', 'Keys that wait for their time.', () => queue().delayed);
  instruments.gauge('maas_workqueue_active', 'Keys that are worked on.', () => queue().active);
  instruments.gauge('maas_leader', '1 while this process is the leader.', () => Number(leader()));
  instruments.gauge('maas_zookeeper_connected', '1 while ZooKeeper answers.', () => Number(zookeeperConnected()));
  for (const name of ['relists', 'restarts', 'failures'] as const) {
    instruments.readCounter(
      `maas_watch_${name}_total`,
      `${watchCounters[name]}, by the kind that is watched.`,
      'kind',
      () => [...watches()].map((watch) => [watch.kind, watch[name]] as const),
    );
  }
}

/** All replicas know the models; they are told once, by the one that acts. */
function modelGauges(instruments: Instruments, sources: MetricSources): void {
  const models = () => (sources.leader() ? [...sources.models()] : []);
  const total = (of: (instances: MeasuredModel['instances']) => number) =>
    models().reduce((sum, { instances }) => sum + of(instances), 0);
  instruments.gauge(
    'maas_model_deployments',
    'ModelDeployments, by the status of their Ready condition. Told by the leader.',
    () => models().map(({ ready }) => ({ labels: { ready }, value: 1 })),
    ['ready'],
  );
  instruments.gauge(
    'maas_instances_desired',
    'Instances that are wanted, over all ModelDeployments. Told by the leader.',
    () => total(({ desired }) => desired),
  );
  instruments.gauge(
    'maas_instances_registered',
    'Instances that clients see, over all ModelDeployments. Told by the leader.',
    () => total(({ registered }) => registered ?? 0),
  );
  instruments.gauge(
    'maas_model_status',
    'Always 1: the status and the reason of the Ready condition of a ModelDeployment are in the labels. Told by the leader.',
    () => models().map(({ ready, reason, ...each }) => ({ labels: { ...labelsOf(each), ready, reason }, value: 1 })),
    [...modelLabels, 'ready', 'reason'],
  );
  for (const which of ['desired', 'ready', 'registered'] as const) {
    instruments.gauge(
      `maas_model_instances_${which}`,
      `${instanceGauges[which]} Told by the leader.`,
      () =>
        models().flatMap(({ instances, ...each }) => {
          const value = instances[which];
          return value === undefined ? [] : [{ labels: labelsOf(each), value }];
        }),
      modelLabels,
    );
  }
}

function processGauges(instruments: Instruments, { version, commit = 'unknown' }: BuildInfo): void {
  instruments.gauge(
    'maas_operator_build_info',
    'Always 1: version and commit of the operator are in the labels.',
    () => [{ labels: { version, commit }, value: 1 }],
    ['version', 'commit'],
  );
  instruments.gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  instruments.gauge('nodejs_heap_size_used_bytes', 'Used heap.', () => process.memoryUsage().heapUsed);
}

function callsTo(instruments: Instruments, system: string, name: string, included: string) {
  return {
    total: instruments.counter(`maas_${system}_requests_total`, `Calls to ${name}, by operation and error code.`, [
      'operation',
      'code',
    ]),
    seconds: instruments.histogram(
      `maas_${system}_request_duration_seconds`,
      `Duration of calls to ${name}, ${included}.`,
      ['operation'],
    ),
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
