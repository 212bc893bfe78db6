/**
 * What a command reads from its arguments, declared once: its options and arguments for the parser and the help, what
 * a shell may suggest for them, and the value that they become.
 */
import { Argument, Option } from 'commander';

/** A field of a command's value, and what it is read from. */
export interface Field<T> {
  readonly inputs: readonly Input[];
  readonly read: (given: Given, context: ParseContext) => T;
}

export interface Input extends Hints {
  readonly declared: Option | Argument;
}

interface Hints {
  /** Candidates for the value: these words, what is deployed, files. */
  readonly suggests?: readonly string[] | 'models' | 'versions' | 'resources' | 'files';
  readonly repeatable?: boolean;
  readonly required?: boolean;
}

/** What was written, as the reader of the option has it; undefined where nothing was. */
export type Given = <T>(input: Option | Argument) => T;

export interface ParseContext {
  /** Version of this program. */
  readonly version: string;
  /** From the environment; the flag wins. */
  readonly operatorNamespace: string | undefined;
}

/** @throws InvalidArgumentError for a text that cannot be meant */
type Reader<T> = (text: string, before: T | undefined) => T;

export type Fields = Readonly<Record<string, Field<unknown>>>;
export type Values<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** Without a reader any text will do. */
export function option(flags: string, help: string): Field<string | undefined>;
export function option<T>(flags: string, help: string, read: Reader<T>, hints?: Hints): Field<T | undefined>;
export function option<T>(flags: string, help: string, read?: Reader<T>, hints: Hints = {}): Field<T | undefined> {
  const declared = new Option(flags, help);
  return declaredAs(read === undefined ? declared : declared.argParser(read), hints);
}

export function file(flags: string, help: string): Field<string | undefined> {
  return declaredAs(new Option(flags, help), { suggests: 'files' });
}

/** An option that may be given several times. */
export function repeated<T>(
  flags: string,
  help: string,
  read: Reader<readonly T[]>,
  hints: Hints = {},
): Field<readonly T[]> {
  return or(declaredAs<readonly T[]>(new Option(flags, help).argParser(read), { ...hints, repeatable: true }), []);
}

export function choice<T extends string>(flags: string, help: string, choices: readonly T[]): Field<T | undefined> {
  return declaredAs(new Option(flags, help).choices(choices), { suggests: choices });
}

/** An option without a value; `--no-` before its name makes it one that is on. */
export function flag(flags: string, help: string): Field<boolean> {
  return or(declaredAs<boolean>(new Option(flags, help)), false);
}

export function argument<T>(name: string, help: string, read: Reader<T>, hints: Hints): Field<T | undefined> {
  return declaredAs(new Argument(name, help).argParser(read), hints);
}

export function declaredAs<T>(declared: Option | Argument, hints: Hints = {}): Field<T | undefined> {
  return { inputs: [{ ...hints, declared }], read: (given) => given<T | undefined>(declared) };
}

/** What is left out is refused before it is read. */
export function required<T>({ inputs }: Field<T | undefined>): Field<T> {
  const [input] = inputs;
  if (input === undefined) throw new Error('nothing to require');
  return { inputs: [{ ...input, required: true }], read: (given) => given<T>(input.declared) };
}

export function or<T>({ inputs, read }: Field<T | undefined>, fallback: T): Field<T> {
  return { inputs, read: (given, context) => read(given, context) ?? fallback };
}

/** Several fields as one, whose value is an object. */
export function group<F extends Fields>(fields: F): Field<Values<F>> {
  const all = Object.entries(fields);
  return {
    inputs: all.flatMap(([, { inputs }]) => inputs),
    read: (given, context) =>
      Object.fromEntries(all.map(([key, { read }]) => [key, read(given, context)])) as Values<F>,
  };
}
