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
import {
  configMaps,
  deployments,
  leases,
  namespaces,
  podDisruptionBudgets,
  pods,
} from '../adapters/kube/resource-kind.ts';
import { createTransport } from '../adapters/kube/transport.ts';
import { startWatch } from '../adapters/kube/watch.ts';
import { createLog } from '../adapters/log.ts';
import { measured } from '../adapters/measured-calls.ts';
import { type MeasuredModel, operatorMetrics } from '../adapters/metrics.ts';
import { type Hdfs, openHdfs } from '../adapters/webhdfs/hdfs.ts';
import { tokenFromFile } from '../adapters/webhdfs/token-file.ts';
import { ZooKeeper } from '../adapters/zookeeper/zookeeper.ts';
import { concernsAnnotation, encodeConcerns } from '../contracts/concern.ts';
import { MaasError } from '../contracts/errors.ts';
import { type Mode, modesConfigMap, modesKey, modesPath } from '../contracts/modes.ts';
import { labels, markersPath } from '../contracts/names.ts';
import { eventOf, reasonOf } from '../contracts/reasons.ts';
import { type ModelDeployment, notSeenReason } from '../contracts/resource.ts';
import { resourceEntry } from '../contracts/resource-entry.ts';
import { type OperatorSettings, operatorSettings } from '../contracts/settings.ts';
import { oldDefaults } from '../deploy-rules/old-words.ts';
import type { Log } from '../kernel/log.ts';
import { readJson } from '../kernel/schema-json.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { crashingAt, noFailPoints } from '../legacy/fail-points.ts';
import { observedModel } from '../legacy/model-object.ts';
import { recordConfigMap } from '../legacy/queue-record.ts';
import { RequestQueue } from '../legacy/request-queue.ts';
import { checkWorld } from '../manager/check-world.ts';
import { Concerns } from '../operator/concerns.ts';
import { Controller } from '../operator/controller.ts';
import { serveHttp } from '../operator/http-server.ts';
import { Modes } from '../operator/modes.ts';
import { OperatorPresence } from '../operator/presence.ts';
import { RegistrationFollower } from '../operator/registrations.ts';
import { ServedNamespaces } from '../operator/served-namespaces.ts';
import { StoreSweeper } from '../operator/store-sweeper.ts';
import { Sweeper } from '../operator/sweeper.ts';
import { budgetView, deploymentView, pinView, podView } from '../operator/views.ts';
import { createWorkQueue } from '../operator/work-queue.ts';
import { HdfsPayloads } from '../payload/hdfs-payloads.ts';

const clock = systemClock;
const httpPort = 8080;
const leaseName = 'maas-operator';
/** Where the chart mounts the Secret with a delegation token, where there is one. */
const hdfsTokenFile = '/etc/maas-hdfs/token';
const workers = 8;
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
/** Names a place at which the process kills itself, hard. For tests of what comes after, and for nothing else. */
const failPointVariable = 'MAAS_FAIL_POINT';
/** How long an orderly stop may take before the process ends anyway. */
const stopMs = 8_000;

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

  const client = new KubeClient(
    createTransport(() => loadKubeconfig({ env: process.env }), clock, 'maas-operator', process.env),
    clock,
  );
  const leaseNamespace = process.env['POD_NAMESPACE'] ?? 'default';
  const clusterId = settings.clusterId ?? (await client.get(namespaces, { name: 'kube-system' }))?.metadata.uid;
  if (clusterId === undefined)
    throw new MaasError('SETTINGS_INVALID', 'the cluster has no kube-system namespace', { next: 'Set clusterId.' });
  const full = { ...settings, clusterId };

  let leading = () => false;
  const recorder = new EventRecorder({
    client,
    clock,
    log,
    component: 'maas-operator',
    instance: process.env['POD_NAME'] ?? hostname(),
    newId: () => randomUUID().slice(0, 13),
  });
  const cluster = modelCluster(
    client,
    () => leading(),
    ({ metadata: { namespace, name, uid } }, event) =>
      recorder.record(
        { apiVersion: modelDeployments.apiVersion, kind: modelDeployments.kind, namespace, name, uid },
        event,
      ),
  );

  const zookeeper = measured(
    new ZooKeeper({
      quorum: settings.zookeeper.quorum,
      sessionTimeoutMs: settings.zookeeper.sessionTimeoutMs,
      clock,
      log: log.child({ part: 'zookeeper' }),
    }),
    ['get', 'exists', 'children', 'create', 'set', 'delete', 'ensurePath', 'transaction'],
    { monotonic: clock.monotonic, observe: (call) => metrics.called('zookeeper', call) },
  );
  const { configPath, operatorRoot } = settings.zookeeper;
  const registrations = new RegistrationFollower(
    zookeeper,
    { config: configPath, markers: markersPath(operatorRoot, clusterId) },
    log,
    (model) => controller.registrationsChanged(model),
  );

  const modes = new Modes({
    zookeeper,
    path: modesPath(settings.zookeeper.operatorRoot, clusterId),
    leads: () => leading(),
    yields: () => presence.yieldsModes(),
    changed: () => controller.modesChanged(),
    spoilt: ({ message, next }) => {
      const uid = watches.modes.store.get(leaseNamespace, modesConfigMap)?.uid;
      if (!leading() || uid === undefined) return;
      recorder.record(
        {
          apiVersion: configMaps.apiVersion,
          kind: configMaps.kind,
          namespace: leaseNamespace,
          name: modesConfigMap,
          uid,
        },
        eventOf(reasonOf('MODES_INVALID'), `${message}. ${next}`, 'ReadModes'),
      );
    },
    log,
  });

  const leaseObject = { apiVersion: leases.apiVersion, kind: leases.kind, namespace: leaseNamespace, name: leaseName };
  let leaseUid: string | undefined;
  const concerns = new Concerns(({ reason, subject, message, next }, over) => {
    if (over) log.info({ reason, subject }, 'a concern is over');
    else log.warn({ reason, subject, next }, message);
    if (!leading() || leaseUid === undefined) return;
    recorder.record(
      { ...leaseObject, uid: leaseUid },
      over
        ? { ...eventOf(reason, `over: ${subject}`, 'Serve'), type: 'Normal' }
        : eventOf(reason, `${message}. ${next}`, 'Serve'),
    );
  });
  const served = new ServedNamespaces({
    namespaces: settings.namespaces,
    kinds: ['resources', 'deployments', 'pins', 'budgets', 'pods'],
    operatorNamespace: leaseNamespace,
    tell: (all) => concerns.set('namespaces', all),
    opened: (namespace) => controller.opened(namespace),
  });
  const identity = `${process.env['POD_NAME'] ?? hostname()}_${randomUUID()}`;
  let yielded: boolean | undefined;
  const presence = new OperatorPresence({
    zookeeper,
    operatorRoot: settings.zookeeper.operatorRoot,
    sessionTimeoutMs: settings.zookeeper.sessionTimeoutMs,
    self: {
      clusterId,
      namespace: leaseNamespace,
      identity,
      namespaces: settings.namespaces,
      ...(settings.legacy.queue.enabled ? { queue: settings.zookeeper.configPath } : {}),
    },
    clock,
    tell: (all) => {
      concerns.set('neighbours', all);
      if (presence.yieldsModes() === yielded) return;
      yielded = presence.yieldsModes();
      modes.yieldsChanged();
    },
    log,
  });

  const watched = (kind: string) => ({
    client,
    clock,
    log,
    namespaces: settings.namespaces.length === 0 ? undefined : settings.namespaces,
    onAccess: (namespace: string | undefined, refusal: unknown) => served.watched(kind, namespace, refusal),
  });
  const children = (kind: string) => ({ ...watched(kind), labelSelector: labels.owner });
  const owner = (child: { ownerUid: string }) => child.ownerUid;
  const watches = {
    resources: startWatch({
      ...watched('resources'),
      kind: modelDeployments,
      project: resourceEntry,
      index: (entry) => entry.resource.spec.name,
      onChange: (change) => controller.resourceChanged(change),
    }),
    deployments: startWatch({
      ...children('deployments'),
      kind: deployments,
      project: deploymentView,
      index: owner,
      onChange: (change) => controller.childChanged(change),
    }),
    pins: startWatch({
      ...children('pins'),
      kind: configMaps,
      project: pinView,
      index: owner,
      onChange: (change) => controller.childChanged(change),
    }),
    budgets: startWatch({
      ...children('budgets'),
      kind: podDisruptionBudgets,
      project: budgetView,
      index: owner,
      onChange: (change) => controller.childChanged(change),
    }),
    pods: startWatch({
      ...children('pods'),
      kind: pods,
      project: podView,
      index: owner,
      onChange: (change) => controller.childChanged(change),
    }),
    modes: startWatch({
      client,
      clock,
      log,
      namespaces: [leaseNamespace],
      fieldSelector: `metadata.name=${modesConfigMap}`,
      kind: configMaps,
      project: ({ metadata, data }) => ({ uid: metadata.uid, text: data?.[modesKey] }),
      onChange: ({ type, object }) => modes.configured(type === 'deleted' ? undefined : object.text),
    }),
  };
  // Where there is no ConfigMap the watch has nothing to tell.
  const modesKnown = watches.modes.synced.then(() => {
    if (watches.modes.store.list().length === 0) modes.configured(undefined);
  });
  modesKnown.catch(() => {});
  const stores = {
    resources: watches.resources.store,
    deployments: watches.deployments.store,
    pins: watches.pins.store,
    budgets: watches.budgets.store,
    pods: watches.pods.store,
  };
  const synced = () => Object.values(watches).every((watch) => watch.isSynced());

  const queue = createWorkQueue({
    workers,
    clock,
    reconcile: (uid) => controller.process(uid),
    hooks: {
      added: () => metrics.added(),
      started: (_key, waitedMs) => metrics.waited(waitedMs / 1_000),
      failed: (uid, error, failures, retryInMs) => {
        metrics.retried();
        const resource = stores.resources.byUid(uid)?.resource.metadata;
        const fields = { err: error, namespace: resource?.namespace, name: resource?.name, failures, retryInMs };
        log.warn(fields, 'a pass failed and is repeated');
      },
    },
  });
  const metrics = operatorMetrics(
    {
      queue: () => queue,
      watches: () => Object.entries(watches).map(([kind, watch]) => ({ kind, ...watch.counters() })),
      models: () => stores.resources.list().map(({ resource }) => measuredModel(resource)),
      leader: () => leading(),
      zookeeperConnected: () => zookeeper.state() === 'connected',
      requestsHeld: () => requests?.held(),
      concerns: () => concerns.list(),
    },
    buildInfo,
  );
  const hdfsOptions = { clock, log: log.child({ part: 'hdfs' }), token: tokenFromFile(options.hdfsToken) };
  const payloads = new HdfsPayloads({
    hdfs: settings.hdfs,
    store: settings.payloadStore,
    owner: { clusterId, namespace: leaseNamespace },
    open: (nameservice) =>
      measured(openHdfs(settings.hdfs, nameservice, hdfsOptions), hdfsCalls, {
        monotonic: clock.monotonic,
        observe: (call) => metrics.called('hdfs', call),
      }),
    clock,
  });
  const controller = new Controller({
    stores,
    registrations,
    modes,
    cluster,
    payloads,
    get: smallGet,
    podWarnings: (namespace) => podWarnings(client, namespace),
    served,
    queue,
    settings: full,
    clock,
    metrics,
    log,
  });
  const requests = settings.legacy.queue.enabled
    ? new RequestQueue({
        zookeeper,
        cluster: queueCluster({
          client,
          recorder,
          record: { namespace: leaseNamespace, name: recordConfigMap },
          known: (model) => stores.resources.indexed(model).map(({ resource }) => resource.metadata),
          project: (object) => observedModel(resourceEntry(object)),
        }),
        settings: settings.legacy.queue,
        defaults: oldDefaults(settings),
        configPath: settings.zookeeper.configPath,
        leads: () => leading(),
        takes: (model) => takesRequests(modes.of(model).mode),
        failPoints: failPointsOf(process.env[failPointVariable]),
        metrics,
        clock,
        log: log.child({ part: 'request-queue' }),
      })
    : undefined;
  registrations.start();
  modes.start();

  const http = await serveHttp(options.port, {
    dead: () => undefined,
    unready: () => (synced() ? undefined : 'the watches are not in step with the cluster yet'),
    metrics: () => metrics.render(),
  });
  log.info({ port: http.port, clusterId, namespaces: settings.namespaces }, 'the operator follows the cluster');

  const stop = async (lease?: { release(): Promise<void> }) => {
    controller.stop();
    await queue.stop();
    // Nothing is decided any more: another may act, while the rest is put away.
    await lease?.release();
    registrations.stop();
    modes.stop();
    await Promise.all(Object.values(watches).map((watch) => watch.stop()));
    await recorder.stop();
    await zookeeper.close();
    await http.close();
  };

  try {
    const lease = await acquireLease(
      {
        client,
        namespace: leaseNamespace,
        name: leaseName,
        identity,
        annotations: () => ({ [concernsAnnotation]: encodeConcerns(concerns.list()) }),
        clock,
        log,
      },
      stopping.signal,
    );
    leading = () => lease.holds();
    leaseUid = lease.uid;
    concerns.repeat();
    log.info({}, 'this process is the leader');
    const ended = AbortSignal.any([stopping.signal, lease.lost]);
    // A plan is made from all watches together: none is made before all are in step.
    const known = [modesKnown, ...Object.values(watches).map((watch) => watch.synced)];
    await Promise.race([Promise.all(known), aborted(ended)]);
    if (!ended.aborted) {
      queue.start();
      const sweeper = new Sweeper({
        zookeeper,
        operatorRoot: settings.zookeeper.operatorRoot,
        clusterId,
        serviceRoot: () => registrations.serviceRoot(),
        mode: (model) => modes.of(model).mode,
        may: (namespace) => served.inStep(namespace) && presence.maySweep(namespace),
        pods: stores.pods,
        cluster,
        metrics,
        log,
      });
      const storeSweeper = new StoreSweeper({
        payloads,
        pins: stores.pins,
        // The empty name has the mode of all models that have none of their own.
        // And the pins of a namespace that cannot be looked at name copies too.
        may: () => leading() && modes.of('').mode !== 'observe' && served.allInStep() && presence.maySweepStore(),
        removeAfterMs: settings.payloadStore.removeAfterMs,
        log,
      });
      await Promise.all([
        presence.run(ended),
        modes.run(clock, ended),
        sweeper.run(clock, ended),
        storeSweeper.run(clock, ended),
        requests?.run(ended),
      ]);
    }
    if (lease.lost.aborted) throw lease.lost.reason;
    setTimeout(() => process.exit(1), stopMs).unref();
    await stop(lease);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    setTimeout(() => process.exit(1), stopMs).unref();
    await stop();
  }
}

function measuredModel({ metadata, spec, status }: ModelDeployment): MeasuredModel {
  const ready = status.conditions?.find((condition) => condition.type === 'Ready');
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    model: spec.name,
    version: spec.version,
    ready: ready?.status ?? 'Unknown',
    reason: ready?.reason ?? notSeenReason,
    instances: { desired: spec.instances, ready: status.ready ?? 0, registered: status.registered },
  };
}

/** While a model is only looked at, or is on its way back, its requests are left to whoever else reads the queue. */
function takesRequests(mode: Mode): boolean {
  return mode === 'active' || mode === 'shadow';
}

function failPointsOf(name: string | undefined) {
  return name === undefined ? noFailPoints : crashingAt(name, () => process.kill(process.pid, 'SIGKILL'));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
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
