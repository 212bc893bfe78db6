/** `kubectl maas`: found by kubectl as kubectl-maas on the PATH. The only reader of its arguments and environment. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import packageJson from '../../package.json' with { type: 'json' };
import { KubeClient } from '../adapters/kube/client.ts';
import { loadKubeconfig } from '../adapters/kube/kubeconfig.ts';
import {
  type ConfigMap,
  configMaps,
  type KubeObject,
  type ResourceKind,
  type Stored,
} from '../adapters/kube/resource-kind.ts';
import { createTransport } from '../adapters/kube/transport.ts';
import { touchTcp } from '../adapters/tcp-touch.ts';
import { runCommandLine } from '../cli/command-line.ts';
import type { CommandEnvironment } from '../cli/define-command.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import type { ClusterChoice } from '../cli/options/cluster-options.ts';
import type { ApiObject, Cluster, ConfigMapState, Output, Ports } from '../cli/ports.ts';
import { MaasError } from '../contracts/errors.ts';
import { apiVersion, kind, plural } from '../contracts/resource.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { hdfsReader, inspectorOf, zookeeperReader } from './kubectl-maas-inspect.ts';
import { oldCommandPorts } from './kubectl-maas-legacy.ts';
import { uploaderFor } from './kubectl-maas-upload.ts';

const { version } = packageJson;
const { env } = process;

// Of libraries, in a bundle; nobody who runs this can do anything about them.
process.noDeprecation = true;

interface ModelObject extends KubeObject {
  spec?: ApiObject;
}

const modelDeployments: ResourceKind<ModelObject> = { apiVersion, kind, plural, namespaced: true };

const closeLater: (() => void)[] = [];

interface Opened {
  readonly client: KubeClient;
  readonly namespace: string;
}

/** One for each choice: a login that a credential plugin asks for is asked for once. */
const opened = new Map<ClusterChoice, Opened>();

function openClient(choice: ClusterChoice): Opened {
  const known = opened.get(choice);
  if (known !== undefined) return known;
  const { kubeconfig: path, ...flags } = choice;
  const load = () => loadKubeconfig({ ...flags, env, path });
  const { namespace } = load();
  const transport = createTransport(load, systemClock, `kubectl-maas/${version}`, env);
  closeLater.push(() => transport.close());
  const fresh = { client: new KubeClient(transport, systemClock), namespace };
  opened.set(choice, fresh);
  return fresh;
}

function connect(choice: ClusterChoice): Cluster {
  const { client, namespace } = openClient(choice);
  return clusterOf(client, namespace, interrupt.signal);
}

function clusterOf(client: KubeClient, namespace: string, signal: AbortSignal): Cluster {
  return {
    namespace,
    list: async (where) => (await client.list(modelDeployments, { namespace: where, signal })).items.map(plain),
    get: async (where, name) => {
      const found = await client.get(modelDeployments, { namespace: where, name }, { signal });
      return found === undefined ? undefined : plain(found);
    },
    create: async (manifest, dryRun) =>
      plain(await client.create<ModelObject>(modelDeployments, manifest, { dryRun, signal })),
    patch: async ({ uid, resourceVersion, ...object }, { spec, annotations }, dryRun) => {
      const patch = { ...(annotations === undefined ? {} : { metadata: { annotations } }), spec };
      return plain(await client.mergePatch(modelDeployments, object, patch, { uid, resourceVersion, dryRun, signal }));
    },
    delete: async ({ uid, resourceVersion, ...object }, { foreground, dryRun }) => {
      await client.delete(modelDeployments, object, { uid, resourceVersion, foreground, dryRun, signal });
    },
    configMap: async (where, name) => {
      const found = await client.get(configMaps, { namespace: where, name }, { signal });
      return found === undefined ? undefined : (found.data ?? {});
    },
    configMapState: async (where, name) => {
      const found = await client.get(configMaps, { namespace: where, name }, { signal });
      return found === undefined ? undefined : configMapState(found);
    },
    makeConfigMap: async (where, name) => {
      const object = { metadata: { namespace: where, name } };
      return configMapState(
        await client.apply<ConfigMap>(configMaps, object, { fieldManager: 'kubectl-maas', signal }),
      );
    },
    patchConfigMap: async ({ uid, resourceVersion, namespace: where, name }, data) => {
      await client.mergePatch(configMaps, { namespace: where, name }, { data }, { uid, resourceVersion, signal });
    },
    serverVersion: () => client.serverVersion({ signal }),
  };
}

function configMapState({ metadata, data }: Stored<ConfigMap>): ConfigMapState {
  const { namespace = '', name, uid, resourceVersion } = metadata;
  return { namespace, name, uid, resourceVersion, data: data ?? {} };
}

function plain(object: ModelObject): ApiObject {
  return { ...object };
}

function outputOf(stream: NodeJS.WriteStream): Output {
  const terminal = stream.isTTY === true;
  return {
    write: (text) => {
      stream.write(text);
    },
    terminal: terminal && env['TERM'] !== 'dumb',
    colour: terminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    // A terminal that does not say its size says 0.
    width: stream.columns || 80,
  };
}

/** The first Ctrl-C lets an upload take its half-written files away; the second one does not wait. */
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interrupt.signal.aborted) process.exit(exitCodes.interrupted);
    interrupt.abort(new Error(`${signal} received`));
  });
}

// `kubectl maas list | head` ends the reader before the writer.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed);
});

async function readText(path: string): Promise<string> {
  try {
    return path === '-' ? await text(process.stdin) : await readFile(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MaasError('LOCAL_PATH_INVALID', `it cannot be read: ${why}`, { cause, next: 'Name a file that exists.' });
  }
}

const ports: Ports = {
  clock: systemClock,
  random: Math.random,
  out: outputOf(process.stdout),
  err: outputOf(process.stderr),
  connect,
  payloads: (settings) => uploaderFor(settings, env),
  hdfs: (settings) => hdfsReader(settings, env, interrupt.signal),
  zookeeper: zookeeperReader,
  inspect: (choice) => inspectorOf(openClient(choice).client, interrupt.signal),
  readFile: readText,
  ...oldCommandPorts(env),
  touch: touchTcp,
  signal: interrupt.signal,
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
  for (const close of closeLater) close();
});
