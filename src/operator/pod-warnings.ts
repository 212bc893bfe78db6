/**
 * Asks, in the background, what Kubernetes warned of about pods that do not come up: a volume that cannot be mounted is
 * said in events only. One question serves all pods of a namespace, and where all pods come up none is asked. What is
 * heard explains; that nothing is heard means nothing.
 */

import { asMaasError, hasCode } from '../contracts/errors.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { PodView, PodWarning } from '../plan/observation.ts';

/** The warnings about pods of a namespace. @throws MaasError */
export type ListPodWarnings = (namespace: string) => Promise<readonly PodWarning[]>;

interface Namespace {
  askedAt: number;
  everyMs: number;
  busy: boolean;
  byPod: ReadonlyMap<string, readonly PodWarning[]>;
}

/** An image that is pulled, a volume that is mounted at the first attempt: until then nothing is asked. */
const patienceMs = 2_000;
const everyMs = 2_000;
/** Where pods have been waiting for long, nothing new is heard often. */
const longestEveryMs = 10_000;
/** A role of an older chart: it is granted with the next upgrade, if at all. */
const forbiddenEveryMs = 60_000;

export class PodWarnings {
  readonly #list: ListPodWarnings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #namespaces = new Map<string, Namespace>();
  /** Pods that were held up before: one that is new makes the questions frequent again. */
  readonly #known = new Set<string>();

  constructor(list: ListPodWarnings, clock: Clock, log: Log) {
    this.#list = list;
    this.#clock = clock;
    this.#log = log;
  }

  /** Asks about these pods of one namespace, in the background, where that is due; `onNews` is called when it differs. */
  ask(pods: readonly PodView[], onNews: () => void): void {
    const held = this.#held(pods);
    const [first] = held;
    if (first === undefined) return;
    let namespace = this.#namespaces.get(first.namespace);
    if (namespace === undefined) {
      namespace = { askedAt: Number.NEGATIVE_INFINITY, everyMs, busy: false, byPod: new Map() };
      this.#namespaces.set(first.namespace, namespace);
    }
    for (const { uid } of held) {
      if (this.#known.has(uid)) continue;
      this.#known.add(uid);
      if (namespace.everyMs < forbiddenEveryMs) namespace.everyMs = everyMs;
    }
    const due = this.#clock.monotonic() - namespace.askedAt >= namespace.everyMs;
    if (!namespace.busy && due) void this.#ask(first.namespace, namespace, onNews);
  }

  /** What was heard of these pods, by UID. */
  view(pods: readonly PodView[]): ReadonlyMap<string, readonly PodWarning[]> {
    return new Map(
      this.#held(pods).flatMap(({ namespace, uid }) => {
        const heard = this.#namespaces.get(namespace)?.byPod.get(uid);
        return heard === undefined ? [] : [[uid, heard]];
      }),
    );
  }

  forget(podUid: string): void {
    this.#known.delete(podUid);
  }

  #held(pods: readonly PodView[]): PodView[] {
    return pods.filter((pod) => isHeldUp(pod, this.#clock.now()));
  }

  async #ask(name: string, namespace: Namespace, onNews: () => void): Promise<void> {
    namespace.busy = true;
    namespace.askedAt = this.#clock.monotonic();
    try {
      const before = namespace.byPod;
      namespace.byPod = Map.groupBy(await this.#list(name), ({ podUid }) => podUid);
      const same = JSON.stringify([...before]) === JSON.stringify([...namespace.byPod]);
      namespace.everyMs = same ? Math.min(namespace.everyMs * 1.5, longestEveryMs) : everyMs;
      if (!same) onNews();
    } catch (error) {
      const forbidden = hasCode(error, 'CLUSTER_FORBIDDEN');
      namespace.everyMs = forbidden ? forbiddenEveryMs : longestEveryMs;
      this.#log.warn({ err: asMaasError(error), namespace: name }, 'warnings about pods could not be read');
    } finally {
      namespace.busy = false;
    }
  }
}

/** It has a node, and a container that waits without ever having run. */
function isHeldUp(pod: PodView, now: number): boolean {
  if (pod.deleting || pod.ready || pod.dead !== undefined || now - pod.createdAt < patienceMs) return false;
  if (pod.unschedulable !== undefined || pod.gated !== undefined) return false;
  return [pod.agent, pod.model].some(
    (container) =>
      container === undefined || (container.state.kind === 'waiting' && container.lastTermination === undefined),
  );
}
