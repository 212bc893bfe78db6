/** The agent's answer to how it does. */
import type { AgentStatus, ShieldStatus } from '../contracts/pod-contract.ts';
import type { Clock } from '../kernel/clock.ts';
import { currentProblem } from './lifecycle/problems.ts';
import type { State } from './lifecycle/state.ts';

/** @param about the instance's id, the digest of its pinned payload, where that is read, and what its shield does */
export function statusOf(
  state: State,
  clock: Pick<Clock, 'now' | 'monotonic'>,
  about: {
    readonly instance: string;
    readonly digest: string;
    readonly hdfs: NonNullable<AgentStatus['hdfs']>;
    readonly shield?: ShieldStatus | undefined;
  },
): AgentStatus {
  const at = clock.monotonic();
  const timeOf = (then: number) => new Date(clock.now() - (at - then)).toISOString();
  const problem = currentProblem(state, at);
  return {
    instance: about.instance,
    stage: state.stage,
    since: timeOf(state.stageAt),
    reached: state.reached.map((reached) => ({ stage: reached.stage, at: timeOf(reached.at) })),
    ...(state.start === undefined ? {} : { scriptStarted: timeOf(state.start.at) }),
    hdfs: about.hdfs,
    ...(problem === undefined ? {} : { problem }),
    ...(state.progress === undefined ? {} : { payload: state.progress }),
    ...(state.gate === 'open' ? { verifiedDigest: about.digest } : {}),
    ...(state.registration.kind === 'held' ? { url: state.registration.url } : {}),
    ...(about.shield === undefined ? {} : { shield: about.shield }),
    zookeeper: state.session,
  };
}
