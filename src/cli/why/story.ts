/**
 * The story of a model: is it served and since when, and if not, why, the worst instance first. A fold over what was
 * read. Pure.
 */
import { heardReason, type Reason, rankOf, traitsOf } from '../../contracts/reasons.ts';
import { notSeenReason, pausedReason } from '../../contracts/resource-status.ts';
import { oneLine } from '../../kernel/shown-text.ts';
import { compareTexts } from '../../kernel/text-order.ts';
import { conditionOf, failingCalls, isGoing, isPaused, type Model, registeredState } from '../cluster/model.ts';
import { counted } from '../output/counted.ts';
import type { InstanceFacts, LogTail, SaidStatus, WhyFacts } from './facts.ts';
import { type Heard, heardOf, heardOfPayload } from './heard.ts';
import { mostTelling } from './most-telling.ts';
import { nextAction, word } from './next-action.ts';
import { type Step, stepsOf } from './steps.ts';
import type { InstanceStory, NextAction, Story, TailStory } from './story-shape.ts';

const nothing: NextAction = { says: null, command: null };

/** More stories would hardly be read. */
export const mostTold = 5;

export function storyOf(facts: WhyFacts): Story {
  const { model } = facts;
  const { metadata, spec, status } = model;
  const { reason, message, since } = verdictOf(facts);
  const all = instancesOf(facts);
  const failing = all.filter(({ isUp }) => !isUp);
  // One that is up stands for all of them, where there is nothing else to tell.
  const told = (failing.length === 0 ? all.slice(0, 1) : mostTelling(failing, mostTold, ({ kind }) => kind)).map(
    ({ story }) => story,
  );
  const stalled = conditionOf(model, 'Stalled');
  const complete = conditionOf(model, 'Ready')?.status === 'True' && !isBehind(model);
  return {
    kind: 'ModelStory',
    apiVersion: 'cli.maas.dev/v1',
    namespace: metadata.namespace,
    resource: metadata.name,
    model: spec.name,
    version: spec.version,
    served: status.serving !== undefined,
    complete,
    paused: isPaused(model),
    reason,
    message,
    since,
    stalled: stalled?.status === 'True' ? { reason: stalled.reason, message: stalled.message } : null,
    rollout: rolloutOf(model),
    calls: failingCalls(model) ?? null,
    goBack: stalled?.status === 'True' ? backOf(model) : null,
    next: nextOfAll(facts, reason, complete, told[0]),
    clients: clientsOf(model),
    payload: payloadOf(facts),
    instances: told,
    untold: Math.max(all.length, status.endpointsTotal ?? 0) - told.length,
    unread: unreadOf(facts),
  };
}

function rolloutOf({ status }: Model): Story['rollout'] {
  if (status.rollout === undefined) return null;
  const { from, to, startedAt, answering, needed, released } = status.rollout;
  return { from, to, startedAt, answering, needed, released };
}

/** Where another revision has served. */
function backOf({ metadata, status: { history = [] } }: Model): string | null {
  const [, ...earlier] = history;
  if (!earlier.some(({ servedAt, spec }) => servedAt !== undefined && spec !== undefined)) return null;
  return `kubectl maas undo ${word(metadata.name)} -n ${word(metadata.namespace)}`;
}

function isBehind({ metadata, status }: Model): boolean {
  return (status.observedGeneration ?? 0) < metadata.generation;
}

function verdictOf({ model, unattended }: WhyFacts): Pick<Story, 'reason' | 'message' | 'since'> {
  const ready = conditionOf(model, 'Ready');
  const since = ready === undefined || ready.reason === notSeenReason ? null : ready.lastTransitionTime;
  if (isGoing(model))
    return { reason: 'Terminating', message: 'it is being deleted', since: model.metadata.deletionTimestamp ?? null };
  if (unattended !== undefined && (ready === undefined || since === null || isBehind(model))) {
    return {
      reason: unattended.code === 'NAMESPACE_NOT_SERVED' ? 'NotServed' : notSeenReason,
      message: unattended.message,
      since,
    };
  }
  if (ready === undefined) return { reason: notSeenReason, message: 'no operator has looked at it yet', since };
  const behind = isBehind(model) ? '; the operator has not looked at the latest change yet' : '';
  return { reason: heardReason(ready.reason), message: `${ready.message}${behind}`, since };
}

function nextOfAll(
  { model, unattended }: WhyFacts,
  reason: Reason,
  complete: boolean,
  worst: InstanceStory | undefined,
): NextAction {
  if (isGoing(model)) return nothing;
  if (isPaused(model)) return nextAction(pausedReason, { model });
  if (unattended?.next !== undefined && reason !== conditionOf(model, 'Ready')?.reason) {
    return nextAction(notSeenReason, { model, advice: unattended.next });
  }
  // What the model is down for is mostly what its worst instance is.
  if (worst !== undefined && !complete && worst.next.command !== null && worst.reason === reason) return worst.next;
  const isWell = complete && traitsOf(reason).event !== 'Warning' && traitsOf(reason).expected === undefined;
  if (isWell && failingCalls(model) !== undefined) return nextAction('CallsFailing', { model });
  if (isWell && reason !== 'ScaledToZero') return nothing;
  return nextAction(reason, { model, said: conditionOf(model, 'Ready')?.message });
}

interface Instance {
  readonly isUp: boolean;
  readonly rank: number;
  readonly kind: string;
  readonly story: InstanceStory;
}

/** The worst first. Those whose pods cannot be read are told from the status. */
function instancesOf({ model, instances }: WhyFacts): readonly Instance[] {
  const endpoints = new Map((model.status.endpoints ?? []).map((endpoint) => [endpoint.pod, endpoint]));
  const seen: readonly (readonly [string, InstanceFacts | undefined])[] = instances.known
    ? instances.value.map((facts) => [facts.pod.name, facts])
    : [...endpoints.keys()].map((pod) => [pod, undefined]);
  return seen
    .map(([pod, facts]) => instanceOf(model, pod, facts, endpoints.get(pod)))
    .sort((a, b) => b.rank - a.rank || compareTexts(a.story.pod, b.story.pod));
}

type Endpoint = NonNullable<Model['status']['endpoints']>[number];

function instanceOf(
  model: Model,
  pod: string,
  facts: InstanceFacts | undefined,
  endpoint: Endpoint | undefined,
): Instance {
  const said = facts?.agent?.known === true ? facts.agent.value : undefined;
  const reason = reasonOf(facts, endpoint, said);
  const { severity } = traitsOf(reason);
  const isUp = reason === registeredState || severity === 'up';
  const about = {
    model,
    pod,
    node: facts?.pod.node,
    advice: endpoint?.next ?? said?.problem?.next,
    endedBefore: hasEnded(facts),
  };
  // Only the operator lets it go on.
  const waitsForResume = reason === 'Held' && isPaused(model);
  const story: InstanceStory = {
    pod,
    version: endpoint?.version ?? null,
    node: facts?.pod.node ?? null,
    reason,
    waitsFor: isUp ? null : waitsFor(reason, endpoint, said),
    steps: facts === undefined ? [] : stepsOf(facts).map(stepOf),
    heard: facts === undefined || isUp ? [] : heardOf(facts).map(heardStory),
    script: tailOf(facts?.scriptLog),
    agent: tailOf(facts?.agentLog),
    next: isUp ? nothing : nextAction(waitsForResume ? pausedReason : reason, about),
  };
  return { isUp, rank: severity === 'leaving' ? -1 : rankOf(severity), kind: kindOf(endpoint), story };
}

/** Those that fail alike tell the same. */
export function kindOf(endpoint: Pick<Endpoint, 'state' | 'message'> | undefined): string {
  return endpoint === undefined ? 'Starting' : `${endpoint.state} ${endpoint.message ?? ''}`;
}

function reasonOf(
  facts: InstanceFacts | undefined,
  endpoint: Endpoint | undefined,
  said: SaidStatus | undefined,
): Reason {
  if (facts?.pod.deleting === true) return 'Terminating';
  if (facts?.pod.dead !== undefined) return 'PodFailed';
  if (endpoint !== undefined) return heardReason(endpoint.state);
  return said === undefined ? 'Starting' : heardReason(said.stage);
}

/** As conditions have it, so that what they say already can be told. */
const longestWords = 1_500;

/** The status first: it holds what the instance fails at, while the agent knows what it does. */
function waitsFor(reason: Reason, endpoint: Endpoint | undefined, said: SaidStatus | undefined): string {
  const words = endpoint?.message ?? said?.problem?.message;
  if (words !== undefined) return oneLine(words, longestWords);
  const entry = traitsOf(reason);
  return entry.means ?? reason;
}

/** Are the lines that tell of its end those of the container before? */
export function hasEnded(facts: InstanceFacts | undefined): boolean {
  const container = facts?.pod.model;
  return container !== undefined && container.restarts > 0 && container.ended !== undefined;
}

const timeOf = (at: number) => new Date(at).toISOString();

function stepOf({ step, at, tookMs, detail }: Step): InstanceStory['steps'][number] {
  return { step, at: timeOf(at), tookMs: tookMs ?? null, detail: detail ?? null };
}

function heardStory({ from, at, times, words }: Heard): InstanceStory['heard'][number] {
  return { from, at: at === undefined ? null : timeOf(at), times, words };
}

function tailOf(tail: InstanceFacts['scriptLog']): TailStory | null {
  if (tail?.known !== true) return null;
  const { lines, previous }: LogTail = tail.value;
  return { previous, lines };
}

function clientsOf({ spec, status }: Model): Story['clients'] {
  const seen = (status.endpoints ?? []).filter(({ url, version }) => url !== undefined && version === status.serving);
  const functions = seen.flatMap((each) =>
    Object.entries(each.functions ?? {}).map(([name, path]) => `${name}=${path}`),
  );
  return {
    version: status.serving ?? null,
    registered: status.registered ?? null,
    desired: spec.instances,
    urls: seen.flatMap(({ url }) => url ?? []),
    functions: [...new Set(functions)].sort(),
  };
}

function payloadOf({ model, instances, hdfsUser }: WhyFacts): Story['payload'] {
  const { payload } = model.status;
  const agents = instances.known
    ? instances.value.flatMap(({ agent }) => (agent?.known === true ? [agent.value] : []))
    : [];
  return {
    path: payload?.path ?? model.spec.payload.path,
    copy: payload?.copy ?? null,
    user: agents.find(({ hdfs }) => hdfs !== undefined)?.hdfs?.user ?? hdfsUser ?? null,
    files: payload?.files ?? null,
    bytes: payload?.bytes ?? null,
    digest: payload?.digest ?? null,
    heard: heardOfPayload(model) ?? null,
  };
}

/** Each thing once, however many instances it was asked of. */
function unreadOf({ instances }: WhyFacts): readonly string[] {
  if (!instances.known) return [`pods: ${instances.error.message}`];
  const unread = new Map<string, { message: string; pods: string[] }>();
  for (const { pod, agent, events, scriptLog, agentLog } of instances.value) {
    const asked = {
      'what its agent says': agent,
      events,
      'what its script printed': scriptLog,
      "its agent's log": agentLog,
    };
    for (const [what, answer] of Object.entries(asked)) {
      if (answer === undefined || answer.known) continue;
      const present = unread.get(what) ?? { message: answer.error.message, pods: [] };
      present.pods.push(pod.name);
      unread.set(what, present);
    }
  }
  return [...unread].map(([what, { message, pods }]) =>
    pods.length === 1
      ? `${what} (${pods[0]}): ${message}`
      : `${what} (${counted(pods.length, 'instance')}): ${message}`,
  );
}
