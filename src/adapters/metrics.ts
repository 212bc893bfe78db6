/** The operator's metrics, with the names that controllers usually give them. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What is read when somebody asks, not counted along the way. */
export interface MetricSources {
  readonly queue: () => { readonly depth: number; readonly delayed: number; readonly active: number };
  readonly watches: () => Iterable<{
    readonly kind: string;
    readonly relists: number;
    readonly restarts: number;
    readonly failures: number;
  }>;
  readonly resources: () => Iterable<{ readonly ready: string; readonly desired: number; readonly registered: number }>;
  readonly leader: () => boolean;
  readonly zookeeperConnected: () => boolean;
  /** Requests of the old queue that have to wait; undefined where that queue is not read. */
  readonly requestsHeld: () => number | undefined;
}

export interface OperatorMetrics {
  reconciled(outcome: 'success' | 'error', seconds: number): void;
  swept(): void;
  retried(): void;
  added(): void;
  waited(seconds: number): void;
  request(outcome: 'done' | 'rejected' | 'forwarded'): void;
  /** The text that Prometheus reads, and its content type. */
  render(): Promise<{ readonly type: string; readonly text: string }>;
}

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function operatorMetrics(sources: MetricSources): OperatorMetrics {
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
  const histogram = (name: string, help: string) => new Histogram({ name, help, registers, buckets });

  const reconciles = counter('maas_reconcile_total', 'Passes over a ModelDeployment, by outcome.', ['outcome']);
  const reconcileSeconds = histogram('maas_reconcile_duration_seconds', 'Duration of a pass.');
  const adds = counter('maas_workqueue_adds_total', 'Keys that entered the work queue.');
  const retries = counter('maas_workqueue_retries_total', 'Passes that failed and are repeated.');
  const waits = histogram('maas_workqueue_wait_seconds', 'How long due keys waited for a worker.');
  const sweeps = counter('maas_registrations_swept_total', 'Registrations removed because their pod is gone.');
  const requests = counter('maas_queue_requests_total', 'Requests of the old queue, by what became of them.', [
    'outcome',
  ]);
  gauge('maas_queue_requests_held', 'Requests of the old queue that have to wait.', (g) => {
    const held = sources.requestsHeld();
    if (held !== undefined) g.set(held);
  });
  gauge('maas_workqueue_depth', 'Keys that are due and wait for a worker.', (g) => g.set(sources.queue().depth));
  gauge('maas_workqueue_delayed', 'Keys that wait for their time.', (g) => g.set(sources.queue().delayed));
  gauge('maas_workqueue_active', 'Keys that are worked on.', (g) => g.set(sources.queue().active));
  gauge('maas_leader', '1 while this process is the leader.', (g) => g.set(sources.leader() ? 1 : 0));
  gauge('maas_zookeeper_connected', '1 while ZooKeeper answers.', (g) => g.set(sources.zookeeperConnected() ? 1 : 0));
  for (const name of ['relists', 'restarts', 'failures'] as const) {
    gauge(
      `maas_watch_${name}`,
      `Number of ${name} of the watches since the start.`,
      (g) => {
        for (const watch of sources.watches()) g.set({ kind: watch.kind }, watch[name]);
      },
      ['kind'],
    );
  }
  gauge(
    'maas_model_deployments',
    'ModelDeployments, by the status of their Ready condition.',
    (g) => {
      for (const { ready } of sources.resources()) g.inc({ ready });
    },
    ['ready'],
  );
  gauge('maas_instances_desired', 'Instances that are wanted, over all ModelDeployments.', (g) => {
    for (const { desired } of sources.resources()) g.inc(desired);
  });
  gauge('maas_instances_registered', 'Instances that clients see, over all ModelDeployments.', (g) => {
    for (const { registered } of sources.resources()) g.inc(registered);
  });
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
    render: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
}
