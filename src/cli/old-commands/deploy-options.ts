/** The command line of the old deploy client, and what it asks for. */
import { InvalidArgumentError } from 'commander';
import { MaasError } from '../../contracts/errors.ts';
import { quoted } from '../../kernel/shown-text.ts';
import type { ClusterChoice } from '../options/cluster-options.ts';
import * as value from '../options/option-values.ts';
import { asksForHelp, type LegacyOption, type LegacyValues, optionLines, parseLegacyOptions } from './old-options.ts';

export const deployProgram = 'maas_deploy.sh';

/** An option of the old command, and what it has become. */
export interface MovedOption extends LegacyOption {
  readonly short: string;
  /** Markdown, for the documents. */
  readonly becomes: string;
}

export const deployOptions: readonly MovedOption[] = [
  { short: 'h', long: 'help', help: 'Print this help.', becomes: 'the same' },
  {
    short: 'mo',
    long: 'mode',
    argument: 'ADD|REMOVE|LIST',
    help: 'What to do.',
    becomes: '`kubectl maas add`, `remove` or `list`; another mode is an error',
  },
  {
    short: 'n',
    long: 'name',
    argument: 'NAME',
    help: 'The model. With LIST, only this one.',
    becomes: '`spec.name`; without it, or empty, ADD and REMOVE are refused',
  },
  {
    short: 'v',
    long: 'version',
    argument: 'VERSION',
    help: 'Version of the model. With LIST, only this one.',
    becomes: '`spec.version`; without it, or empty, ADD and REMOVE are refused',
  },
  {
    short: 'ni',
    long: 'num_instances',
    argument: 'N',
    help: 'How many instances more, or fewer. (default: 1)',
    becomes: '`spec.instances` goes up by N, or down; with the last instance the resource is deleted',
  },
  {
    short: 'm',
    long: 'memory',
    argument: 'MB',
    help: 'Memory of each instance in megabytes. Needed for a new model.',
    becomes:
      '`spec.memory`, rounded up and bounded by `legacy.queue.memory`; a model that is there never gets less than it has',
  },
  {
    short: 'lmp',
    long: 'local_model_path',
    argument: 'DIR',
    help: 'ADD uploads the files directly in it to the HDFS path first.',
    becomes: 'an upload over WebHDFS; what HDFS holds already is not sent again; a path that is wrong is an error',
  },
  {
    short: 'hmp',
    long: 'hdfs_model_path',
    argument: 'PATH',
    help: "The payload in HDFS: absolute, relative to the HDFS user's home, or a URI.",
    becomes: '`spec.payload.path`; ADD needs it. Instances read a copy, unless `legacy.readFrom` is `Path`',
  },
  {
    short: 'zq',
    long: 'zk_quorum',
    also: ['zk'],
    argument: 'HOST:PORT,...',
    help: 'LIST reads this ZooKeeper. Otherwise not needed.',
    becomes: "the ZooKeeper that LIST reads, by default the operator's; ADD and REMOVE go to Kubernetes. `-zk` as well",
  },
  {
    short: 'zr',
    long: 'zk_root',
    argument: 'PATH',
    help: 'LIST reads this configuration node. Otherwise not needed.',
    becomes: "the configuration node that LIST reads, by default the operator's",
  },
  { short: 'l', long: 'log4j', argument: 'FILE', help: 'Ignored.', becomes: 'nothing: accepted and ignored' },
];

/** What the original did not know, because it had only one cluster to talk to. */
export const clusterOptions: readonly LegacyOption[] = [
  {
    long: 'namespace',
    argument: 'NAMESPACE',
    help: "Namespace of the models. (default: $MAAS_NAMESPACE, the operator's legacy.queue.namespace, the context's)",
  },
  { long: 'context', argument: 'NAME', help: 'Context of the kubeconfig. (default: its current one)' },
  { long: 'kubeconfig', argument: 'FILE', help: 'The kubeconfig. (default: $KUBECONFIG, ~/.kube/config)' },
  {
    long: 'operator_namespace',
    also: ['operator-namespace'],
    argument: 'NAMESPACE',
    help: 'Where the operator publishes its settings. (default: $MAAS_OPERATOR_NAMESPACE, maas-system)',
  },
];

export type LegacyDeploy = NonNullable<ReturnType<typeof parseLegacyDeploy>>;
export type LegacyAdd = Extract<LegacyDeploy, { readonly mode: 'ADD' }>;
export type LegacyRemove = Extract<LegacyDeploy, { readonly mode: 'REMOVE' }>;
export type LegacyList = Extract<LegacyDeploy, { readonly mode: 'LIST' }>;

export interface LegacyEnvironment {
  readonly namespace: string | undefined;
  readonly operatorNamespace: string;
}

/**
 * Looks only at the options that the mode needs: what else is there was never looked at.
 *
 * @returns undefined where help is asked for
 * @throws MaasError USAGE
 */
export function parseLegacyDeploy(argv: readonly string[], env: LegacyEnvironment) {
  if (asksForHelp(argv)) return undefined;
  const read = new Values(parseLegacyOptions(deployProgram, [...deployOptions, ...clusterOptions], argv));
  const cluster: ClusterChoice = {
    kubeconfig: read.optional('kubeconfig', value.nonEmpty),
    context: read.optional('context', value.nonEmpty),
  };
  const everywhere = {
    cluster,
    /** As told; the default depends on the model. */
    namespace: read.optional('namespace', value.namespace) ?? env.namespace,
    operatorNamespace: read.optional('operator_namespace', value.namespace) ?? env.operatorNamespace,
  };
  const mode = read.needed('mode', 'every call', (text) => text.toUpperCase());
  switch (mode) {
    case 'ADD':
      return {
        ...everywhere,
        mode: 'ADD' as const,
        ...named(read, mode),
        memoryMb: read.optional('memory', megabytes),
        localPath: read.optional('local_model_path', value.nonEmpty),
        hdfsPath: read.needed('hdfs_model_path', mode, value.nonEmpty),
      };
    case 'REMOVE':
      return { ...everywhere, mode: 'REMOVE' as const, ...named(read, mode) };
    case 'LIST':
      return {
        ...everywhere,
        mode: 'LIST' as const,
        model: read.optional('name', value.nonEmpty),
        version: read.optional('version', value.nonEmpty),
        quorum: read.optional('zk_quorum', value.nonEmpty),
        configPath: read.optional('zk_root', value.nonEmpty),
      };
    default:
      throw usage(`there is no mode ${quoted(mode)}: it is ADD, REMOVE or LIST`);
  }
}

export function deployHelp(): string {
  return (
    `Usage: ${deployProgram} -mo ADD|REMOVE|LIST [options]\n\n` +
    'Deploys models as it always did, to Kubernetes: ADD and REMOVE change ModelDeployments and return at once, LIST\n' +
    'shows what clients see in ZooKeeper. Options that a mode does not need are ignored.\n\n' +
    `Options:\n${optionLines(deployOptions)}\nNew options:\n${optionLines(clusterOptions)}`
  );
}

function named(read: Values, mode: string) {
  return {
    model: read.needed('name', mode, value.modelName),
    version: read.needed('version', mode, value.modelVersion),
    instances: read.optional('num_instances', value.countFromOne) ?? 1,
  };
}

function megabytes(text: string): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (number >= 1) return number;
  throw new InvalidArgumentError('It is a number of megabytes, such as 512.');
}

/** Values by their option, and what is wrong with them in the option's name. */
class Values {
  readonly #values: LegacyValues;

  constructor(values: LegacyValues) {
    this.#values = values;
  }

  optional<T>(long: string, read: (text: string) => T): T | undefined {
    const text = this.#values.get(long)?.[0];
    if (text === undefined) return undefined;
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw usage(`${shownOption(long)}: ${quoted(text)} cannot be used. ${error.message.replace(/\.$/, '')}`);
    }
  }

  needed<T>(long: string, who: string, read: (text: string) => T): T {
    const found = this.optional(long, read);
    if (found === undefined) throw usage(`${who} needs ${shownOption(long)}`);
    return found;
  }
}

function shownOption(long: string): string {
  const option = deployOptions.find((candidate) => candidate.long === long);
  return option === undefined ? `--${long}` : `-${option.short}`;
}

function usage(what: string): MaasError {
  return new MaasError('USAGE', what, { next: `See \`${deployProgram} -h\`.` });
}
