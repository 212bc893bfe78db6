/**
 * Follows in ZooKeeper whether the agent's version is held back. Where nothing was published, what the pod was told
 * holds; later the last word does, as with the mode: nobody decides anything by removing the node.
 */
import { decodeHolds } from '../../contracts/holds.ts';
import type { Log } from '../../kernel/log.ts';
import type { Registry } from '../registrar.ts';
import type { RunningLifecycle } from '../running-lifecycle.ts';

export interface FollowHoldOptions {
  /** The node of the resource's holds. */
  readonly path: string;
  /** Key of the agent's version. */
  readonly version: string;
  /** What holds while nothing was ever said. */
  readonly untilReleased: boolean;
  readonly log: Log;
}

/** Tells the first word, and every other one than the last. */
export function followHold(
  lifecycle: Pick<RunningLifecycle, 'dispatch'>,
  registry: Pick<Registry, 'watchNode'>,
  { path, version, untilReleased, log }: FollowHoldOptions,
): { close(): void } {
  let last: boolean | undefined;
  return registry.watchNode(path, (node) => {
    const said = node === undefined ? undefined : decodeHolds(node.data)?.versions[version]?.held;
    const held = said ?? last ?? untilReleased;
    if (held === last) return;
    last = held;
    log.info({ held }, 'hold');
    lifecycle.dispatch({ type: 'hold', held });
  });
}
