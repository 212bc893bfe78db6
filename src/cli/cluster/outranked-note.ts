/** What somebody should know who deploys a version that clients will not take. */
import {
  compareAsPeople,
  type Outranked,
  outranked,
  whatClientsDo,
  whatToDoInstead,
} from '../../contracts/version-order.ts';
import { type Model, registeredState } from './model.ts';

/** Versions of a model that clients find, as far as the status of its resources tells. */
export function registeredVersions(models: readonly Model[], name: string): readonly string[] {
  return models
    .filter(({ spec }) => spec.name === name)
    .flatMap(({ status }) => status.endpoints ?? [])
    .filter(({ state }) => state === registeredState)
    .map(({ version }) => version);
}

/** @param older say it also of a version that everybody would call older than the one that clients take */
export function outrankedNote(
  version: string,
  registered: Iterable<string>,
  { older }: { readonly older: boolean },
): string | undefined {
  const found = outranked(version, registered);
  if (found === undefined || (!older && isOlder(found))) return undefined;
  return `${whatClientsDo(found)}. ${whatToDoInstead(found)}`;
}

function isOlder({ version, by }: Outranked): boolean {
  return compareAsPeople(version, by) < 0;
}
