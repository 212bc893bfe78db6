/**
 * What the operator's settings say about what is asked for in the old client's words: where to, how much memory, and
 * what else a new resource gets. Pure.
 */
import type { ReadFrom } from '../contracts/payload.ts';
import { defaultLegacyReadFrom, type RequestQueueSettings } from '../contracts/settings.ts';

/** As little as a model's resource takes. */
const leastMemoryMb = 16;

/** The namespace of a model by its name: that of the longest prefix that fits, else the default; undefined for none. */
export function namespaceForModel(
  model: string,
  { namespace, namespaces }: Pick<RequestQueueSettings, 'namespace' | 'namespaces'>,
): string | undefined {
  const [longest] = namespaces
    .filter(({ prefix }) => model.startsWith(prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  return longest?.namespace ?? namespace;
}

/** Megabytes (2^20 bytes) rounded up as YARN's scheduler did; and the maximum, where they then exceed it. */
export function grantedMemory(
  askedMb: number,
  { incrementMb, maximumMb }: RequestQueueSettings['memory'],
): { readonly memoryMb: number; readonly exceeds?: number } {
  const memoryMb = Math.ceil(Math.max(askedMb, leastMemoryMb) / incrementMb) * incrementMb;
  return maximumMb !== null && memoryMb > maximumMb ? { memoryMb, exceeds: maximumMb } : { memoryMb };
}

/** As on YARN, each instance that the old words ask for is registered as soon as it answers. */
export const oldRollout = { strategy: 'Immediate' } as const;

/** What a new resource says that the old words have no word for. */
export interface OldDefaults {
  /** Cores; absent leaves it to the operator. */
  readonly cpu?: string;
  readonly readFrom: ReadFrom;
}

/**
 * What the old queue, the old commands and an import write into the resources that they make.
 * YARN's default calculator counted memory alone, so any number of instances shared the cores of a node: so few
 * thousandths hardly count, and still give each instance its share.
 *
 * @param settings as far as they are known
 */
export function oldDefaults({
  model,
  legacy,
}: {
  readonly model?: { readonly cpu?: string | undefined } | undefined;
  readonly legacy?: { readonly cpu?: string | undefined; readonly readFrom?: ReadFrom | undefined } | undefined;
}): OldDefaults {
  const cpu = legacy?.cpu ?? (model?.cpu === undefined ? '10m' : undefined);
  return { ...(cpu === undefined ? {} : { cpu }), readFrom: legacy?.readFrom ?? defaultLegacyReadFrom };
}
