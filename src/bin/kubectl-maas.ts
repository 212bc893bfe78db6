/** `kubectl maas`: found by kubectl as kubectl-maas on the PATH. The only reader of its arguments and environment. */
import { randomBytes } from 'node:crypto';
import packageJson from '../../package.json' with { type: 'json' };
import { runHelm } from '../adapters/helm.ts';
import { callModel, modelConnections } from '../adapters/http/model-call.ts';
import { ChosenClients } from '../adapters/kube/chosen-clients.ts';
import { clusterInspector } from '../adapters/kube/cluster-inspector.ts';
import { commandCluster } from '../adapters/kube/command-cluster.ts';
import { instanceReader } from '../adapters/kube/instance-reader.ts';
import { throughApiServer } from '../adapters/kube/pod-proxy.ts';
import { touchTcp } from '../adapters/tcp-touch.ts';
import { terminalOutput } from '../adapters/terminal.ts';
import { readText, readTextIfAny } from '../adapters/text-file.ts';
import { openHdfs } from '../adapters/webhdfs/hdfs.ts';
import { nameNodeStates } from '../adapters/webhdfs/name-node-state.ts';
import { namedToken } from '../adapters/webhdfs/token-file.ts';
import { ZooKeeper } from '../adapters/zookeeper/zookeeper.ts';
import { runCommandLine } from '../cli/command-line.ts';
import type { CommandEnvironment } from '../cli/define-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import type { Ports } from '../cli/ports.ts';
import type { HdfsSettings } from '../contracts/hadoop-side.ts';
import { silentLog } from '../kernel/log.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { payloadCatalogue } from '../payload/catalogue.ts';
import { userPayloads } from '../payload/user-payloads.ts';

const { version } = packageJson;
const { env } = process;

// Of libraries, in a bundle; nobody who runs this can do anything about them.
process.noDeprecation = true;

/** The first Ctrl-C lets an upload take its half-written files away; the second one does not wait. */
const interrupt = new AbortController();
const { signal } = interrupt;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (signal.aborted) process.exit(exitCodes.interrupted);
    interrupt.abort(new Error(`${name} received`));
  });
}

// `kubectl maas list | head` ends the reader before the writer.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed);
});

const clients = new ChosenClients(env, systemClock, `kubectl-maas/${version}`);
const patient = { clock: systemClock, ...namedToken('MAAS_HDFS_TOKEN_FILE', env['MAAS_HDFS_TOKEN_FILE']) };
// Somebody waits for the answer: a name node that is away is tried once.
const impatient = { ...patient, rounds: 1 };

const askModel = modelConnections(`kubectl-maas/${version}`);

function payloadsOf(hdfs: HdfsSettings, how: Parameters<typeof openHdfs>[2]) {
  return userPayloads({
    hdfs,
    open: (nameservice) => openHdfs(hdfs, nameservice, how),
    now: systemClock.now,
    newId: () => randomBytes(8).toString('hex'),
    signal,
  });
}

const ports: Ports = {
  clock: systemClock,
  random: Math.random,
  out: terminalOutput(process.stdout, env),
  err: terminalOutput(process.stderr, env),
  connect: (choice) => {
    const { client, namespace } = clients.open(choice);
    return commandCluster(client, namespace, signal);
  },
  inspect: (choice) => clusterInspector(clients.open(choice).client, signal),
  instances: (choice) => instanceReader(clients.open(choice).client, systemClock, signal),
  payloads: (hdfs) => payloadsOf(hdfs, patient),
  catalogue: (hdfs) => payloadCatalogue(hdfs, (nameservice) => openHdfs(hdfs, nameservice, impatient), signal),
  hdfs: (hdfs) => ({
    ...payloadsOf(hdfs, impatient),
    nameNodes: (nameservice) => nameNodeStates(hdfs, nameservice, impatient, signal),
  }),
  // What goes wrong with the connection is in the error of whoever waits for it.
  zookeeper: ({ quorum, sessionTimeoutMs }) =>
    new ZooKeeper({ quorum, sessionTimeoutMs, clock: systemClock, log: silentLog }),
  models: (choice) => ({
    directly: (url, bounds) => callModel(askModel, url, bounds),
    throughApiServer: (pod, url, bounds) => callModel(throughApiServer(clients.open(choice).client, pod), url, bounds),
  }),
  readFile: readText,
  readText: readTextIfAny,
  helm: (args, input) => runHelm(env['HELM'] || 'helm', args, input),
  touch: touchTcp,
  signal,
  version,
};

const environment: CommandEnvironment = {
  version,
  operatorNamespace: env['MAAS_OPERATOR_NAMESPACE'] || undefined,
  namespace: env['MAAS_NAMESPACE'] || undefined,
  chart: env['MAAS_CHART'] || 'charts/maas-operator',
  hadoopConf: env['HADOOP_CONF_DIR'] || (env['HADOOP_HOME'] ? `${env['HADOOP_HOME']}/etc/hadoop` : '/etc/hadoop/conf'),
  hadoopUser: env['HADOOP_USER_NAME'] || undefined,
};

// No top-level await: the program is bundled as CommonJS.
void runCommandLine(process.argv.slice(2), environment, ports).then((code) => {
  process.exitCode = code;
  clients.close();
});
