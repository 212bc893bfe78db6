/**
 * The steps that an instance has taken on its way to clients, each with its time. The scheduler's and the kubelet's come
 * from the pod and its events, which know whole seconds; those from the payload on from the agent, which an agent of an
 * earlier release does not tell. Pure.
 */
import { formatDuration } from '../../contracts/duration.ts';
import { formatBytes } from '../../contracts/quantity.ts';
import type { InstanceFacts, SaidStatus } from './facts.ts';
import type { EventFacts, PodFacts } from './pod-facts.ts';

export interface Step {
  readonly step: StepName;
  /** Milliseconds since the epoch: when it was done. */
  readonly at: number;
  /** Since the step before; undefined of the first. */
  readonly tookMs: number | undefined;
  readonly detail: string | undefined;
}

/** In the order of a start. */
export const stepNames = [
  'made',
  'scheduled',
  'images',
  'agent',
  'payload',
  'script',
  'endpoint',
  'listening',
  'warm-up',
  'released',
  'registered',
] as const;
export type StepName = (typeof stepNames)[number];

type Reached = Pick<Step, 'step' | 'at'> & { readonly detail?: string | undefined };

export function stepsOf({ pod, agent, events }: InstanceFacts): readonly Step[] {
  const heard = events?.known === true ? events.value : [];
  const said = agent?.known === true ? agent.value : undefined;
  const reached = [...byKubernetes(pod, heard), ...byAgent(said, pod)];
  // Whole seconds beside milliseconds: no step is before the one that it follows.
  let last = Number.NEGATIVE_INFINITY;
  return reached.map(({ step, at, detail }) => {
    const done = Math.max(at, last);
    const tookMs = last === Number.NEGATIVE_INFINITY ? undefined : done - last;
    last = done;
    return { step, at: done, tookMs, detail };
  });
}

function byKubernetes(pod: PodFacts, events: readonly EventFacts[]): Reached[] {
  const steps: Reached[] = [{ step: 'made', at: pod.createdAt }];
  const { scheduled, agent } = pod;
  if (scheduled?.holds !== true) return steps;
  steps.push({
    step: 'scheduled',
    at: scheduled.at ?? pod.createdAt,
    detail: pod.node === undefined ? undefined : `on ${pod.node}`,
  });
  // The first time: what is pulled again for a later start is told by the same event.
  const images = events.filter(({ reason }) => reason === 'Pulled').sort((a, b) => a.firstAt - b.firstAt);
  const latest = images.at(-1);
  if (latest !== undefined) steps.push({ step: 'images', at: latest.firstAt, detail: pulls(images) });
  const startedAt = agent?.startedAt ?? agent?.ended?.at;
  if (startedAt !== undefined) steps.push({ step: 'agent', at: startedAt, detail: restarts(agent?.restarts ?? 0) });
  return steps;
}

/** What was pulled took its time; what was there took none. The agent's comes first, and may be the only one. */
function pulls(events: readonly EventFacts[]): string {
  const isWhole = events.some(({ field }) => field.startsWith('spec.containers'));
  const took = events.flatMap(({ message }) => /^Successfully pulled image .* in (\S+)/.exec(message)?.[1] ?? []);
  const how = took.length === 0 ? 'on the node already' : `pulled in ${took.join(', ')}`;
  return isWhole ? how : `the agent's only, ${how}`;
}

function restarts(count: number): string | undefined {
  return count === 0 ? undefined : `after ${count} ${count === 1 ? 'restart' : 'restarts'}`;
}

function byAgent(agent: SaidStatus | undefined, pod: PodFacts): Reached[] {
  const stages = (agent?.reached ?? []).map(({ stage, at }) => ({ stage, at: Date.parse(at) }));
  if (agent === undefined || stages.length === 0) return readiness(pod);
  const steps: Reached[] = [];
  const afterPayload = stages.find(({ stage }) => stage !== 'Starting' && stage !== 'FetchingPayload');
  if (agent.verifiedDigest !== undefined && afterPayload !== undefined) {
    const [begun] = stages;
    steps.push({ step: 'payload', at: afterPayload.at, detail: payload(agent, afterPayload.at - (begun?.at ?? 0)) });
  }
  if (agent.scriptStarted !== undefined) {
    const detail = restarts(pod.model?.restarts ?? 0);
    steps.push({ step: 'script', at: Date.parse(agent.scriptStarted), detail });
  }
  return [...steps, ...afterScript(stages, agent)];
}

interface Stage {
  readonly stage: string;
  readonly at: number;
}

/** The stage whose beginning says that a step is done; or that of any stage behind it, where it was passed over. */
const doneBy: readonly (readonly [StepName, readonly string[]])[] = [
  ['endpoint', ['WaitingForListener']],
  ['listening', ['WarmingUp', 'Held', 'Registering', 'Shadow', 'Drained']],
];
const registered = ['Registered', 'Shadow', 'Drained'];

/** From the last time on that it waited for the script: what was before was of an earlier start. */
function afterScript(stages: readonly Stage[], agent: SaidStatus): Reached[] {
  const from = stages.findLastIndex(({ stage }) => stage === 'WaitingForEndpoint');
  const since = stages.slice(from + 1);
  const steps: Reached[] = [];
  for (const [index, [step, by]] of doneBy.entries()) {
    const behind = [...by, ...doneBy.slice(index + 1).flatMap(([, stagesBehind]) => stagesBehind), ...registered];
    const found = since.find(({ stage }) => behind.includes(stage));
    if (found !== undefined) steps.push({ step, at: found.at });
  }
  for (const [stage, step] of [
    ['WarmingUp', 'warm-up'],
    ['Held', 'released'],
  ] as const) {
    const at = since.findIndex((each) => each.stage === stage);
    const next = at < 0 ? undefined : since.slice(at).find((each) => each.stage !== stage);
    if (next !== undefined && next.stage !== 'NotAnswering') steps.push({ step, at: next.at });
  }
  const up = since.find(({ stage }) => registered.includes(stage));
  if (up !== undefined) steps.push({ step: 'registered', at: up.at, detail: agent.url ?? unregistered(up.stage) });
  return steps;
}

function unregistered(stage: string): string | undefined {
  return stage === 'Registered' ? undefined : `not, by the mode: ${stage}`;
}

function payload({ payload: progress }: SaidStatus, ms: number): string | undefined {
  if (progress === undefined) return undefined;
  const rate = ms >= tellingMs ? `, ${formatBytes((progress.bytesTotal * 1_000) / ms)}/s` : '';
  return `${formatBytes(progress.bytesTotal)} verified in ${formatDuration(ms)}${rate}`;
}

/** A rate over less says nothing. */
const tellingMs = 250;

/** All that the pod tells of an agent that tells nothing: a pod is ready once its instance is all that it is to be. */
function readiness({ ready }: PodFacts): Reached[] {
  return ready?.holds === true && ready.at !== undefined ? [{ step: 'registered', at: ready.at }] : [];
}
