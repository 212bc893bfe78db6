/** Which instances clients find of a model, and which one they would call. */
import { MaasError } from '../../contracts/errors.ts';
import { servedVersion } from '../../contracts/version-order.ts';
import type { CalledEndpoint } from '../../wire/model-call.ts';
import type { PodName } from '../ports.ts';

export interface Instance extends CalledEndpoint {
  readonly version: string;
  /** What people call it: its pod, or its node in ZooKeeper. */
  readonly name: string;
  /** Undefined where it is not a pod of this cluster. */
  readonly pod: PodName | undefined;
}

/** Where it was looked for: in the status of the resources, or where clients look. */
export type Source = 'status' | 'zookeeper';

export interface Registered {
  readonly model: string;
  readonly source: Source;
  /** In words, for messages. */
  readonly where: string;
  /** What should be known about them. */
  readonly notes: readonly string[];
  readonly instances: readonly Instance[];
}

/**
 * Those of the version that is asked for, else of the highest that is registered: one of them is what a client calls.
 * @throws MaasError MODEL_NOT_FOUND
 */
export function candidates({ model, instances, source, where }: Registered, version?: string): readonly Instance[] {
  const wanted = version ?? servedVersion(instances.map((each) => each.version));
  const found = instances.filter((each) => each.version === wanted);
  if (found.length > 0) return found;
  throw notFound({ model, source, where, instances, notes: [] }, version);
}

function notFound({ model, instances, source, where }: Registered, version: string | undefined): MaasError {
  const there = [...new Set(instances.map((each) => each.version))].sort();
  const others = there.length === 0 ? '' : `; registered are ${there.join(', ')}`;
  const what = version === undefined ? model : `${model} ${version}`;
  return new MaasError('MODEL_NOT_FOUND', `no instance of ${what} is registered in ${where}${others}`, {
    next:
      source === 'status'
        ? 'See why with `kubectl maas list`, or look where clients do with --from zookeeper: it has what others registered, too.'
        : 'See what is with `kubectl maas status`.',
  });
}

/** As clients choose: any of them. @param random from 0 to 1 */
export function anyOf<T>(all: readonly T[], random: number): T | undefined {
  return all[Math.min(all.length - 1, Math.floor(random * all.length))];
}
