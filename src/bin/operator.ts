/**
 * The operator's composition root: reads arguments, environment and settings file, joins the adapters, and ends the
 * process.
 */

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { smallGet } from '../adapters/http/small-get.ts';
import { KubeClient } from '../adapters/kube/client.ts';
import { EventRecorder } from '../adapters/kube/events.ts';
import { loadKubeconfig } from '../adapters/kube/kubeconfig.ts';
import { acquireLease } from '../adapters/kube/lease.ts';
import { modelCluster, modelDeployments } from '../adapters/kube/model-cluster.ts';
import { podWarnings } from '../adapters/kube/pod-warnings.ts';
import { queueCluster } from '../adapters/kube/queue-cluster.ts';
import { configMaps, leases, namespaces } from '../adapters/kube/resource-kind.ts';
import { createTransport } from '../adapters/kube/transport.ts';
import { createLog } from '../adapters/log.ts';
import { type Call, measured } from '../adapters/measured-calls.ts';
import { operatorMetrics } from '../adapters/metrics.ts';
import { type Hdfs, openHdfs } from '../adapters/webhdfs/hdfs.ts';
import { tokenFromFile } from '../adapters/webhdfs/token-file.ts';
import { ZooKeeper } from '../adapters/zookeeper/zookeeper.ts';
import { MaasError } from '../contracts/errors.ts';
import { modesConfigMap } from '../contracts/modes.ts';
import type { ModelDeployment } from '../contracts/resource.ts';
import { resourceEntry } from '../contracts/resource-entry.ts';
import { type OperatorSettings, operatorSettings } from '../contracts/settings.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { readJson } from '../kernel/schema-json.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { crashingAt, noFailPoints } from '../legacy/fail-points.ts';
import { observedModel } from '../legacy/model-object.ts';
import { recordConfigMap } from '../legacy/queue-record.ts';
import { checkWorld } from '../manager/check-world.ts';
import { runOperator } from '../manager/run-operator.ts';
import { serveHttp } from '../operator/http-server.ts';
import { Leadership } from '../operator/leadership.ts';
import { HdfsPayloads, type HdfsPayloadsOptions } from '../payload/hdfs-payloads.ts';
import { operatorStores, startOperatorWatches } from './operator-watches.ts';

const clock = systemClock;
const httpPort = 8080;
const leaseName = 'maas-operator';
/** Where the chart mounts the Secret with a delegation token, where there is one. */
const hdfsTokenFile = '/etc/maas-hdfs/token';
/** The commit is put in by a build that is told of it. */
const buildInfo = { version: packageJson.version, commit: process.env['MAAS_COMMIT'] || undefined };
const hdfsCalls = [
  'status',
  'checksum',
  'blockLengths',
  'read',
  'home',
  'list',
  'checkAccess',
  'write',
  'mkdirs',
  'rename',
  'replace',
  'delete',
] as const satisfies readonly (keyof Hdfs)[];
const zookeeperCalls = ['get', 'exists', 'children', 'create', 'set', 'delete', 'ensurePath', 'transaction'] as const;
/** Names a place at which the process kills itself, hard. For tests of what comes after, and for nothing else. */
const failPointVariable = 'MAAS_FAIL_POINT';
/** How long an orderly stop may take before the process ends anyway. */
const stopMs = 8_000;
/** The same where the lease was lost: nothing that is under way may meet what the next leader does. */
const lostMs = 2_000;

async function readSettings(path: string): Promise<OperatorSettings> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new MaasError('SETTINGS_INVALID', `the settings file ${path} cannot be read`, { cause });
  }
  const { value, problem, cause } = readJson(text, operatorSettings);
  if (value !== undefined) return value;
  throw new MaasError('SETTINGS_INVALID', `the settings file ${path}: ${problem}`, { cause });
}

async function run(settings: OperatorSettings, log: Log, options: { port: number; hdfsToken: string }): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort(signal));
  const leadership = new Leadership();
  endAnyway(stopping.signal, stopMs);
  endAnyway(leadership.lost, lostMs);
  await using adapters = new AsyncDisposableStack();

  const transport = createTransport(() => loadKubeconfig({ env: process.env }), clock, 'maas-operator', process.env);
  const client = new KubeClient(transport, clock);
  const namespace = process.env['POD_NAMESPACE'] ?? 'default';
  const clusterId = settings.clusterId ?? (await client.get(namespaces, { name: 'kube-system' }))?.metadata.uid;
  if (clusterId === undefined)
    throw new MaasError('SETTINGS_INVALID', 'the cluster has no kube-system namespace', { next: 'Set clusterId.' });
  const podName = process.env['POD_NAME'] ?? hostname();
  const identity = `${podName}_${randomUUID()}`;

  const metrics = operatorMetrics(buildInfo);
  const { quorum, sessionTimeoutMs } = settings.zookeeper;
  const zookeeper = measured(
    new ZooKeeper({ quorum, sessionTimeoutMs, clock, log: log.child({ part: 'zookeeper' }) }),
    zookeeperCalls,
    { monotonic: clock.monotonic, observe: (call) => metrics.called('zookeeper', call) },
  );
  adapters.defer(() => zookeeper.close());
  const recorder = new EventRecorder({
    client,
    clock,
    log,
    component: 'maas-operator',
    instance: podName,
    newId: () => randomUUID().slice(0, 13),
  });
  adapters.defer(() => recorder.stop());
  const stores = operatorStores();
  const oldQueue = queueCluster({
    client,
    recorder,
    record: { namespace, name: recordConfigMap },
    known: (model) => stores.resources.indexed(model).map(({ resource }) => resource.metadata),
    project: (object, autoscaler) => observedModel(resourceEntry(object), autoscaler),
  });

  await runOperator(
    {
      settings: { ...settings, clusterId },
      self: { namespace, identity },
      leadership,
      acquire: (annotations, signal) =>
        acquireLease({ client, namespace, name: leaseName, identity, annotations, clock, log }, signal),
      stores,
      watch: (news) =>
        startOperatorWatches(stores, { client, clock, log, namespace, namespaces: settings.namespaces }, news),
      zookeeper,
      cluster: modelCluster(client, leadership, (resource, event) => recorder.record(aboutModel(resource), event)),
      payloads: payloadsIn(
        settings,
        { clusterId, namespace },
        {
          clock,
          log: log.child({ part: 'hdfs' }),
          token: tokenFromFile(options.hdfsToken),
          observe: (call) => metrics.called('hdfs', call),
        },
      ),
      get: smallGet,
      podWarnings: (where) => podWarnings(client, where),
      record: ({ kind, uid }, event) => recorder.record({ kind, namespace, uid, ...ownObjects[kind] }, event),
      serve: (health) => serveHttp(options.port, health),
      queue: settings.legacy.queue.enabled
        ? { zookeeper, cluster: oldQueue, failPoints: failPointsOf(process.env[failPointVariable]), metrics }
        : undefined,
      metrics,
      clock,
      log,
    },
    stopping.signal,
  );
}

function payloadsIn(
  { hdfs, payloadStore }: OperatorSettings,
  owner: HdfsPayloadsOptions['owner'],
  { observe, ...options }: Parameters<typeof openHdfs>[2] & { clock: Clock; observe: (call: Call) => void },
): HdfsPayloads {
  const { clock } = options;
  return new HdfsPayloads({
    hdfs,
    store: payloadStore,
    owner,
    open: (nameservice) =>
      measured(openHdfs(hdfs, nameservice, options), hdfsCalls, { monotonic: clock.monotonic, observe }),
    clock,
  });
}

/** The operator's own objects that events are told about. */
const ownObjects = {
  Lease: { apiVersion: leases.apiVersion, name: leaseName },
  ConfigMap: { apiVersion: configMaps.apiVersion, name: modesConfigMap },
} as const;

function aboutModel({ metadata: { namespace, name, uid } }: ModelDeployment) {
  return { apiVersion: modelDeployments.apiVersion, kind: modelDeployments.kind, namespace, name, uid };
}

/** Whatever still goes on then. */
function endAnyway(signal: AbortSignal, afterMs: number): void {
  signal.addEventListener('abort', () => setTimeout(() => process.exit(1), afterMs).unref(), { once: true });
}

function failPointsOf(name: string | undefined) {
  return name === undefined ? noFailPoints : crashingAt(name, () => process.kill(process.pid, 'SIGKILL'));
}

const program = new Command('operator').description('The operator of ModelDeployments.').exitOverride();
const settingsOption = ['--settings <file>', 'the settings, JSON', '/etc/maas/settings.json'] as const;
const tokenOption = [
  '--hdfs-token <file>',
  'a delegation token for HDFS, read before each request; without the file hdfs.user is named instead',
  hdfsTokenFile,
] as const;
program
  .command('run', { isDefault: true })
  .description('Follow the cluster and act as soon as this process is the leader.')
  .option(...settingsOption)
  .option(...tokenOption)
  .option('--port <number>', 'port of /metrics, /healthz and /readyz; 0 takes a free one', Number, httpPort)
  .action(async (options: { settings: string; hdfsToken: string; port: number }) => {
    const log = createLog({ name: 'operator', level: process.env['LOG_LEVEL'] ?? 'info' });
    try {
      await run(await readSettings(options.settings), log, options);
      process.exit(0);
    } catch (error) {
      log.error({ err: error }, 'the operator ends');
      process.exit(1);
    }
  });
program
  .command('check')
  .description('Prove that ZooKeeper and HDFS can be reached with these settings.')
  .option(...settingsOption)
  .option(...tokenOption)
  .action(async (options: { settings: string; hdfsToken: string }) => {
    const token = tokenFromFile(options.hdfsToken);
    process.exit(
      await checkWorld({
        read: () => readSettings(options.settings),
        token,
        connect: ({ quorum, sessionTimeoutMs }) =>
          new ZooKeeper({ quorum, sessionTimeoutMs, clock, log: createLog({ name: 'check', level: 'silent' }) }),
        open: (hdfs, nameservice) => openHdfs(hdfs, nameservice, { clock, token }),
        print: (line) => console.log(line),
      }),
    );
  });
// Not awaited here: the bundle is CommonJS.
program.parseAsync().catch((error: unknown) => {
  const status = error instanceof Error && 'exitCode' in error ? error.exitCode : undefined;
  process.exit(typeof status === 'number' ? status : 1);
});
