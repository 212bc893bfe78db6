/** The objects of a kind as they are, again whenever one has changed: a watch as a sequence of whole lists. */
import { asMaasError, type MaasError } from '../../contracts/errors.ts';
import { Bell } from '../../kernel/bell.ts';
import type { Clock } from '../../kernel/clock.ts';
import { silentLog } from '../../kernel/log.ts';
import type { KubeClient } from './client.ts';
import type { KubeObject, ResourceKind, Stored } from './resource-kind.ts';
import { startWatch } from './watch.ts';

interface Which {
  /** All namespaces where absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** Told when the cluster is not heard any more, so that what was listed may be old; and, with nothing, when it is again. */
export type OnTrouble = (failure: MaasError | undefined) => void;

/** A stream may break off and go on at once, which nobody needs to know. */
const failuresTold = 2;

/**
 * Goes on until the signal fires, whatever happens to the connection. What changes while a list is looked at comes with
 * the next one.
 *
 * @throws MaasError CLUSTER_FORBIDDEN where it may not be watched
 */
export async function* liveList<T extends KubeObject>(
  client: KubeClient,
  kind: ResourceKind<T>,
  { namespace, labelSelector, fieldSelector }: Which,
  clock: Pick<Clock, 'monotonic' | 'sleep'>,
  until: AbortSignal,
  onTrouble: OnTrouble,
): AsyncGenerator<readonly Stored<T>[], void> {
  const bell = new Bell(clock, until);
  let refusal: unknown;
  let isListed = false;
  let failures = 0;
  const watch = startWatch<T, Stored<T>>({
    client,
    kind,
    namespaces: namespace === undefined ? undefined : [namespace],
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    project: (object) => object,
    onChange: () => bell.ring(),
    onAccess: (_, refused) => {
      refusal = refused;
      isListed ||= refused === undefined;
      bell.ring();
    },
    onStream: (failure) => {
      const before = failures;
      failures = failure === undefined ? 0 : failures + 1;
      if (failures === failuresTold) onTrouble(asMaasError(failure));
      else if (failures === 0 && before >= failuresTold) onTrouble(undefined);
    },
    clock,
    log: silentLog,
  });
  try {
    while (!until.aborted) {
      await bell.wait();
      if (refusal !== undefined) throw refusal;
      if (until.aborted) return;
      if (isListed) yield watch.store.list();
    }
  } finally {
    await watch.stop();
  }
}
