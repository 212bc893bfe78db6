/** Is there a node for a model? */
import { z } from 'zod';
import { parseQuantity } from '../../../contracts/quantity.ts';
import type { ApiObject } from '../../ports.ts';

export interface NodeFacts {
  readonly labels: Readonly<Record<string, string>>;
  /** Bytes and cores for pods. */
  readonly memory: number;
  readonly cpu: number;
}

const node = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }),
  status: z.object({ allocatable: z.record(z.string(), z.string()).default({}) }).default({ allocatable: {} }),
});

/** Undefined for an object that is no node. */
export function nodeFacts(object: ApiObject): NodeFacts | undefined {
  const parsed = node.safeParse(object);
  if (!parsed.success) return undefined;
  const { metadata, status } = parsed.data;
  const amount = (name: string) => parseQuantity(status.allocatable[name] ?? '') ?? Number.POSITIVE_INFINITY;
  return { labels: metadata.labels, memory: amount('memory'), cpu: amount('cpu') };
}

export interface Wish {
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Bytes and cores. */
  readonly memory: number;
  readonly cpu: number;
}

/** What is in the way, in a sentence; undefined where some node will do. Other pods are not counted. */
export function nodeProblem(nodes: readonly NodeFacts[], { nodeSelector, memory, cpu }: Wish): string | undefined {
  if (nodes.length === 0) return undefined;
  const wanted = Object.entries(nodeSelector);
  const matching = nodes.filter(({ labels }) => wanted.every(([label, value]) => labels[label] === value));
  if (matching.length === 0) {
    return `no node has the labels ${wanted.map(([label, value]) => `${label}=${value}`).join(', ')}`;
  }
  if (matching.some((each) => each.memory >= memory && each.cpu >= cpu)) return undefined;
  const largest = (of: 'memory' | 'cpu') => Math.max(...matching.map((each) => each[of]));
  return largest('memory') < memory
    ? `the largest node has ${Math.floor(largest('memory') / 2 ** 20)}Mi of memory for pods`
    : largest('cpu') < cpu
      ? `the largest node has ${largest('cpu')} cores for pods`
      : 'no node has as much memory and as many cores together';
}
