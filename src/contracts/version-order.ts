/**
 * Clients take the highest version by comparing texts, code unit by code unit (Java's String.compareTo): "1.9" is above
 * "1.10". That cannot be changed; where people would order versions otherwise, it can only be said.
 */
import { quoted } from '../kernel/shown-text.ts';
import { compareTexts } from '../kernel/text-order.ts';
import { modelDeploymentSpec } from './resource.ts';

/** Negative where clients take the other one. The same as Java's compareTo: both compare UTF-16 code units. */
export const compareAsClients = compareTexts;

/**
 * The order that people mean: numbers as numbers, "v" before a number ignored, an ending such as "-rc1" before none.
 * 0 where they do not tell them apart, or cannot be compared by any common rule.
 */
export function compareAsPeople(one: string, other: string): number {
  const [a, b] = [partsOf(one), partsOf(other)];
  if (a === undefined || b === undefined) return 0;
  for (let index = 0; index < Math.max(a.numbers.length, b.numbers.length); index += 1) {
    const [x, y] = [a.numbers[index] ?? 0n, b.numbers[index] ?? 0n];
    if (x !== y) return x < y ? -1 : 1;
  }
  if (a.ending === b.ending) return 0;
  if (a.ending === '' || b.ending === '') return a.ending === '' ? 1 : -1;
  return Math.sign(a.ending.localeCompare(b.ending, 'en', { numeric: true, sensitivity: 'base' }));
}

/** Undefined for a version that does not start with a number: a name is not newer than another. */
function partsOf(version: string): { numbers: readonly bigint[]; ending: string } | undefined {
  const match = /^\s*v?(\d{1,30}(?:\.\d{1,30}){0,15})([-+_.a-z].*)?\s*$/is.exec(version);
  if (match === null) return undefined;
  return { numbers: (match[1] ?? '').split('.').map(BigInt), ending: (match[2] ?? '').trim() };
}

/** What clients get that name no version; undefined of none. */
export function servedVersion(versions: Iterable<string>): string | undefined {
  let highest: string | undefined;
  for (const version of versions) {
    if (highest === undefined || compareAsClients(version, highest) > 0) highest = version;
  }
  return highest;
}

/** A version that clients do not take, because they find another one above it. */
export interface Outranked {
  readonly version: string;
  /** The one that they take. */
  readonly by: string;
  /** A version text that they would take; undefined where nothing sorts above `by`. */
  readonly better: string | undefined;
}

/** Undefined where clients that name no version get this one. @param registered of the same model */
export function outranked(version: string, registered: Iterable<string>): Outranked | undefined {
  const by = servedVersion(registered);
  if (by === undefined || compareAsClients(by, version) <= 0) return undefined;
  return { version, by, better: versionAbove(by, version) };
}

/** In one sentence, without a full stop. */
export function whatClientsDo({ version, by }: Outranked): string {
  return `clients that name no version get ${quoted(by)}, not ${quoted(version)}: they compare versions as plain text and take the highest`;
}

/** What to do about it, with capital and full stop. */
export function whatToDoInstead({ by, better }: Outranked): string {
  const name = better === undefined ? 'Choose a version that sorts above it' : `Name it ${quoted(better)}`;
  return `${name}, remove ${quoted(by)}, or have clients ask for the version by its name.`;
}

const { version: versionSchema } = modelDeploymentSpec.shape;

/**
 * A valid version above all that are not above `highest`, and as like the one that was meant as can be. Its successors
 * sort well too, as long as people count on in the same way: "v1.10" is followed by "v1.11".
 */
function versionAbove(highest: string, meant: string): string | undefined {
  const bare = meant.trim().replace(/^v(?=\d)/i, '');
  return [
    // Letters are above digits.
    ...(/^\d/.test(bare) ? [`v${bare}`] : []),
    `${highest}.${bare}`,
    `${highest}.1`,
    ...[...highest].map((_, at, all) => `${all.slice(0, at).join('')}${after(all[at] ?? '')}`).reverse(),
  ].find((candidate) => compareAsClients(candidate, highest) > 0 && versionSchema.safeParse(candidate).success);
}

/** A higher character, one that people can type where there is one. */
function after(character: string): string {
  if (character < '9') return '9';
  if (character < 'Z') return 'Z';
  return character < 'z' ? 'z' : '\uffed';
}
