/** Which files differ between two payloads. Pure. */

import type { StoredFile } from '../../contracts/stored-payload.ts';
import { compareTexts } from '../../kernel/text-order.ts';

export interface FileDifference {
  readonly path: string;
  /** `unclear`: as long as the other one, and their checksums cannot be compared. */
  readonly change: 'added' | 'removed' | 'changed' | 'unclear';
  readonly before: number | undefined;
  readonly after: number | undefined;
}

export function fileDifferences(
  before: readonly StoredFile[],
  after: readonly StoredFile[],
): readonly FileDifference[] {
  const [old, fresh] = [byPath(before), byPath(after)];
  const paths = [...new Set([...old.keys(), ...fresh.keys()])].sort(compareTexts);
  return paths.flatMap((path): FileDifference[] => {
    const [one, other] = [old.get(path), fresh.get(path)];
    const change = changeOf(one, other);
    return change === undefined ? [] : [{ path, change, before: one?.length, after: other?.length }];
  });
}

function byPath(files: readonly StoredFile[]): ReadonlyMap<string, StoredFile> {
  return new Map(files.map((file) => [file.path, file]));
}

function changeOf(one: StoredFile | undefined, other: StoredFile | undefined): FileDifference['change'] | undefined {
  if (one === undefined) return 'added';
  if (other === undefined) return 'removed';
  if (one.length !== other.length) return 'changed';
  if (one.checksum === other.checksum) return undefined;
  const algorithmOf = ({ checksum }: StoredFile) => checksum?.split(' ')[0];
  return algorithmOf(one) === algorithmOf(other) ? 'changed' : 'unclear';
}

/** Text in UTF-8 without what no text has; undefined for anything else. */
export function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
