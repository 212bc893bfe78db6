/**
 * Options as the old commands read them: a short and a long name, either with one dash or two, the value in the next
 * argument or behind an equals sign. What those commands passed over is refused: an unknown option, a stray argument.
 */
import { MaasError } from '../../contracts/errors.ts';
import { quoted } from '../../kernel/shown-text.ts';

export interface LegacyOption {
  readonly short?: string;
  readonly long: string;
  /** Other names that scripts in the field use. */
  readonly also?: readonly string[];
  /** What its value is; an option without one takes none. */
  readonly argument?: string;
  /** May be given several times with different values. */
  readonly repeatable?: boolean;
  readonly help: string;
}

/** The values by long name, in the order given; an option without a value has an empty one. */
export type LegacyValues = ReadonlyMap<string, readonly string[]>;

/** @throws MaasError USAGE */
export function parseLegacyOptions(
  program: string,
  options: readonly LegacyOption[],
  argv: readonly string[],
): LegacyValues {
  const refuse = (what: string): never => {
    throw new MaasError('USAGE', what, { next: `See \`${program} -h\`.` });
  };
  const values = new Map<string, string[]>();
  const words = argv[Symbol.iterator]();
  for (const word of words) {
    const { option, written } = optionIn(word, options, refuse);
    const value = valueFor(option, written, () => words.next().value, options, refuse);
    const before = values.get(option.long);
    if (before === undefined) values.set(option.long, [value]);
    else if (option.repeatable === true) before.push(value);
    else if (before[0] !== value) {
      refuse(`${spelled(option)} is given twice, as ${quoted(before[0] ?? '')} and as ${quoted(value)}`);
    }
  }
  return values;
}

type Refuse = (what: string) => never;

/** The option of a word, and what is written behind its equals sign. */
function optionIn(
  word: string,
  options: readonly LegacyOption[],
  refuse: Refuse,
): { readonly option: LegacyOption; readonly written: string | undefined } {
  const [, name, written] =
    /^--?(?!-|$)([^=]*)(?:=(.*))?$/s.exec(word) ??
    refuse(`${quoted(word)} belongs to no option; put a value with spaces in quotes`);
  const option = optionNamed(options, name ?? '') ?? refuse(`there is no option ${quoted(word.slice(0, 60))}`);
  return { option, written };
}

function valueFor(
  option: LegacyOption,
  written: string | undefined,
  next: () => string | undefined,
  options: readonly LegacyOption[],
  refuse: Refuse,
): string {
  if (option.argument === undefined) return written === undefined ? '' : refuse(`${spelled(option)} takes no value`);
  if (written !== undefined) return written;
  const value = next();
  if (value !== undefined && !isOption(options, value)) return value;
  return refuse(`${spelled(option)} needs a value`);
}

/** `-n, --name`. */
export function spelled({ short, long }: Pick<LegacyOption, 'short' | 'long'>): string {
  return short === undefined ? `--${long}` : `-${short}, --${long}`;
}

/** The options as a help text has them. */
export function optionLines(options: readonly LegacyOption[]): string {
  const heads = options.map(
    (option) => `${spelled(option)}${option.argument === undefined ? '' : ` ${option.argument}`}`,
  );
  const width = Math.max(...heads.map((head) => head.length));
  return options.map(({ help }, index) => `  ${(heads[index] ?? '').padEnd(width)}  ${help}\n`).join('');
}

/** Does somebody ask for help, whatever else is there? */
export function asksForHelp(argv: readonly string[]): boolean {
  return argv.length === 0 || argv.some((argument) => /^--?(h|help)$/.test(argument));
}

function optionNamed(options: readonly LegacyOption[], name: string): LegacyOption | undefined {
  return options.find(({ short, long, also }) => name === short || name === long || also?.includes(name) === true);
}

/** A value may begin with a dash, but not be an option: that is a value that was forgotten. */
function isOption(options: readonly LegacyOption[], text: string): boolean {
  const name = /^--?([^-=][^=]*)/.exec(text)?.[1];
  return name !== undefined && optionNamed(options, name) !== undefined;
}
