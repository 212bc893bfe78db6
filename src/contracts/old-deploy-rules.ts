/** What the operator's settings say about deployments that are written in the old words: where to, and how much memory. */
import type { RequestQueueSettings } from './settings.ts';

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

/** Megabytes (2^20 bytes) rounded up as YARN's scheduler did; and the maximum where they exceed it then. */
export function grantedMemory(
  askedMb: number,
  { incrementMb, maximumMb }: RequestQueueSettings['memory'],
): { readonly memoryMb: number; readonly exceeds?: number } {
  const memoryMb = Math.ceil(Math.max(askedMb, leastMemoryMb) / incrementMb) * incrementMb;
  return maximumMb !== null && memoryMb > maximumMb ? { memoryMb, exceeds: maximumMb } : { memoryMb };
}
