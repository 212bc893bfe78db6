/**
 * Follows the mode of the agent's model in ZooKeeper. A model is active until something else is said. What is said holds
 * until the next word: while ZooKeeper is away, and also when the node vanishes or cannot be understood, because then
 * nobody has decided anything.
 */

import { type AgentMode, decodePublishedModes, modeOf } from '../../contracts/modes.ts';
import type { Log } from '../../kernel/log.ts';
import type { Registry } from '../registrar.ts';
import type { RunningLifecycle } from '../running-lifecycle.ts';

/** @param path the node of the published modes. Tells the first word, and every other one than the last */
export function followMode(
  lifecycle: Pick<RunningLifecycle, 'dispatch'>,
  registry: Pick<Registry, 'watchNode'>,
  { path, model, log }: { readonly path: string; readonly model: string; readonly log: Log },
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
    log.info({ mode }, 'mode');
    lifecycle.dispatch({ type: 'mode', mode });
  });
}
