/** Arguments to a command value; reads nothing else and runs nothing. */
import { Command as Commander, CommanderError, Option } from 'commander';
import { MaasError } from '../contracts/errors.ts';
import { modes } from '../contracts/modes.ts';
import { type ReadFrom, readFromPlaces } from '../contracts/payload.ts';
import { defaultOperatorNamespace } from '../contracts/settings.ts';
import {
  type Command,
  type EnvChange,
  type ModeCommand,
  type OutputFormat,
  outputFormats,
  type SpecOptions,
} from './command.ts';
import * as help from './help.ts';
import { addClusterOptions, type ClusterOptions, clusterChoice, plainFlags } from './options/cluster-options.ts';
import * as value from './options/option-values.ts';
import type { ClusterChoice } from './ports.ts';

export type Parsed =
  | { readonly kind: 'command'; readonly command: Command }
  /** Help, and what else is answered without running anything. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refused'; readonly error: MaasError; readonly json: boolean };

export interface ParseContext {
  /** Version of this program. */
  readonly version: string;
  /** From the environment; the flag wins. */
  readonly operatorNamespace: string | undefined;
}

/** @param argv what follows the program's name */
export function parseArguments(argv: readonly string[], context: ParseContext): Parsed {
  let command: Command | undefined;
  let shown = '';
  const program = build(
    context,
    (text) => {
      shown += text;
    },
    (parsed) => {
      command = parsed;
    },
  );
  if (argv.length === 0) {
    program.outputHelp();
    return { kind: 'text', text: shown };
  }
  try {
    program.parse(plainFlags(argv), { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return { kind: 'text', text: shown };
    return { kind: 'refused', error: refusal(error, program, argv), json: wantsJson(argv) };
  }
  return command === undefined ? { kind: 'text', text: shown } : { kind: 'command', command };
}

/** The help of every command, for the reference. */
export function helpTexts(): readonly { readonly command: string; readonly text: string }[] {
  let shown = '';
  const program = emptyProgram((text) => {
    shown += text;
  });
  return [program, ...program.commands].map((each) => {
    shown = '';
    each.outputHelp();
    const command = each === program ? help.programName : `${help.programName} ${each.name()}`;
    return { command, text: shown };
  });
}

/** The commands and their flags, for completion. */
export function commandOptions() {
  return emptyProgram(() => {}).commands.map((command) => ({
    name: command.name(),
    summary: command.summary(),
    options: command.options.map((option) => ({
      flag: option.long ?? option.flags,
      takesValue: option.required,
      description: option.description,
    })),
  }));
}

function emptyProgram(print: (text: string) => void): Commander {
  return build({ version: '', operatorNamespace: undefined }, print, () => {});
}

interface GlobalOptions extends ClusterOptions {
  readonly output?: OutputFormat;
}

interface ModelOptions extends GlobalOptions, Omit<SpecOptions, 'env'> {
  readonly name?: string;
  readonly version?: string;
  readonly instances?: number;
  readonly localModelPath?: string;
  readonly exclude?: readonly string[];
  readonly hdfsModelPath?: string;
  readonly readFrom?: ReadFrom;
  readonly env?: readonly EnvChange[];
  readonly wait: boolean;
  readonly timeout?: number;
  readonly dryRun: boolean;
}

interface ListOptions extends GlobalOptions {
  readonly name?: string;
  readonly version?: string;
  readonly allNamespaces: boolean;
}

interface ZooKeeperOptions extends GlobalOptions {
  readonly zookeeper?: string;
}

interface StatusOptions extends ZooKeeperOptions {
  readonly name?: string;
  readonly version?: string;
}

interface ImportOptions extends StatusOptions {
  readonly memory?: string;
  readonly payloadPath?: string;
  readonly apply: boolean;
  readonly dryRun: boolean;
}

interface DoctorOptions extends ZooKeeperOptions {
  readonly filename?: readonly string[];
  readonly connect: boolean;
  readonly connectTimeout?: number;
  readonly strict: boolean;
}

function build(context: ParseContext, print: (text: string) => void, found: (command: Command) => void): Commander {
  const operatorNamespace = (options: GlobalOptions): string =>
    options.operatorNamespace ?? context.operatorNamespace ?? defaultOperatorNamespace;

  const aboutZooKeeper = (options: ZooKeeperOptions) => ({
    ...everywhere(options),
    namespace: options.namespace,
    zookeeper: options.zookeeper,
    operatorNamespace: operatorNamespace(options),
  });

  const program = configured(new Commander(help.programName), print)
    .description(help.descriptions.program)
    // So that --version before a command is this program's, and behind it the model's.
    .enablePositionalOptions()
    .version(`kubectl-maas ${context.version}`, '--version', 'Print the version of this program.')
    .addHelpText('after', help.afterProgram);
  addClusterOptions(program, { all: true });

  const addOptions = configured(program.command('add'), print)
    .summary(help.summaries.add)
    .description(help.descriptions.add)
    .option('--name <model>', 'The model, as Stellar names it. Required.', value.modelName)
    .option('--version <version>', 'Version of the model. Required.', value.modelVersion)
    .option(
      '--instances <n>',
      'How many more instances. 0 changes only the other settings that you name. (default: 1)',
      value.countFromZero,
    )
    .option(
      '--memory <amount>',
      'Memory of each instance: 512Mi, 2Gi; a bare number means megabytes (Mi).',
      value.memory,
    )
    .option('--cpu <cores>', "CPU of each instance: 2, 500m. (default: the operator's)", value.cpu)
    .option('--local-model-path <dir>', 'Directory to upload to HDFS first: one *.sh and its files.', value.nonEmpty)
    .option(
      '--exclude <pattern>',
      'Do not upload what matches, as in a .gitignore; !PATTERN uploads it all the same. Repeatable.',
      value.pattern,
    )
    .option(
      '--hdfs-model-path <path>',
      "The payload in HDFS: absolute, relative to the HDFS user's home, or hdfs://nameservice/path. " +
        "With --local-model-path the upload's target (default: PAYLOAD_ROOT/NAME/VERSION).",
      value.nonEmpty,
    )
    .addOption(
      new Option(
        '--read-from <where>',
        'Where instances read the payload: Path, or Store for a copy, so that the path can be used again. (default: Path)',
      ).choices(readFromPlaces),
    )
    .option(
      '--env <NAME=value>',
      'Set an environment variable of the script; NAME- removes it. Repeatable.',
      value.envChange,
    )
    .option('--image <image>', "Image that the script runs in. (default: the operator's)", value.nonEmpty)
    .option(
      '--startup-timeout <time>',
      'How long the script may take to write endpoint.dat. (default: 10m)',
      value.duration,
    )
    .option(
      '--drain <time>',
      'How long an instance keeps serving after it is unregistered. (default: 5s)',
      value.duration,
    )
    .option(
      '--advertise <how>',
      'How clients reach it: PodIP, Node or a URL template. (default: PodIP)',
      value.advertise,
    )
    .addHelpText('after', help.afterAdd);
  changeOptions(addOptions, 'until all instances are registered');
  addClusterOptions(addOptions);
  outputOption(addOptions);
  addOptions.action((_, actor: Commander) => {
    const options = merged<ModelOptions>(actor);
    const { memory, cpu, image, startupTimeout, drain, advertise, env } = options;
    if (options.exclude !== undefined && options.localModelPath === undefined)
      actor.error('--exclude is of --local-model-path');
    found({
      kind: 'add',
      ...oneModel(actor, options),
      instances: options.instances ?? 1,
      options: { ...present({ memory, cpu, image, startupTimeout, drain, advertise }), env: env ?? [] },
      localPath: options.localModelPath,
      exclude: options.exclude ?? [],
      hdfsPath: options.hdfsModelPath,
      readFrom: options.readFrom,
      operatorNamespace: operatorNamespace(options),
    });
  });

  const removeOptions = configured(program.command('remove'), print)
    .summary(help.summaries.remove)
    .description(help.descriptions.remove)
    .option('--name <model>', 'The model, as Stellar names it. Required.', value.modelName)
    .option('--version <version>', 'Version of the model. Required.', value.modelVersion)
    .option('--instances <n>', 'How many instances to remove. (default: all)', value.countFromOne)
    .addHelpText('after', help.afterRemove);
  changeOptions(removeOptions, 'until the instances are gone');
  addClusterOptions(removeOptions);
  outputOption(removeOptions);
  removeOptions.action((_, actor: Commander) => {
    const options = merged<ModelOptions>(actor);
    found({
      kind: 'remove',
      ...oneModel(actor, options),
      instances: options.instances,
      operatorNamespace: operatorNamespace(options),
    });
  });

  const listOptions = configured(program.command('list'), print)
    .summary(help.summaries.list)
    .description(help.descriptions.list)
    .option('--name <model>', 'Only this model.', value.modelName)
    .option('--version <version>', 'Only this version.', value.modelVersion)
    .option('-A, --all-namespaces', 'In all namespaces.', false)
    .addHelpText('after', help.afterList);
  addClusterOptions(listOptions);
  outputOption(listOptions);
  listOptions.action((_, actor: Commander) => {
    const options = merged<ListOptions>(actor);
    found({
      kind: 'list',
      ...everywhere(options),
      namespace: options.namespace,
      allNamespaces: options.allNamespaces,
      model: options.name,
      version: options.version,
      operatorNamespace: operatorNamespace(options),
    });
  });

  const statusOptions = configured(program.command('status'), print)
    .summary(help.summaries.status)
    .description(help.descriptions.status)
    .option('--name <model>', 'Only this model.', value.modelName)
    .option('--version <version>', 'Only this version.', value.modelVersion)
    .addHelpText('after', help.afterStatus);
  zookeeperOption(statusOptions);
  addClusterOptions(statusOptions, { namespace: 'Only resources of this namespace. (default: all)' });
  outputOption(statusOptions);
  statusOptions.action((_, actor: Commander) => {
    const options = merged<StatusOptions>(actor);
    found({ kind: 'status', ...aboutZooKeeper(options), model: options.name, version: options.version });
  });

  const importOptions = configured(program.command('import'), print)
    .summary(help.summaries.import)
    .description(help.descriptions.import)
    .option('--name <model>', 'Only this model.', value.modelName)
    .option('--version <version>', 'Only this version.', value.modelVersion)
    .option(
      '--memory <amount>',
      'Memory, where no request tells it: 512Mi, 2Gi; a bare number means megabytes (Mi).',
      value.memory,
    )
    .option(
      '--payload-path <path>',
      'Where the payloads are, if no request tells it; {name} and {version} stand for those of the model.',
      value.nonEmpty,
    )
    .option('--apply', 'Create the manifests that are complete, in the namespace.', false)
    .addHelpText('after', help.afterImport);
  dryRunOption(importOptions);
  zookeeperOption(importOptions);
  addClusterOptions(importOptions);
  outputOption(importOptions, ['yaml', 'json']);
  importOptions.action((_, actor: Commander) => {
    const options = merged<ImportOptions>(actor);
    if (options.dryRun && !options.apply) actor.error('--dry-run needs --apply');
    found({
      kind: 'import',
      ...aboutZooKeeper(options),
      model: options.name,
      version: options.version,
      memory: options.memory,
      payloadPath: options.payloadPath,
      apply: options.apply,
      dryRun: options.dryRun,
    });
  });

  const doctorOptions = configured(program.command('doctor'), print)
    .summary(help.summaries.doctor)
    .description(help.descriptions.doctor)
    .option(
      '-f, --filename <file>',
      'Check only the manifests of this file, before you apply it; - is standard input. Repeatable.',
      value.files,
    )
    .option('--no-connect', 'Do not connect to registered addresses.')
    .option(
      '--connect-timeout <time>',
      'How long an address may take to accept a connection. (default: 2s)',
      value.milliseconds,
    )
    .option('--strict', 'Fail for warnings, too.', false)
    .addHelpText('after', help.afterDoctor);
  zookeeperOption(doctorOptions);
  addClusterOptions(doctorOptions);
  outputOption(doctorOptions);
  doctorOptions.action((_, actor: Commander) => {
    const options = merged<DoctorOptions>(actor);
    found({
      kind: 'doctor',
      ...aboutZooKeeper(options),
      files: options.filename ?? [],
      connect: options.connect,
      connectTimeoutMs: options.connectTimeout ?? defaultConnectMs,
      strict: options.strict,
    });
  });

  const modeOptions = configured(program.command('mode'), print)
    .summary(help.summaries.mode)
    .description(help.descriptions.mode)
    .argument(
      '[mode]',
      `One of ${modes.join(', ')}; with --model also default, which means the mode of all others.`,
      value.mode,
    )
    .option('--model <model>', 'Only for this model, as Stellar names it.', value.modelName)
    .addHelpText('after', help.afterMode);
  addClusterOptions(modeOptions);
  outputOption(modeOptions);
  modeOptions.action((mode: ModeCommand['mode'], _, actor: Commander) => {
    const options = merged<GlobalOptions & { model?: string }>(actor);
    if (mode === 'default' && options.model === undefined)
      actor.error('default needs --model: it is a mode of one model');
    found({
      kind: 'mode',
      ...everywhere(options),
      model: options.model,
      mode,
      operatorNamespace: operatorNamespace(options),
    });
  });

  const versionOptions = configured(program.command('version'), print)
    .summary(help.summaries.version)
    .description(help.descriptions.version)
    .option('--client', 'Only the version of this program; contact nothing.', false)
    .addHelpText('after', help.afterVersion);
  addClusterOptions(versionOptions);
  outputOption(versionOptions);
  versionOptions.action((_, actor: Commander) => {
    const options = merged<GlobalOptions & { client: boolean }>(actor);
    found({
      kind: 'version',
      ...everywhere(options),
      clientOnly: options.client,
      operatorNamespace: operatorNamespace(options),
    });
  });

  configured(program.command('help'), print)
    .summary(help.summaries.help)
    .description(help.descriptions.help)
    .argument('[command]', 'The command; without it, the help of all is printed.')
    .addHelpText('after', help.afterHelp)
    .action((name: string | undefined) => {
      const asked = name === undefined ? program : program.commands.find((command) => command.name() === name);
      if (asked !== undefined) asked.outputHelp();
      // Says that there is no such command, and which one may be meant.
      else emptyProgram(() => {}).parse([name ?? ''], { from: 'user' });
    });
  return program;
}

function configured(command: Commander, print: (text: string) => void): Commander {
  return command
    .exitOverride()
    .allowExcessArguments(false)
    .showSuggestionAfterError(true)
    .helpOption('-h, --help', 'Print this help.')
    .helpCommand(false)
    .configureHelp({
      helpWidth: help.helpWidth,
      // Defaults are in the descriptions, in words.
      optionDescription: ({ description }) => description,
    })
    .configureOutput({
      writeOut: print,
      writeErr: () => {},
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

function zookeeperOption(command: Commander): void {
  command.option(
    '--zookeeper <quorum>',
    "The ZooKeeper to look at: host:port,host:port, followed by /path for a chroot. (default: the operator's)",
    value.nonEmpty,
  );
}

function outputOption(command: Commander, formats: readonly OutputFormat[] = outputFormats): void {
  command.addOption(new Option('-o, --output <format>', `One of ${formats.join(', ')}.`).choices(formats));
}

function changeOptions(command: Commander, end: string): void {
  command
    .option('--wait', `Wait ${end}.`, false)
    .option('--timeout <time>', 'How long --wait waits. (default: 10m)', value.milliseconds);
  dryRunOption(command);
}

function dryRunOption(command: Commander): void {
  command.addOption(
    new Option('--dry-run [server]', 'Let the cluster check it and print the result; change nothing.')
      .argParser(value.dryRun)
      .preset('server')
      .default(false),
  );
}

/** Options before the command count too; the ones behind it win. */
function merged<T extends GlobalOptions>(command: Commander): T {
  const { version: _, ...early } = command.parent?.opts() ?? {};
  const options = { ...early, ...command.opts<T>() };
  return options.namespace === '' ? { ...options, namespace: undefined } : options;
}

const defaultTimeoutMs = 600_000;
const defaultConnectMs = 2_000;

function oneModel(command: Commander, options: ModelOptions) {
  const { name, version } = options;
  if (name === undefined || version === undefined) {
    const missing = [...(name === undefined ? ['--name'] : []), ...(version === undefined ? ['--version'] : [])];
    command.error(`${command.name()} needs ${missing.join(' and ')}`);
  }
  return {
    ...everywhere(options),
    namespace: options.namespace,
    model: name,
    version,
    wait: options.wait,
    timeoutMs: options.timeout ?? defaultTimeoutMs,
    dryRun: options.dryRun,
  };
}

function everywhere(options: GlobalOptions): { cluster: ClusterChoice; output: OutputFormat | undefined } {
  return { cluster: clusterChoice(options), output: options.output };
}

/** Without the fields that are undefined. */
function present<T extends Record<string, string | undefined>>(fields: T): { [K in keyof T]?: string } {
  const defined: { [K in keyof T]?: string } = {};
  for (const key in fields) if (fields[key] !== undefined) defined[key] = fields[key];
  return defined;
}

function refusal(error: unknown, program: Commander, argv: readonly string[]): MaasError {
  if (!(error instanceof CommanderError)) throw error;
  const name = program.commands.find((command) => command.name() !== 'help' && argv.includes(command.name()))?.name();
  const asked = name === undefined ? help.programName : `${help.programName} ${name}`;
  const what = error.message
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .trim();
  return new MaasError('USAGE', what === '(outputHelp)' ? 'no command was given' : what, {
    next: `See \`${asked} --help\`.`,
    cause: error,
  });
}

function wantsJson(argv: readonly string[]): boolean {
  return /(^| )(-o|--output)[ =]?json( |$)/.test(argv.join(' '));
}
