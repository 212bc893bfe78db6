/** The command line of the old service starter, and the values of the chart that mean the same. Pure. */
import { MaasError } from '../../contracts/errors.ts';
import { nodeLabelProblem } from '../../contracts/node-label-expression.ts';
import { schedulingSettings } from '../../contracts/settings.ts';
import { quoted } from '../../kernel/shown-text.ts';
import type { MovedOption } from './deploy-options.ts';
import { type LegacyOption, type LegacyValues, optionLines } from './old-options.ts';

export const serviceProgram = 'maas_service.sh';

type ChartValues = Readonly<Record<string, unknown>>;

interface ServiceOption extends MovedOption {
  /** The chart's values that take its place; undefined for an option that nothing takes the place of. */
  readonly values?: (given: readonly string[]) => ChartValues;
  /** What to say of what was given, where the values do not say it all. */
  readonly why?: string;
}

const nothing = (why: string) => ({ becomes: `nothing: ${why}`, why });

export const serviceOptions: readonly ServiceOption[] = [
  { short: 'h', long: 'help', help: 'Print this help.', becomes: 'the same' },
  {
    short: 'c',
    long: 'create',
    help: 'Ignored.',
    ...nothing("there is no timeline domain; access is the cluster's RBAC"),
  },
  {
    short: 'd',
    long: 'domain',
    argument: 'DOMAIN',
    help: 'Ignored.',
    ...nothing("there is no timeline domain; access is the cluster's RBAC"),
  },
  {
    short: 'e',
    long: 'shell_env',
    argument: 'NAME=VALUE',
    repeatable: true,
    help: 'Environment of every model. Repeatable.',
    becomes: '`model.env`, and so the environment of every model, below what its resource says',
    values: (given) => ({ model: { env: Object.fromEntries(given.map(variable)) } }),
  },
  {
    short: 'j',
    long: 'jar',
    argument: 'JAR',
    help: 'Ignored.',
    ...nothing("the operator is an image: the chart's `image`"),
  },
  {
    short: 'l',
    long: 'log4j',
    argument: 'FILE',
    help: 'Ignored.',
    ...nothing("the operator logs JSON to its standard output; the chart's `logLevel` says how much"),
  },
  {
    short: 'ma',
    long: 'modify_acls',
    argument: '"USERS GROUPS"',
    help: 'Who may change models: users and groups, each with commas between them.',
    becomes: '`acls.modify`: Roles and bindings; `*` is everybody who is authenticated',
    values: ([given]) => ({ acls: { modify: acl('ma', given ?? '') } }),
  },
  {
    short: 'mc',
    long: 'master_vcores',
    argument: 'N',
    help: "Processors of the operator's pod.",
    becomes: '`resources.requests.cpu` of the operator',
    values: ([given]) => ({ resources: { requests: { cpu: String(wholeNumber('mc', given, 256)) } } }),
  },
  {
    short: 'mm',
    long: 'master_memory',
    argument: 'MB',
    help: "Memory of the operator's pod in megabytes.",
    becomes: '`resources` of the operator: requests at least 128Mi, limits at least 512Mi',
    values: ([given]) => {
      const megabytes = wholeNumber('mm', given, 1_048_576);
      return {
        resources: {
          requests: { memory: `${Math.max(megabytes, 128)}Mi` },
          limits: { memory: `${Math.max(megabytes, 512)}Mi` },
        },
      };
    },
  },
  {
    short: 'nle',
    long: 'node_label_expression',
    argument: 'EXPRESSION',
    help: 'Labels of the nodes that models run on: names with &&, ||, ! and parentheses.',
    becomes: '`scheduling.nodeLabelExpression`: node affinity of models that say nothing else',
    values: ([given = '']) => {
      const problem = nodeLabelProblem(given);
      if (problem !== undefined) throw refused('nle', given, problem);
      return { scheduling: { nodeLabelExpression: given } };
    },
  },
  {
    short: 'q',
    long: 'queue',
    argument: 'QUEUE',
    help: 'Queue of models that name none.',
    becomes: '`scheduling.queue`: labels of Kueue and YuniKorn, or a priority class, as `scheduling.queueAs` says',
    values: ([given = '']) => {
      if (!schedulingSettings.shape.queue.safeParse(given).success) {
        throw refused('q', given, 'it becomes a label, so it has letters, digits, dots and dashes, at most 63');
      }
      return { scheduling: { queue: given } };
    },
  },
  {
    short: 't',
    long: 'timeout',
    argument: 'MILLISECONDS',
    help: 'Ignored.',
    ...nothing('the operator has no end; how long a model may take to start is `spec.startupTimeout`'),
  },
  {
    short: 'va',
    long: 'view_acls',
    argument: '"USERS GROUPS"',
    help: 'Who may look at models: users and groups, each with commas between them.',
    becomes: '`acls.view`: Roles and bindings; `*` is everybody who is authenticated',
    values: ([given]) => ({ acls: { view: acl('va', given ?? '') } }),
  },
  {
    short: 'zq',
    long: 'zk_quorum',
    also: ['zk'],
    argument: 'HOST:PORT,...',
    help: 'The ZooKeeper that clients use.',
    becomes: '`zookeeper.quorum`',
    values: ([given = '']) => {
      if (!/^[^\s,/]+(,[^\s,/]+)*(\/[^\s,]+)?$/.test(given)) throw refused('zq', given, 'write host:port,host:port');
      return { zookeeper: { quorum: given } };
    },
  },
  {
    short: 'zr',
    long: 'zk_root',
    argument: 'PATH',
    help: 'The configuration node.',
    becomes: '`zookeeper.configPath`; Stellar always reads /metron/maas/config',
    values: ([given = '']) => {
      if (!/^\/([^/\s]+(\/[^/\s]+)*)$/.test(given)) throw refused('zr', given, 'write the path of a znode');
      return { zookeeper: { configPath: given } };
    },
  },
];

/** What the original did not know. */
export const helmOptions: readonly LegacyOption[] = [
  { long: 'apply', help: 'Perform the installation. Without it, it is only printed.' },
  { long: 'explain', help: 'Say what each option became, and which are ignored.' },
  {
    long: 'values',
    argument: 'FILE',
    repeatable: true,
    help: 'Further values of the chart, below the options. Repeatable.',
  },
  { long: 'namespace', argument: 'NAMESPACE', help: 'Namespace of the operator. (default: maas-system)' },
  { long: 'release', argument: 'NAME', help: 'Name of the release. (default: maas-operator)' },
  { long: 'chart', argument: 'CHART', help: 'The chart. (default: the one beside this command)' },
  { long: 'context', argument: 'NAME', help: 'Context of the kubeconfig. (default: its current one)' },
  { long: 'kubeconfig', argument: 'FILE', help: 'The kubeconfig. (default: $KUBECONFIG, ~/.kube/config)' },
  {
    long: 'hadoop_conf',
    also: ['hadoop-conf'],
    argument: 'DIR',
    help: 'Where HDFS is read from. (default: $HADOOP_CONF_DIR, /etc/hadoop/conf)',
  },
];

export interface Effect {
  /** `-q analytics`, as it was given. */
  readonly given: string;
  /** `scheduling.queue: analytics`, or why nothing. */
  readonly became: string;
}

/** @throws MaasError USAGE for a value that cannot be meant */
export function chartValues(given: LegacyValues): { values: ChartValues; effects: Effect[] } {
  let values: ChartValues = {};
  const effects: Effect[] = [];
  for (const option of serviceOptions) {
    const texts = given.get(option.long);
    if (texts === undefined) continue;
    const made = option.values?.(texts);
    if (made !== undefined) values = merged(values, made);
    const shown = option.argument === undefined ? '' : ` ${texts.map((text) => JSON.stringify(text)).join(' ')}`;
    effects.push({
      given: `-${option.short}${shown}`,
      became: made === undefined ? `nothing: ${(option.why ?? '').replaceAll('`', '')}` : leavesOf(made).join(', '),
    });
  }
  return { values, effects };
}

export function serviceHelp(): string {
  return (
    `Usage: ${serviceProgram} -zq HOST:PORT,... [options]\n\n` +
    'Prints the Helm command that installs the operator as the old service was started. With --apply it is run.\n\n' +
    `Options:\n${optionLines(serviceOptions)}\nNew options:\n${optionLines(helmOptions)}`
  );
}

/** Maps are joined, everything else is replaced. */
export function merged(below: ChartValues, above: ChartValues): ChartValues {
  const joined = Object.entries(above).map(([key, value]) => {
    const present = Object.hasOwn(below, key) ? below[key] : undefined;
    return [key, isMap(present) && isMap(value) ? merged(present, value) : value] as const;
  });
  return { ...below, ...Object.fromEntries(joined) };
}

function isMap(value: unknown): value is ChartValues {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `a.b: "c"` for each value. */
function leavesOf(values: ChartValues, path = ''): string[] {
  return Object.entries(values).flatMap(([key, value]) =>
    isMap(value) ? leavesOf(value, `${path}${key}.`) : [`${path}${key}: ${JSON.stringify(value)}`],
  );
}

function variable(text: string): readonly [string, string] {
  const match = /^([-._a-zA-Z][-._a-zA-Z0-9]*)=(.*)$/s.exec(text);
  if (match === null) throw refused('e', text, 'write NAME=value');
  return [match[1] ?? '', match[2] ?? ''];
}

/** YARN's form: users, a space, groups, with commas between them; `*` is everybody. */
function acl(option: string, text: string): { users: string[]; groups: string[] } {
  if (text.trim() === '*') return { users: [], groups: ['system:authenticated'] };
  const [users = '', groups = '', ...more] = text.split(' ');
  if (more.length > 0) throw refused(option, text, 'write users, one space, groups, with commas between them');
  const names = (part: string) => [...new Set(part.split(',').filter((name) => name !== ''))];
  return { users: names(users), groups: names(groups) };
}

function wholeNumber(option: string, text: string | undefined, most: number): number {
  const number = /^\d{1,9}$/.test(text ?? '') ? Number(text) : 0;
  if (number < 1 || number > most) throw refused(option, text ?? '', `it is a whole number from 1 to ${most}`);
  return number;
}

function refused(option: string, text: string, why: string): MaasError {
  return new MaasError('USAGE', `-${option}: ${quoted(text)} cannot be used: ${why}`, {
    next: `See \`${serviceProgram} -h\`.`,
  });
}
