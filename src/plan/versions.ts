/** Which Deployment is the wanted version's, which one serves, and which ones may go. */
import { type AgentMode, registers } from '../contracts/modes.ts';
import type { DeploymentView, Observation, PodView, RegistrationsView } from './observation.ts';

export interface Versions {
  readonly wanted?: DeploymentView;
  /** The version that was served before, or is coming back, while it is there. */
  readonly before?: DeploymentView;
  /** What clients are answered by now: the wanted version once it took over, until then the one that was before. */
  readonly serving?: DeploymentView;
  /** Deployments that nothing depends on any more. */
  readonly superfluous: readonly DeploymentView[];
  /** Pods of the wanted version that clients see. */
  readonly registered: number;
  /** Pods of the wanted version that are all that their mode asks for: registered, or ready and not registered. */
  readonly up: number;
  /** Pods of any version that clients see although the mode is not to register. */
  readonly toUnregister: number;
  /** All wanted instances are up, which is known for certain. */
  readonly complete: boolean;
  /** As many are up as are asked for, known for certain: nothing depends on the versions before any more. */
  readonly tookOver: boolean;
}

/** Is it there to stay? A dead pod is not, though its registration may outlive it until its session has expired. */
export const stays = (pod: PodView) => !pod.deleting && pod.dead === undefined;

/** Pods of a version that clients see and that are there to stay. */
export function registeredPods(key: string, pods: readonly PodView[], registrations: RegistrationsView): number {
  if (!registrations.known) return 0;
  return pods.filter((pod) => pod.versionKey === key && stays(pod) && registrations.byPod.has(pod.uid)).length;
}

/** Versions that clients see of the same model and that are not this resource's; none while nobody can say. */
export function versionsOfOthers({
  registrations,
  pods,
}: Pick<Observation, 'registrations' | 'pods'>): readonly string[] {
  if (!registrations.known) return [];
  const own = new Set(pods.map(({ uid }) => uid));
  const others = [...registrations.byPod].filter(([uid]) => !own.has(uid)).map(([, { version }]) => version);
  return [...others, ...(registrations.elsewhere ?? [])];
}

/**
 * A switch keeps what is served until enough instances of the wanted version are registered. While ZooKeeper cannot be
 * asked nothing is known to be registered, so nothing is superfluous.
 *
 * Where the mode is not to register, instances count by their readiness, but only once nothing of the resource is
 * registered any more: until then the agents have not obeyed yet, and what is served is still served.
 *
 * @param wantedKey key of the wanted version
 * @param count how many instances are wanted, and how many of them must be up before the others may go
 * @param mode what the agents are told
 */
export function versionsOf(
  wantedKey: string,
  count: { readonly wanted: number; readonly needed: number },
  deployments: readonly DeploymentView[],
  pods: readonly PodView[],
  registrations: RegistrationsView,
  mode: AgentMode = 'active',
): Versions {
  const alive = deployments.filter((deployment) => !deployment.deleting);
  const wanted = alive.find((deployment) => deployment.versionKey === wantedKey);
  const others = alive.filter((deployment) => deployment !== wanted);
  const seen = (deployment: DeploymentView) => registeredPods(deployment.versionKey, pods, registrations);
  const registered = wanted === undefined ? 0 : seen(wanted);
  const answering = pods.filter((pod) => pod.versionKey === wantedKey && stays(pod) && pod.ready).length;
  const toUnregister = registers(mode) ? 0 : alive.reduce((sum, deployment) => sum + seen(deployment), 0);
  const up = registers(mode) ? registered : answering;
  const isCertain = wanted !== undefined && registrations.known && toUnregister === 0;
  const complete = isCertain && up >= count.wanted;
  const tookOver = isCertain && up >= count.needed;

  // A version that has no instance registered just now may be coming back, if it ever was complete and was not stopped;
  // one that never was has nothing to lose, and must not hold room that the wanted version needs.
  const mayComeBack = ({ everComplete, replicas }: DeploymentView) => everComplete && replicas > 0;
  const worthKeeping = others.filter((deployment) => mayComeBack(deployment) || seen(deployment) > 0);
  const before = worthKeeping.sort((a, b) => seen(b) - seen(a) || a.createdAt - b.createdAt)[0];
  const serving = tookOver || before === undefined ? wanted : before;
  const superfluous = !registrations.known
    ? []
    : tookOver
      ? others
      : others.filter((deployment) => deployment !== before && seen(deployment) === 0);
  return {
    ...(wanted === undefined ? {} : { wanted }),
    ...(before === undefined ? {} : { before }),
    ...(serving === undefined ? {} : { serving }),
    superfluous,
    registered,
    up,
    toUnregister,
    complete,
    tookOver,
  };
}
