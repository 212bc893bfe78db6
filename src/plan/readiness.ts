/**
 * Why is the model, or is it not, up? An ordered chain of small checks; the first that has something to say gives the
 * Ready condition its reason. Every message says what is wrong and, where somebody can do something, what.
 */
import { errorCatalogue } from '../api/error-catalogue.ts';
import { registers } from '../api/modes.ts';
import { formatBytes } from '../api/quantity.ts';
import { reasonOf } from '../api/reason-catalogue.ts';
import { keyOf } from './children.ts';
import type { Claim } from './claims.ts';
import { nameOwnedReason } from './claims.ts';
import { no, unknown, type Verdict, yes } from './conditions.ts';
import type { InstanceState } from './instance-state.ts';
import { waitingForQueue } from './instance-state.ts';
import { refusedPods } from './kubernetes-words.ts';
import type { Observation, PayloadView } from './observation.ts';
import { pinnedOf } from './pinned.ts';
import type { Versions } from './versions.ts';

export interface Facts {
  readonly observation: Observation;
  readonly claim: Claim;
  readonly versions: Versions;
  /** States of the wanted version's pods, worst first. */
  readonly instances: readonly { readonly pod: string; readonly state: InstanceState }[];
  /** What the operator would do if it did not only observe. */
  readonly withheld: readonly string[];
}

type Check = (facts: Facts) => Verdict | undefined;

export function sentence(message: string, next?: string): string {
  return next === undefined ? message : `${message}. ${next}`;
}

const specInvalid: Check = ({ observation }) =>
  observation.invalid === undefined ? undefined : no('SpecInvalid', sentence(observation.invalid, 'Correct the spec.'));

const nameOwned: Check = ({ claim }) =>
  claim.owned
    ? undefined
    : no(nameOwnedReason, sentence(claim.message, 'Choose another name, or remove the owner first.'));

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

const writeRefused: Check = ({ observation }) =>
  observation.refusal === undefined
    ? undefined
    : no(reasonOf(observation.refusal.code), sentence(observation.refusal.message, observation.refusal.next));

const podsRefused: Check = ({ observation, versions }) => {
  const words = versions.wanted?.replicaFailure;
  if (words === undefined || versions.complete) return undefined;
  if (words.includes('exceeded quota')) {
    return no(
      waitingForQueue,
      sentence(
        `waiting for queue capacity, ${tally(observation, versions)}: ${words}`,
        'Nothing is wrong with the model: wait, lower the instances, or ask for more quota.',
      ),
    );
  }
  const { reason, message, next } = refusedPods(words, observation.resource.metadata.namespace);
  return no(reason, sentence(`${tally(observation, versions)}; ${message}`, next));
};

/** "Zero" is said when it is so: pods that are on their way out are seen by clients for a moment yet. */
const stopped: Check = ({ observation, versions }) => {
  const { resource, pods, registrations } = observation;
  if (resource.spec.instances > 0 || versions.wanted === undefined) return undefined;
  const left = registrations.known ? pods.filter((pod) => registrations.byPod.has(pod.uid)) : pods;
  if (left.length === 0) return yes('ScaledToZero', 'no instances are wanted');
  const seen = registrations.known ? 'registered still' : 'there still, and what clients see is unknown';
  return yes('ScalingToZero', `no instances are wanted; ${left.length} ${seen}`);
};

/** A problem of an instance explains more than the words "ZooKeeper cannot be asked". */
const worstInstance: Check = ({ observation, versions, instances }) => {
  if (versions.complete) return undefined;
  const worst = instances.find((instance) => instance.state.severity >= 3);
  if (worst === undefined) return undefined;
  const said = worst.state.message ?? worst.state.state;
  return no(worst.state.state, sentence(`${tally(observation, versions)}; ${worst.pod}: ${said}`, worst.state.next));
};

const registrationsUnknown: Check = ({ observation }) =>
  observation.registrations.known
    ? undefined
    : unknown(
        'ZookeeperUnreachable',
        sentence(
          `what clients see is unknown: ${observation.registrations.why}`,
          'Nothing that runs is touched. Check the quorum and that ZooKeeper runs.',
        ),
      );

const serving: Check = ({ observation, versions, instances }) => {
  if (!versions.complete) return undefined;
  const troubled = instances.find((instance) => instance.state.severity >= 3);
  const extra = troubled === undefined ? '' : `; ${troubled.pod}: ${troubled.state.message ?? troubled.state.state}`;
  const counted = `${tally(observation, versions)}${extra}`;
  switch (observation.mode.agents) {
    case 'shadow':
      return yes('Shadow', `${counted}; checked and not registered, because the mode is shadow`);
    case 'drain':
      return yes('Draining', `${counted}; not registered any more, because the mode is drain`);
  }
  if (observation.payload.state === 'pinned' && observation.payload.drift !== undefined) {
    return yes('PayloadChanged', drifted(observation, observation.payload.drift));
  }
  return yes('Serving', counted);
};

function drifted({ resource, pins }: Observation, drift: string): string {
  const from = pinnedOf(pins, keyOf(resource.spec))?.copiedFrom;
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
        `${versions.toUnregister} registered still, because the mode has only just become ${observation.mode.agents}`,
      );

const progressing: Check = ({ observation, versions, instances }) => {
  const slowest = instances.find((instance) => instance.state.severity > 0);
  const detail = slowest === undefined ? '' : `; ${slowest.pod}: ${slowest.state.message ?? slowest.state.state}`;
  return no(slowest?.state.state ?? 'Starting', `${tally(observation, versions)}${detail}`);
};

const chain: readonly Check[] = [
  specInvalid,
  nameOwned,
  payloadMissing,
  writeRefused,
  stopped,
  podsRefused,
  worstInstance,
  registrationsUnknown,
  serving,
  unregistering,
  progressing,
];

/** How many of the wanted instances are up, in the words of the mode. */
function tally({ resource, mode }: Observation, versions: Versions): string {
  return `${versions.up} of ${resource.spec.instances} ${registers(mode.agents) ? 'registered' : 'answer'}`;
}

export function readyVerdict(facts: Facts): Verdict {
  for (const check of chain) {
    const verdict = check(facts);
    if (verdict !== undefined) return withModes(facts, withServing(facts, verdict));
  }
  return no('Starting', 'starting');
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
function withServing({ versions }: Facts, verdict: Verdict): Verdict {
  const { serving, wanted } = versions;
  if (verdict.status === 'True' || serving === undefined || serving === wanted) return verdict;
  return { ...verdict, message: `${verdict.message} (version ${serving.version} is kept until this one is up)` };
}

export function stalledVerdict({ observation, claim }: Facts): Verdict {
  if (observation.invalid !== undefined) return yes('SpecInvalid', observation.invalid);
  if (!claim.owned) return yes(nameOwnedReason, claim.message);
  const { payload } = observation;
  // A payload that is not there yet is waited for: a manifest may be applied before the upload.
  if (payload.state === 'failed' && !payload.transient && payload.problem.code !== 'HDFS_PATH_MISSING') {
    return yes(reasonOf(payload.problem.code), payload.problem.message);
  }
  return no('NotStalled', '');
}

export function payloadVerdict({ payload, mode }: Observation): Verdict {
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
      if (payload.drift !== undefined) return no('PayloadChanged', payload.drift);
      if (payload.problem !== undefined) {
        return unknown(reasonOf(payload.problem.code), sentence(payload.problem.message, payload.problem.next));
      }
      return yes('Resolved', 'the payload in HDFS is the one that was pinned');
  }
}
