/**
 * Clients take the highest version by comparing texts, code unit by code unit (Java's String.compareTo): "1.9" is above
 * "1.10". That cannot be changed; where people would order versions otherwise, it can only be said.
 */
import { compareTexts } from '../kernel/text-order.ts';

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
