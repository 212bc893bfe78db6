/**
 * Calls that fail behind the shields of instances that are up. Counts change with each call, so that what is said is
 * said anew at most once a minute; it is over when nothing has failed for as long as agents look back.
 */
import { type Failure, failures } from '../contracts/call-results.ts';
import type { ShieldStatus } from '../contracts/pod-contract.ts';
import { type FailedCalls, failedCallsMs } from '../contracts/resource-status.ts';
import { oneLine } from '../kernel/shown-text.ts';
import { type Verdict, yes } from './conditions.ts';
import type { Observation, PodView } from './observation.ts';
import { stays } from './versions.ts';

const sayEveryMs = 60_000;

/** Instances that clients call behind a shield, of whichever version. */
export function shieldedPods({ resource, pods }: Pick<Observation, 'resource' | 'pods'>): readonly PodView[] {
  return resource.spec.shield === undefined ? [] : pods.filter((pod) => pod.ready && stays(pod));
}

/** Undefined where all is well; what was said stays while nobody knows better, but no longer than it looked back. */
export function failedCallsOf(observation: Observation): FailedCalls | undefined {
  const { resource, shields, now } = observation;
  const asked = shieldedPods(observation);
  if (asked.length === 0) return undefined;
  const said = asked.flatMap((pod) => {
    const shield = shields.get(pod.uid);
    return shield?.recent === undefined ? [] : [{ pod: pod.name, shield, recent: shield.recent }];
  });
  const before = resource.status.failedCalls;
  const age = before === undefined ? Number.POSITIVE_INFINITY : now - Date.parse(before.at);
  const failing = said.filter(({ recent }) => recent.errors > 0);
  if (failing.length === 0) return said.length < asked.length && age < failedCallsMs ? before : undefined;
  if (before !== undefined && age < sayEveryMs) return before;
  const found = {
    seconds: failedCallsMs / 1_000,
    instances: failing.length,
    asked: said.length,
    requests: sumOf(said, ({ recent }) => recent.requests),
    errors: sumOf(said, ({ recent }) => recent.errors),
    results: resultsOf(said),
    ...lastOf(failing),
  };
  const { at: _at, ...same } = before ?? { at: undefined };
  if (before !== undefined && age < failedCallsMs && JSON.stringify(same) === JSON.stringify(found)) return before;
  return { at: new Date(now).toISOString().replace(/\.\d+/, ''), ...found };
}

interface Said {
  readonly pod: string;
  readonly shield: ShieldStatus;
  readonly recent: NonNullable<ShieldStatus['recent']>;
}

function sumOf(said: readonly Said[], of: (one: Said) => number): number {
  return said.reduce((sum, one) => sum + of(one), 0);
}

/** Of those kinds that are known here; agents may be of a later release. */
function resultsOf(said: readonly Said[]): Partial<Record<Failure, number>> {
  const counts = failures.map((failure) => [failure, sumOf(said, ({ recent }) => recent.results[failure] ?? 0)]);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}

function lastOf(failing: readonly Said[]): Pick<FailedCalls, 'last'> {
  const all = failing.flatMap(({ pod, shield: { lastError } }) =>
    lastError === undefined ? [] : { pod, ...lastError },
  );
  const [last] = all.sort((one, other) => (one.at > other.at ? -1 : 1));
  if (last === undefined) return {};
  const { pod, at, result, message } = last;
  return { last: { pod, at: oneLine(at, 40), result: oneLine(result, 40), message: oneLine(message, 300) } };
}

export function callsVerdict(failed: FailedCalls): Verdict {
  const { at, seconds, instances, asked, requests, errors, results, last } = failed;
  const kinds = Object.entries(results).map(([result, count]) => `${result} ${count}`);
  const words = [
    `${errors} of ${requests} calls failed in the ${seconds / 60} minutes before ${at.replace(/^.*T/, '')}`,
    kinds.length === 0 ? '' : ` (${kinds.join(', ')})`,
    `, at ${instances} of ${asked} ${asked === 1 ? 'instance' : 'instances'}`,
    last === undefined ? '' : `; the last one at ${last.pod}: ${last.message}`,
  ];
  return yes('CallsFailing', words.join(''));
}
