/**
 * Why is the model, or is it not, up? An ordered chain of small checks; the first that has something to say gives the
 * Ready condition its reason. Every message says what is wrong and, where somebody can do something, what.
 */
import { errorCatalogue } from '../contracts/error-catalogue.ts';
import { registers } from '../contracts/modes.ts';
import { annotations } from '../contracts/names.ts';
import { formatBytes } from '../contracts/quantity.ts';
import { heardReason, rankOf, reasonOf, traitsOf } from '../contracts/reasons.ts';
import type { Claim } from './claims.ts';
import { no, unknown, type Verdict, yes } from './conditions.ts';
import type { Handover } from './handover.ts';
import type { InstanceState } from './instance-state.ts';
import { exceededQuota, refusedPods } from './kubernetes-words.ts';
import type { Observation, PayloadView } from './observation.ts';
import { isAskedJustNow } from './retry-refused.ts';
import type { Rollout } from './rollout.ts';
import { namesOf } from './version-names.ts';
import type { Versions } from './versions.ts';

export interface Facts {
  readonly observation: Observation;
  readonly claim: Claim;
  readonly versions: Versions;
  readonly handover: Handover;
  readonly rollout: Rollout;
  /** States of the wanted version's living pods, worst first; `present` are those of the present spec. */
  readonly instances: readonly { readonly pod: string; readonly state: InstanceState; readonly present: boolean }[];
  /** What the operator would do if it did not only observe, and were not paused. */
  readonly withheld: readonly string[];
}

type Check = (facts: Facts) => Verdict | undefined;

export function sentence(message: string, next?: string): string {
  // What others say may end in a full stop.
  return next === undefined ? message : `${message.replace(/\.$/, '')}. ${next}`;
}

const specInvalid: Check = ({ observation }) =>
  observation.invalid === undefined ? undefined : no('SpecInvalid', sentence(observation.invalid, 'Correct the spec.'));

const nameOwned: Check = ({ claim }) =>
  claim.owned
    ? undefined
    : no(reasonOf('NAME_OWNED'), sentence(claim.message, 'Choose another name, or remove the owner first.'));

const payloadMissing: Check = ({ observation, versions }) => {
  if (versions.wanted !== undefined) return undefined;
  const { payload } = observation;
  switch (payload.state) {
    case 'pending':
      return no('ResolvingPayload', 'looking at the payload in HDFS');
    case 'found':
    case 'copying':
      return no('CopyingPayload', copying(payload));
    case 'failed':
      return no(reasonOf(payload.problem.code), sentence(payload.problem.message, payload.problem.next));
    default:
      return undefined;
  }
};

function copying(payload: Extract<PayloadView, { readonly state: 'found' | 'copying' }>): string {
  if (payload.state === 'found') return 'the payload was found and is not in the payload store yet';
  const { bytesDone, bytesTotal } = payload;
  return `copying the payload to the payload store: ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`;
}

const writeRefused: Check = ({ observation: { refusal, resource } }) => {
  if (refusal === undefined) return undefined;
  // A quota may also count objects: ConfigMaps, Deployments.
  const quota = exceededQuota(refusal.message, resource.metadata);
  return quota === undefined
    ? no(reasonOf(refusal.code), sentence(refusal.message, refusal.next))
    : no(quota.reason, sentence(`waiting for room in a quota: ${refusal.message}`, quota.next));
};

const podsRefused: Check = (facts) => {
  const { observation, rollout, versions } = facts;
  const words = versions.wanted?.replicaFailure;
  if (words === undefined || rollout.done) return undefined;
  const { reason, message, next } = refusedPods(words, {
    namespace: observation.resource.metadata.namespace,
    ...(versions.wanted === undefined ? {} : { deployment: versions.wanted.spec }),
  });
  const said =
    traitsOf(reason).expected === 'queued'
      ? `waiting for queue capacity, ${tally(facts)}: ${message}`
      : `${tally(facts)}; ${message}`;
  return no(reason, sentence(said, next));
};

/** The words of a refusal go with the next attempt, and come back when that has failed; what kept the pods off holds until then. */
const refusedBefore: Check = ({ observation, rollout, versions }) => {
  const { resource, now } = observation;
  const asked = versions.wanted?.annotations[annotations.retried];
  if (rollout.pods.length > 0 || rollout.done || !isAskedJustNow(asked, now)) return undefined;
  const before = resource.status.conditions?.find(({ type }) => type === 'Ready');
  if (before?.status !== 'False' || before.observedGeneration !== resource.metadata.generation) return undefined;
  if (rankOf(traitsOf(before.reason).severity) < rankOf('waiting')) return undefined;
  return no(heardReason(before.reason), before.message);
};

/** "Zero" is said when it is so: pods that are on their way out are seen by clients for a moment yet. */
const stopped: Check = ({ observation, versions }) => {
  const { resource, pods, registrations } = observation;
  if (resource.spec.instances > 0 || versions.wanted === undefined) return undefined;
  const left = pods.filter((pod) => (registrations.known ? registrations.byPod.has(pod.uid) : pod.dead === undefined));
  if (left.length === 0) return yes('ScaledToZero', 'no instances are wanted');
  const seen = registrations.known ? 'still registered' : 'still there, and what clients see is unknown';
  return yes('ScalingToZero', `no instances are wanted; ${left.length} ${seen}`);
};

/**
 * A problem of an instance explains more than the words "ZooKeeper cannot be asked". What is wrong with instances of an
 * earlier spec is no news any more: they are being replaced.
 */
const worstInstance: Check = (facts) => {
  if (facts.rollout.done) return undefined;
  const worst = facts.instances.find(({ state, present }) => present && rankOf(state.severity) >= rankOf('waiting'));
  if (worst === undefined) return undefined;
  const said = worst.state.message ?? worst.state.state;
  return no(worst.state.state, sentence(`${tally(facts)}; ${worst.pod}: ${said}${lastDeath(facts)}`, worst.state.next));
};

const registrationsUnknown: Check = ({ observation }) =>
  observation.registrations.known
    ? undefined
    : unknown(
        reasonOf('ZOOKEEPER_UNREACHABLE'),
        sentence(
          `what clients see is unknown: ${observation.registrations.why}`,
          'Nothing that runs is touched. Check the quorum and that ZooKeeper runs.',
        ),
      );

/** Instances that are not wanted any more are told to go; until then clients are answered by them, too. */
const scalingDown: Check = (facts) =>
  facts.versions.complete && facts.rollout.surplus > 0
    ? yes('ScalingDown', `${tally(facts)}; ${facts.rollout.surplus} more to be stopped`)
    : undefined;

const serving: Check = (facts) => {
  if (!facts.rollout.done) return undefined;
  const { observation } = facts;
  const { unprotected } = observation;
  const counted = `${tally(facts)}${unprotected === undefined ? '' : `; a drain may take all at once: ${unprotected.message}`}`;
  switch (observation.mode.agents) {
    case 'shadow':
      return yes('Shadow', `${counted}; checked and not registered, because the mode is shadow`);
    case 'drain':
      return yes('Draining', `${counted}; not registered any more, because the mode is drain`);
  }
  if (observation.payload.state === 'pinned' && observation.payload.drift !== undefined) {
    return yes(reasonOf('PAYLOAD_CHANGED'), drifted(observation, observation.payload.drift));
  }
  return yes('Serving', counted);
};

function drifted(observation: Observation, drift: string): string {
  const from = observation.pin?.payload.copiedFrom;
  if (from === undefined) {
    return sentence(`serves the payload that it started with, but ${drift}`, errorCatalogue.PAYLOAD_CHANGED.next);
  }
  return sentence(
    `serves the payload that it started with, but its copy in the payload store is damaged: ${drift}`,
    `Put the same payload at ${from} again, and it is mended; or change version or payload.path to switch.`,
  );
}

const unregistering: Check = ({ observation, versions }) =>
  versions.toUnregister === 0
    ? undefined
    : no(
        observation.mode.agents === 'drain' ? 'Draining' : 'Unregistering',
        `${versions.toUnregister} still registered, because the mode has only just become ${observation.mode.agents}`,
      );

const progressing: Check = (facts) => {
  const { rollout, instances, observation, versions } = facts;
  // Those that are held are up, and wait for the others.
  const slowest = instances.find(
    ({ state, present }) => present && rankOf(state.severity) > rankOf('leaving') && state.state !== 'Held',
  );
  const detail = slowest === undefined ? '' : `; ${slowest.pod}: ${slowest.state.message ?? slowest.state.state}`;
  const message = `${tally(facts)}${detail}${lastDeath(facts)}`;
  if (rollout.before > 0 || versions.complete) return no('RollingOut', message);
  const deaths = recentDeaths(observation).length;
  const alive = instances.some(({ state }) => state.severity !== 'leaving');
  if (deaths >= dyingAgain || (deaths > 0 && !alive)) return no('PodFailed', message);
  const held = instances.some(({ state }) => state.state === 'Held');
  return no(slowest?.state.state ?? (held ? 'Held' : 'Starting'), message);
};

/** Older deaths explain nothing. */
const recentMs = 600_000;
/** Pods that die as often in that time are hardly ever seen alive: they die, whatever the next one does at the moment. */
const dyingAgain = 3;

function recentDeaths({ pods, key, now }: Observation): { readonly pod: string; readonly why: string }[] {
  return pods.flatMap(({ name, versionKey, dead }) =>
    dead !== undefined && versionKey === key && now - dead.at < recentMs ? [{ pod: name, why: dead.why }] : [],
  );
}

/** Pods that died do not speak for those that live, but while not all are up a death just now may explain it. */
function lastDeath({ observation }: Facts): string {
  const deaths = recentDeaths(observation);
  const last = deaths.at(-1);
  if (last === undefined) return '';
  const many = deaths.length === 1 ? '' : ` (the last of ${deaths.length} in ${recentMs / 60_000} minutes)`;
  return `; died just before: ${last.pod}${many}: ${last.why}`;
}

const chain: readonly Check[] = [
  specInvalid,
  nameOwned,
  payloadMissing,
  writeRefused,
  stopped,
  podsRefused,
  refusedBefore,
  worstInstance,
  registrationsUnknown,
  scalingDown,
  serving,
  unregistering,
  progressing,
];

/** How many of the wanted instances are up, in the words of the mode; and of which spec, where that is not one. */
function tally({ observation, versions, handover, rollout }: Facts): string {
  const { instances } = observation.resource.spec;
  if (!handover.released && registers(observation.mode.agents)) {
    const { needed } = handover;
    const when = needed === instances ? 'all do' : needed === 1 ? '1 does' : `${needed} do`;
    return `${handover.answering} of ${instances} answer, and are registered together when ${when}`;
  }
  const words = registers(observation.mode.agents) ? 'registered' : 'answer';
  if (rollout.before === 0) return `${versions.up} of ${instances} ${words}`;
  return `the change is not out: ${rollout.updated} of ${instances} ${words} with the present spec, ${rollout.before} with the one before`;
}

export function readyVerdict(facts: Facts): Verdict {
  for (const check of chain) {
    const verdict = check(facts);
    if (verdict !== undefined) return withPause(facts, withModes(facts, withServing(facts, verdict)));
  }
  return no('Starting', 'starting');
}

/** What is seen keeps its reason: a model that serves does so while nothing about it is changed. */
function withPause({ observation, withheld }: Facts, verdict: Verdict): Verdict {
  const { mode, resource } = observation;
  if (resource.spec.paused !== true) return verdict;
  // Who observes has said what is held back.
  return { ...verdict, message: `${verdict.message}; ${pausedWords(mode.mode === 'observe' ? [] : withheld)}` };
}

export function pausedWords(withheld: readonly string[]): string {
  return `paused by spec.paused${withheld.length === 0 ? '' : ` (held back: ${withheld.join(', ')})`}`;
}

/** Who only observes says so first, and then what is seen. */
function withModes({ observation, claim, withheld }: Facts, verdict: Verdict): Verdict {
  const { mode, problem } = observation.mode;
  const why = problem === undefined ? '' : `; ${problem}, so the modes of before hold`;
  if (mode !== 'observe' || observation.invalid !== undefined || !claim.owned) {
    return why === '' ? verdict : { ...verdict, message: `${verdict.message}${why}` };
  }
  const would = withheld.length === 0 ? '' : ` (held back: ${withheld.join(', ')})`;
  return {
    ...verdict,
    reason: 'Observed',
    message: `the operator only looks, because the mode is observe${would}; ${verdict.message}${why}`,
  };
}

/** While a switch waits or fails, say what clients still get. */
function withServing({ observation, versions }: Facts, verdict: Verdict): Verdict {
  const { serving, wanted } = versions;
  if (verdict.status === 'True' || serving === undefined || serving === wanted) return verdict;
  const kept = ` (version ${namesOf(serving, observation.resource.spec).from} is kept until this one is up)`;
  return verdict.message.endsWith(kept) ? verdict : { ...verdict, message: `${verdict.message}${kept}` };
}

export function stalledVerdict(facts: Facts): Verdict {
  const { observation, claim, rollout } = facts;
  if (observation.invalid !== undefined) return yes('SpecInvalid', observation.invalid);
  if (!claim.owned) return yes(reasonOf('NAME_OWNED'), claim.message);
  const { payload } = observation;
  // A payload that is not there yet is waited for: a manifest may be applied before the upload.
  if (payload.state === 'failed' && !payload.transient && payload.problem.code !== 'HDFS_PATH_MISSING') {
    return yes(reasonOf(payload.problem.code), payload.problem.message);
  }
  // A payload that takes long, and room that a queue will give, are waited for.
  const trouble = podsRefused(facts) ?? refusedBefore(facts) ?? worstInstance(facts);
  if (rollout.stuck && trouble !== undefined && traitsOf(trouble.reason).expected !== 'queued') {
    const { startupTimeout } = observation.resource.spec;
    return yes(
      'ProgressDeadlineExceeded',
      `nothing more has come up for ${startupTimeout}: ${trouble.reason}: ${trouble.message}`,
    );
  }
  return no('NotStalled', '');
}

export function payloadVerdict({ payload, mode, resource }: Observation): Verdict {
  switch (payload.state) {
    case 'pending':
      return unknown('Resolving', 'looking at the payload in HDFS');
    case 'found':
    case 'copying':
      return unknown('Copying', copying(payload));
    case 'failed':
      return (payload.transient ? unknown : no)(
        reasonOf(payload.problem.code),
        sentence(payload.problem.message, payload.problem.next),
      );
    case 'resolved':
      return yes('Resolved', `the payload was found${mode.mode === 'observe' ? '' : ' and is pinned now'}`);
    case 'pinned':
      if (payload.drift !== undefined) return no(reasonOf('PAYLOAD_CHANGED'), payload.drift);
      if (payload.problem !== undefined) {
        return unknown(reasonOf(payload.problem.code), sentence(payload.problem.message, payload.problem.next));
      }
      if (payload.original !== undefined) {
        return yes(
          'OriginalChanged',
          `instances read a copy of the payload that was pinned, which is whole; where it came from there is another one now: ${payload.original}`,
        );
      }
      if (payload.looked) return yes('Resolved', 'the payload in HDFS is the one that was pinned');
      return lastSeen(resource) ?? yes('Resolved', 'the payload was found and is pinned');
  }
}

/** What was found when a pinned payload was last compared with HDFS: it holds until somebody has looked again. */
function lastSeen({ status }: Observation['resource']): Verdict | undefined {
  const before = status.conditions?.find((condition) => condition.type === 'PayloadResolved');
  const compared = before?.status === 'True' || before?.reason === reasonOf('PAYLOAD_CHANGED');
  return before !== undefined && compared ? { ...before, reason: heardReason(before.reason) } : undefined;
}
