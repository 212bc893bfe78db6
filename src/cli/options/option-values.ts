/** The values of options: what a user writes, checked, and as the rest of the program has it. */
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../contracts/duration.ts';
import { isMode, type Mode, modes } from '../../contracts/modes.ts';
import { parseQuantity } from '../../contracts/quantity.ts';
import { modelDeploymentSpec } from '../../contracts/resource.ts';

const { shape } = modelDeploymentSpec;
const mebibyte = 2 ** 20;
const leastMemory = 16 * mebibyte;

export function modelName(text: string): string {
  if (shape.name.safeParse(text).success) return text;
  throw new InvalidArgumentError('A model name has 1 to 128 characters, no slash and no control characters.');
}

export function modelVersion(text: string): string {
  if (shape.version.safeParse(text).success) return text;
  throw new InvalidArgumentError('A version has 1 to 128 characters, no control characters.');
}

/** For `add`: 0 is a way to change the rest and leave the number alone. */
export function countFromZero(text: string): number {
  return wholeNumber(text, 0);
}

export function countFromOne(text: string): number {
  return wholeNumber(text, 1);
}

/** Of a log. */
export function lineCount(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number of lines.');
}

/** As `history` numbers what was asked for. */
export function revisionNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is the number of a revision, as `kubectl maas history` shows it.');
}

function wholeNumber(text: string, least: number): number {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= 1_000) return number;
  throw new InvalidArgumentError(`It is a whole number from ${least} to 1000.`);
}

/** A bare number means megabytes, as it did with the old command; it becomes `Mi`. */
export function memory(text: string): string {
  const quantity = /^\d+$/.test(text) ? `${text}Mi` : text;
  const bytes = parseQuantity(quantity);
  if (bytes === undefined || !shape.memory.safeParse(quantity).success) {
    throw new InvalidArgumentError('Write megabytes as a number, or a quantity such as 512Mi or 2Gi.');
  }
  if (bytes < leastMemory) {
    const meant = /^\d+(\.\d*)?m$/.test(text) ? ` "m" means thousandths; did you mean ${text.slice(0, -1)}Mi?` : '';
    throw new InvalidArgumentError(`It is less than 16Mi.${meant}`);
  }
  return quantity;
}

export function cpu(text: string): string {
  const cores = parseQuantity(text);
  if (cores !== undefined && cores >= 0.001 && shape.cpu.safeParse(text).success) return text;
  throw new InvalidArgumentError('Write cores such as 2 or 0.5, or thousandths of a core such as 500m.');
}

export function duration(text: string): string {
  if (parseDuration(text) !== undefined && text.length <= 32) return text;
  throw new InvalidArgumentError('Write a duration with its unit, such as 30s, 10m or 1h30m.');
}

export function milliseconds(text: string): number {
  return parseDuration(duration(text)) ?? 0;
}

export function advertise(text: string): string {
  if (shape.advertise.safeParse(text).success) return text;
  throw new InvalidArgumentError('It is PodIP, Node, or a URL such as http://models.example:{port}.');
}

export function nonEmpty(text: string): string {
  if (text !== '' && !/[\p{Cc}]/u.test(text)) return text;
  throw new InvalidArgumentError('It is empty or has control characters.');
}

/** A namespace as Kubernetes names them; anything else would only be refused later. */
export function namespace(text: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('A namespace has lower-case letters, digits and dashes, at most 63.');
}

/** Kubectl takes an empty one for none. */
export function namespaceOrNone(text: string): string {
  return text === '' ? '' : namespace(text);
}

export function mode(text: string): Mode | 'default' {
  if (isMode(text) || text === 'default') return text;
  throw new InvalidArgumentError(`It is one of ${modes.join(', ')}.`);
}

/** `NAME=value` sets, `NAME-` takes away. */
export type EnvChange =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly value: undefined };

/** Collects `NAME=value` and `NAME-`. The last word about a name wins. */
export function envChange(text: string, before: readonly EnvChange[] = []): readonly EnvChange[] {
  const match = /^([^=]+?)(?:=(.*)|-)$/s.exec(text);
  const name = match?.[1] ?? '';
  if (match === null || name === '' || /[\p{Cc}]/u.test(name)) {
    throw new InvalidArgumentError('Write NAME=value, or NAME- to take a variable away.');
  }
  return [...before.filter((change) => change.name !== name), { name, value: match[2] }];
}

/** Collects patterns in their order: of those that match a file the last one counts. */
export function pattern(text: string, before: readonly string[] = []): readonly string[] {
  if (text.trim() === '') throw new InvalidArgumentError('Must not be empty.');
  return [...before, text];
}

/** `--dry-run` alone is the server's; the word after it is accepted because kubectl has it. */
export function dryRun(text: string): boolean {
  if (text === 'server') return true;
  if (text === 'none') return false;
  throw new InvalidArgumentError('Only the server can check a model: write --dry-run or --dry-run=server.');
}

/** One more file. */
export function files(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), nonEmpty(text)];
}

/** Collects `name=value`, in their order. A name that is written twice means nothing. */
export function callArgument(
  text: string,
  before: readonly (readonly [string, string])[] = [],
): readonly (readonly [string, string])[] {
  const at = text.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('Write name=value.');
  const name = text.slice(0, at);
  if (before.some(([other]) => other === name)) throw new InvalidArgumentError(`${name} is there twice.`);
  return [...before, [name, text.slice(at + 1)]];
}

/** Collects versions. */
export function versions(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, modelVersion(text)];
}

/** Collects texts. */
export function words(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, nonEmpty(text)];
}

export function parallelCalls(text: string): number {
  const number = wholeNumber(text, 1);
  if (number <= 64) return number;
  throw new InvalidArgumentError('It is a whole number from 1 to 64.');
}

export function callsASecond(text: string): number {
  return wholeNumber(text, 1);
}

export function loadTime(text: string): number {
  const ms = milliseconds(text);
  if (ms > 0 && ms <= 600_000) return ms;
  throw new InvalidArgumentError('It is more than nothing, and 10m at most.');
}

export function oneOf<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`It is one of ${words.join(', ')}.`);
  };
}
