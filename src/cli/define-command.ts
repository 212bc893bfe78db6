/** The shape of a command: what it reads, what its help says, what it does. Each is one file in `commands`. */
import { InvalidArgumentError, Option } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { type Fields, type Given, group, type Input, type ParseContext, type Values } from './options/field.ts';
import type { OutputFormat } from './output/output-format.ts';
import type { Ports } from './ports.ts';

/** What a command is made from. Its value has the same keys as its fields. */
interface Definition<F extends Fields> {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  readonly description: string;
  readonly fields: F;
  /** What it does, and the arguments behind the program's name. */
  readonly examples: readonly (readonly [what: string, line: string])[];
  /** Paragraphs below the examples. */
  readonly notes?: readonly string[];
  /** False where it hardly ever fails, and the help does not list how. */
  readonly exitCodes?: boolean;
  /** What `-o json` prints, for the documents. */
  readonly shape?: JsonShape;
  /** Why the arguments mean nothing together, undefined where they do mean something. */
  readonly refuse?: (value: Values<F>) => string | undefined;
  /** @throws MaasError whatever stopped it; see the exit codes */
  readonly run: (value: Values<F>, ports: Ports) => Promise<ExitCode>;
}

export interface JsonShape {
  /** Markdown, the paragraph above the table of fields. */
  readonly says: string;
  /** In the order of the output; of a list those of one item. */
  readonly fields: readonly (readonly [field: string, means: string])[];
}

export interface Command extends Omit<Definition<Fields>, 'fields' | 'refuse' | 'run'> {
  readonly inputs: readonly Input[];
  /** @throws InvalidArgumentError for arguments that mean nothing together */
  readonly read: (given: Given, context: ParseContext) => Invocation;
}

/** A command with its value. Nothing has been done yet. */
export interface Invocation {
  readonly name: string;
  readonly value: object & { readonly output?: OutputFormat | undefined };
  readonly run: (ports: Ports) => Promise<ExitCode>;
}

/** What a script calls and no help lists. It reads its own arguments. */
export interface UnlistedCommand {
  readonly name: string;
  readonly run: (argv: readonly string[], environment: CommandEnvironment, ports: Ports) => Promise<ExitCode>;
}

/** What the environment says, of which nothing is asked later. */
export interface CommandEnvironment extends ParseContext {
  /** Of models, for the old commands. */
  readonly namespace: string | undefined;
  /** The chart that belongs to this program. */
  readonly chart: string;
  /** Directory of Hadoop's configuration. */
  readonly hadoopConf: string;
  /** As whom Hadoop's own commands would go to HDFS, where that is said. */
  readonly hadoopUser: string | undefined;
}

export function defineCommand<F extends Fields>({ fields, refuse, run, ...about }: Definition<F>): Command {
  const { inputs, read } = group(fields);
  return {
    ...about,
    inputs,
    read: (given, context) => {
      const missing = inputs.flatMap(({ declared, required }) =>
        required === true && declared instanceof Option && given(declared) === undefined ? (declared.long ?? []) : [],
      );
      if (missing.length > 0) throw new InvalidArgumentError(`${about.name} needs ${missing.join(' and ')}`);
      const value = read(given, context);
      const problem = refuse?.(value);
      if (problem !== undefined) throw new InvalidArgumentError(problem);
      return { name: about.name, value, run: (ports) => run(value, ports) };
    },
  };
}
