/** The moments of a start, as watches on the cluster show them. */
import type { KubeClient } from '../../src/adapters/kube/client.ts';
import { deployments, pods } from '../../src/adapters/kube/resource-kind.ts';
import { startWatch } from '../../src/adapters/kube/watch.ts';
import { containers } from '../../src/contracts/pod-contract.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';

/** Milliseconds since 1970, each the last of all instances. */
export interface Moments {
  applied: number;
  deployment?: number;
  podsMade?: number;
  podsScheduled?: number;
  agentsRun?: number;
  modelsRun?: number;
  ready?: number;
  visible?: number;
}

export type Moment = Exclude<keyof Moments, 'applied'>;

interface Started {
  readonly name: string;
  readonly state?: { readonly running?: object };
}

/**
 * What a Deployment of so many pods reaches when, from the moment in which `until` begins to its end.
 *
 * @param name of the Deployment, or what its name begins with before a hyphen
 */
export async function momentsOf(
  { client, namespace }: { readonly client: KubeClient; readonly namespace: string },
  name: string,
  count: number,
  until: (moments: Moments) => Promise<void>,
): Promise<Moments> {
  const moments: Moments = { applied: 0 };
  const seen = new Map<Moment, Set<string>>();
  const note = (moment: Moment, uid: string, reached: boolean) => {
    const uids = seen.get(moment) ?? new Set();
    seen.set(moment, uids);
    if (!reached || uids.has(uid)) return;
    uids.add(uid);
    if (uids.size === count) moments[moment] = Date.now();
  };
  const common = { client, clock: systemClock, log: silentLog, namespaces: [namespace] };
  const podWatch = startWatch({
    ...common,
    kind: pods,
    project: (pod) => pod,
    onChange: ({ type, object }) => {
      if (type === 'deleted' || !object.metadata.name.startsWith(`${name}-`)) return;
      const { uid } = object.metadata;
      const { conditions = [], containerStatuses = [], initContainerStatuses = [] } = object.status ?? {};
      const isTrue = (wanted: string) => conditions.some((c) => c.type === wanted && c.status === 'True');
      const statuses: readonly Started[] = [...initContainerStatuses, ...containerStatuses];
      const runs = (container: string) => statuses.some((s) => s.name === container && s.state?.running !== undefined);
      note('podsMade', uid, true);
      note('podsScheduled', uid, isTrue('PodScheduled'));
      note('agentsRun', uid, runs(containers.agent));
      note('modelsRun', uid, runs(containers.model));
      note('ready', uid, isTrue('Ready'));
    },
  });
  const deploymentWatch = startWatch({
    ...common,
    kind: deployments,
    project: (deployment) => deployment.metadata.name,
    onChange: ({ type, object }) => {
      if (type === 'added' && (object === name || object.startsWith(`${name}-`))) moments.deployment ??= Date.now();
    },
  });
  await Promise.all([podWatch.synced, deploymentWatch.synced]);
  moments.applied = Date.now();
  try {
    await until(moments);
  } finally {
    await Promise.all([podWatch.stop(), deploymentWatch.stop()]);
  }
  return moments;
}

/** Milliseconds from the apply until a moment, of each round. */
export function since(all: readonly Moments[], moment: Moment): number[] {
  return all.map((moments) => (moments[moment] ?? Number.NaN) - moments.applied);
}
