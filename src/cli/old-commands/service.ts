/**
 * `maas_service.sh`: the old service starter's command line as the installation of the chart that means the same. See
 * docs/adr/0021.
 */
import { stringify } from 'yaml';
import { MaasError } from '../../contracts/errors.ts';
import { defaultOperatorNamespace } from '../../contracts/settings.ts';
import type { CommandEnvironment, UnlistedCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { cell, printWhole } from '../output/print-table.ts';
import { note } from '../output/say.ts';
import { lookOf, type Ports } from '../ports.ts';
import { hdfsOf } from './hadoop-conf.ts';
import { asksForHelp, type LegacyValues, parseLegacyOptions } from './old-options.ts';
import {
  chartValues,
  type Effect,
  helmOptions,
  merged,
  serviceHelp,
  serviceOptions,
  serviceProgram,
} from './service-options.ts';

type ChartValues = Readonly<Record<string, unknown>>;

export const oldService: UnlistedCommand = {
  name: '__legacy-service',
  async run(argv, environment, ports) {
    if (asksForHelp(argv)) ports.out.write(serviceHelp());
    else
      await execute(parseLegacyOptions(serviceProgram, [...serviceOptions, ...helmOptions], argv), environment, ports);
    return exitCodes.ok;
  },
};

async function execute(given: LegacyValues, env: CommandEnvironment, ports: Ports): Promise<void> {
  const { values: wanted, effects } = chartValues(given);
  const files = given.get('values') ?? [];
  if (!given.has('zk_quorum') && files.length === 0) {
    throw new MaasError('USAGE', 'the service needs -zq, the ZooKeeper that clients use', {
      next: `See \`${serviceProgram} -h\`.`,
    });
  }
  const apply = given.has('apply');
  if (given.has('explain')) {
    const shown = apply ? ports.err : ports.out;
    shown.write(explanation(effects, lookOf(shown).width));
    if (!apply) return;
  }
  const hdfs = await hdfsValues(given.get('hadoop_conf')?.[0] ?? env.hadoopConf, env, ports);
  if (hdfs === undefined && files.length === 0) missHdfs(apply, ports);
  const values = merged(hdfs ?? {}, wanted);
  const args = helmArguments(given, env);
  if (!apply) {
    ports.out.write(commandText(args, values));
    return;
  }
  const status = await ports.helm(args, stringify(values, { lineWidth: 0 }));
  if (status !== 0) throw new MaasError('HELM_FAILED', `helm ended with status ${status}; its own words are above`);
}

/** Who installs by hand can add it by hand. */
function missHdfs(apply: boolean, { err }: Ports): void {
  const error = new MaasError('SETTINGS_INVALID', 'where HDFS is was not found in a configuration of Hadoop', {
    next: 'Name its directory with --hadoop_conf, or set hdfs.nameservices in a file for --values.',
  });
  if (apply) throw error;
  note(err, `${error.message}. ${error.next}`);
}

async function hdfsValues(directory: string, env: CommandEnvironment, ports: Ports): Promise<ChartValues | undefined> {
  const files = await Promise.all(
    ['core-site.xml', 'hdfs-site.xml'].map((name) => ports.readText(`${directory}/${name}`)),
  );
  const found = hdfsOf(files.filter((text) => text !== undefined));
  if (found === undefined) return undefined;
  return { hdfs: { ...found, ...(env.hadoopUser === undefined ? {} : { user: env.hadoopUser }) } };
}

function helmArguments(given: LegacyValues, env: CommandEnvironment): string[] {
  const one = (long: string): string | undefined => given.get(long)?.[0] || undefined;
  const named = (flag: string, value: string | undefined) => (value === undefined ? [] : [flag, value]);
  return [
    'upgrade',
    '--install',
    one('release') ?? 'maas-operator',
    one('chart') ?? env.chart,
    '--namespace',
    one('namespace') ?? env.operatorNamespace ?? defaultOperatorNamespace,
    '--create-namespace',
    ...named('--kubeconfig', one('kubeconfig')),
    ...named('--kube-context', one('context')),
    ...(given.get('values') ?? []).flatMap((file) => ['--values', file]),
    '--values',
    '-',
  ];
}

/** For a shell: the values come through standard input. */
function commandText(args: readonly string[], values: ChartValues): string {
  const yaml = stringify(values, { lineWidth: 0 });
  let end = 'VALUES';
  while (yaml.split('\n').includes(end)) end += '_';
  return `helm ${args.map(shellWord).join(' ')} <<'${end}'\n${yaml}${end}\n`;
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function explanation(effects: readonly Effect[], width: number | undefined): string {
  const rows = effects.map(({ given, became }) => [cell(given), cell(became)]);
  return printWhole([{ heading: 'OPTION' }, { heading: 'BECAME' }], rows, width);
}
