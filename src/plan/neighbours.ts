/**
 * What other operators on the same ZooKeeper mean for this one.
 *
 * 1. Another cluster id: its agents and ours keep apart by themselves. Only the request queue can be shared by mistake.
 * 2. The same cluster id and another namespace: another release in this cluster. Each looks after its own namespaces.
 *    Where both serve one, or it is not certain who else there is, neither takes anything away there.
 * 3. The same cluster id and the same namespace, for longer than a leader that was lost is remembered: in one cluster
 *    the Lease would not allow it, so it is another cluster, a copy of this one. What looks like a registration that
 *    nobody stands behind may be alive there, so nothing is taken away at all.
 */
import type { Concern } from '../contracts/concern.ts';
import type { Presence } from '../contracts/presence.ts';

export interface Neighbour extends Presence {
  readonly clusterId: string;
  /** For how long it has been seen, in milliseconds. */
  readonly seenMs: number;
}

export interface Self extends Presence {
  readonly clusterId: string;
}

/** How long the node of a leader that was lost may still be there: the longest session, and a moment. */
export function rememberedMs(sessionTimeoutMs: number): number {
  return sessionTimeoutMs * 2 + 5_000;
}

const serves = ({ namespaces }: Presence, namespace: string) =>
  namespaces.length === 0 || namespaces.includes(namespace);

/** Is it certain that no other operator looks after the instances of this namespace under this cluster's id? */
export function isOnlyOurs(self: Self, neighbours: readonly Neighbour[], namespace: string): boolean {
  return (
    serves(self, namespace) &&
    neighbours.every(
      (other) => other.clusterId !== self.clusterId || (!isTwin(self, other) && !serves(other, namespace)),
    )
  );
}

/** Is it certain that nobody else keeps copies of payloads in the place that is ours? */
export function ownsStore(self: Self, neighbours: readonly Neighbour[]): boolean {
  return !neighbours.some((other) => isTwin(self, other));
}

/**
 * Do another operator's modes hold for this one's models as well? Where several publish in one place, one of them alone
 * does, so that agents are not told one thing and then another: the first by the name of its namespace.
 */
export function yieldsModes(self: Self, neighbours: readonly Neighbour[], patienceMs: number): boolean {
  const place = ({ namespace, identity }: Presence) => `${namespace}/${identity}`;
  return neighbours.some(
    (other) =>
      other.clusterId === self.clusterId &&
      (!isTwin(self, other) || other.seenMs >= patienceMs) &&
      place(other) < place(self),
  );
}

function isTwin(self: Self, other: Neighbour): boolean {
  return other.clusterId === self.clusterId && other.namespace === self.namespace;
}

const ownId = 'Give each release a clusterId of its own in the values of its chart';

/** What somebody should do something about, in the order of the neighbours. */
export function concernsAbout(self: Self, neighbours: readonly Neighbour[], patienceMs: number): readonly Concern[] {
  return neighbours
    .filter((other) => !isTwin(self, other) || other.seenMs >= patienceMs)
    .flatMap((other) => {
      const subject = `operator ${other.namespace} of cluster ${other.clusterId}`;
      const concerns = [...concernsAboutId(self, other, patienceMs), ...concernsAboutQueue(self, other)];
      return concerns.map(({ reason, ...said }) => ({ reason, subject, ...said }));
    });
}

type Said = Omit<Concern, 'subject'>;

function concernsAboutId(self: Self, other: Neighbour, patienceMs: number): readonly Said[] {
  if (other.clusterId !== self.clusterId) return [];
  if (isTwin(self, other)) {
    return [
      {
        reason: 'ClusterIdTaken',
        message: `another operator in a namespace ${other.namespace} (${other.identity}) leads under the same cluster id ${self.clusterId}, so another cluster has this id; registrations without a pod and unused copies of payloads are not taken away meanwhile`,
        next: `${ownId}; a cluster that was copied keeps the id that is made from kube-system.`,
      },
    ];
  }
  const shared = overlap(self, other);
  const overlapping: Said[] =
    shared === undefined
      ? []
      : [
          {
            reason: 'NamespacesOverlap',
            message: `the operator in namespace ${other.namespace} serves ${shared} as well; registrations without a pod are not taken away there meanwhile`,
            next: 'Let each namespace be in the `namespaces` of one release only.',
          },
        ];
  const yields = yieldsModes(self, [other], patienceMs);
  return [
    ...overlapping,
    {
      reason: 'ModesShared',
      message: `the operator in namespace ${other.namespace} has the same cluster id ${self.clusterId}, so the modes of one hold for the models of both: those of ${yields ? other.namespace : self.namespace}`,
      next: `${ownId}, or set the modes there alone.`,
    },
  ];
}

function concernsAboutQueue(self: Self, other: Neighbour): readonly Said[] {
  if (self.queue === undefined || self.queue !== other.queue) return [];
  return [
    {
      reason: 'QueueShared',
      message: `the operator in namespace ${other.namespace} of cluster ${other.clusterId} takes requests off the same queue (${self.queue}), so each request goes to whichever is faster`,
      next: 'Let one of them alone have legacy.queue.enabled, or another zookeeper.configPath.',
    },
  ];
}

/** The namespaces of both, in words; undefined where there are none. */
function overlap(self: Self, other: Neighbour): string | undefined {
  if (self.namespaces.length === 0 && other.namespaces.length === 0) return 'all namespaces';
  const narrower = self.namespaces.length === 0 ? other.namespaces : self.namespaces;
  const shared = narrower.filter((namespace) => serves(self, namespace) && serves(other, namespace));
  return shared.length === 0 ? undefined : shared.join(', ');
}
