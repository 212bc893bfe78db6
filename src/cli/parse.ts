/** Arguments to a command and its value; reads nothing else and runs nothing. */
import { Argument, Command as Commander, CommanderError, type Option } from 'commander';
import { MaasError } from '../contracts/errors.ts';
import { commands } from './commands.ts';
import type { Command, Invocation } from './define-command.ts';
import { clusterOptions, plainFlags } from './options/cluster-options.ts';
import { type Field, type Given, group, type Input, type ParseContext } from './options/field.ts';
import { whereabouts } from './options/shared-options.ts';
import { exampleLines, exitCodeLines, helpWidth, paragraph, programName } from './output/help-text.ts';

export type Parsed =
  | { readonly kind: 'command'; readonly command: Invocation }
  /** Help, and what else is answered without running anything. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refused'; readonly error: MaasError; readonly json: boolean };

/** @param argv what follows the program's name */
export function parseArguments(argv: readonly string[], context: ParseContext): Parsed {
  let command: Invocation | undefined;
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

/** Fields of a line that is still being typed, whatever else is in it. @throws CommanderError for a wrong value */
export function readUnfinished<T>({ inputs, read }: Field<T>, words: readonly string[], context: ParseContext): T {
  const reader = new Commander().exitOverride().configureOutput({ writeErr: () => {} });
  declare(reader, inputs);
  reader.parseOptions(plainFlags(words));
  return read(givenTo(reader), context);
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
    const command = each === program ? programName : `${programName} ${each.name()}`;
    return { command, text: shown };
  });
}

/** It only prints, so it is no command of its own. */
export const helpCommand = { name: 'help', summary: 'Prints the help of a command.' };

function emptyProgram(print: (text: string) => void): Commander {
  return build({ version: '', operatorNamespace: undefined }, print, () => {});
}

function build(context: ParseContext, print: (text: string) => void, found: (command: Invocation) => void): Commander {
  const program = configured(new Commander(programName), print)
    .description('Runs the models that Stellar clients find in ZooKeeper.')
    // So that --version before a command is this program's, and behind it the model's.
    .enablePositionalOptions()
    .version(`kubectl-maas ${context.version}`, '--version', 'Print the version of this program.')
    .addHelpText('after', afterProgram());
  declare(program, group(whereabouts(undefined, clusterOptions('all'))).inputs);
  for (const command of commands) {
    const sub = configured(program.command(command.name), print)
      .summary(command.summary)
      .description(command.description)
      .addHelpText('after', afterCommand(command))
      .addHelpText('after', hiddenOptions);
    declare(sub, command.inputs);
    sub.action(() => found(command.read(givenTo(sub), context)));
  }
  configured(program.command(helpCommand.name), print)
    .summary(helpCommand.summary)
    .description('Prints the help of a command, or lists the commands.')
    .argument('[command]', 'The command; without it, the help of all is printed.')
    .addHelpText(
      'after',
      exampleLines([
        ['The help of add', 'help add'],
        ['All commands', 'help'],
      ]),
    )
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
      helpWidth,
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

function declare(command: Commander, inputs: readonly Input[]): void {
  for (const { declared } of inputs) {
    if (declared instanceof Argument) command.addArgument(declared);
    else command.addOption(declared);
  }
}

/** Options before the command count too; the ones behind it win. */
function givenTo(command: Commander): Given {
  return (input: Option | Argument) => {
    if (input instanceof Argument) return command.processedArgs[command.registeredArguments.indexOf(input)];
    const name = input.attributeName();
    return command.getOptionValue(name) ?? command.parent?.getOptionValue(name);
  };
}

function afterCommand({ examples, notes = [], exitCodes = true }: Command): string {
  return `${exampleLines(examples)}${exitCodes ? `\n${notes.map(paragraph).join('')}${exitCodeLines()}` : ''}`;
}

const hiddenOptions = `
It takes kubectl's other options for a cluster and an identity as well, such as
--server and --as; \`${programName} --help\` lists them.`;

function afterProgram(): string {
  const examples = exampleLines([
    [
      'Upload a model, run two instances, wait until clients see them',
      'add --name dga --version 1.0 --instances 2 --memory 512 --cpu 100m --local-model-path ./dga --wait',
    ],
    ['What runs, and what is missing', 'list -o wide'],
    ['One instance fewer', 'remove --name dga --version 1.0 --instances 1'],
  ]);
  return `${examples}\n${exitCodeLines()}
${paragraph('If HDFS asks for a delegation token, MAAS_HDFS_TOKEN_FILE names the file that holds it.')}
For completion, put an executable kubectl_complete-maas on the PATH with
  #!/bin/sh
  exec kubectl-maas __complete "$@"`;
}

function refusal(error: unknown, program: Commander, argv: readonly string[]): MaasError {
  if (!(error instanceof CommanderError)) throw error;
  const name = program.commands
    .map((command) => command.name())
    .find((each) => each !== helpCommand.name && argv.includes(each));
  const asked = name === undefined ? programName : `${programName} ${name}`;
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
