/** The agent's answer to how it does. */
import type { AgentStatus } from '../contracts/pod-contract.ts';
import type { Clock } from '../kernel/clock.ts';
import { currentProblem } from './lifecycle/problems.ts';
import type { State } from './lifecycle/state.ts';

/** @param about the instance's id, and the digest of its pinned payload */
export function statusOf(
  state: State,
  clock: Pick<Clock, 'now' | 'monotonic'>,
  about: { readonly instance: string; readonly digest: string },
): AgentStatus {
  const at = clock.monotonic();
  const problem = currentProblem(state, at);
  return {
    instance: about.instance,
    stage: state.stage,
    since: new Date(clock.now() - (at - state.stageAt)).toISOString(),
    ...(problem === undefined ? {} : { problem }),
    ...(state.progress === undefined ? {} : { payload: state.progress }),
    ...(state.gate === 'open' ? { verifiedDigest: about.digest } : {}),
    ...(state.registration.kind === 'held' ? { url: state.registration.url } : {}),
    zookeeper: state.session,
  };
}
