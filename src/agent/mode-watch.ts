/**
 * Follows the mode of the agent's model in ZooKeeper. A model is active until something else is said. What is said holds
 * until the next word: while ZooKeeper is away, and also when the node vanishes or cannot be understood, because then
 * nobody has decided anything.
 */

import { type AgentMode, decodePublishedModes, modeOf } from '../contracts/modes.ts';
import type { Log } from '../kernel/log.ts';
import type { Registry } from './registrar.ts';

export interface ModeWatchOptions {
  readonly path: string;
  readonly model: string;
  /** Called with the first word, and with every other one than the last. */
  readonly changed: (mode: AgentMode) => void;
  readonly log: Log;
}

export function watchMode(
  registry: Pick<Registry, 'watchNode'>,
  { path, model, changed, log }: ModeWatchOptions,
): { close(): void } {
  let last: AgentMode | undefined;
  return registry.watchNode(path, (node) => {
    const published = node === undefined ? undefined : decodePublishedModes(node.data);
    if (published === undefined && (node !== undefined || last !== undefined)) {
      log.warn({ path, mode: last }, 'the modes are gone or cannot be understood; the last one known holds');
    }
    const mode = published === undefined ? (last ?? 'active') : modeOf(published.agents, model);
    if (mode === last) return;
    last = mode;
    changed(mode);
  });
}
