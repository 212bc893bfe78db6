/** What one pod is doing, or what it fails at, in the words that a user reads in the status. */

import { errorCatalogue } from '../contracts/error-catalogue.ts';
import { type AgentMode, registers } from '../contracts/modes.ts';
import { type AgentStatus, terminationMessage } from '../contracts/pod-contract.ts';
import { formatBytes } from '../contracts/quantity.ts';
import { reasonOf } from '../contracts/reason-catalogue.ts';
import { readJson } from '../kernel/schema-json.ts';
import { startTrouble, type Trouble, unschedulablePod, unstartable, waitingTrouble } from './kubernetes-words.ts';
import type { ContainerView, PodView, Registration, Termination } from './observation.ts';
import { scriptEnd } from './script-end.ts';

export interface InstanceState {
  /** CamelCase; a reason of the resource's Ready condition where this instance is the worst. */
  readonly state: string;
  /** Higher is worse; 0 is all that the mode asks for. */
  readonly severity: number;
  readonly message?: string;
  readonly next?: string;
}

/** Room is bounded by a quota or a queue and is used up: no failure, and no time of the model's passes. */
export const waitingForQueue = 'WaitingForQueueCapacity';

export const severities = { up: 0, leaving: 1, starting: 2, waiting: 3, failing: 4 } as const;

/**
 * The state of a pod that lives. The order of the checks is the order in which one explains another: who is not
 * scheduled has no containers.
 */
export function stateOf(
  pod: PodView,
  registration: Registration | undefined,
  agent: AgentStatus | undefined,
  mode: AgentMode = 'active',
): InstanceState {
  if (pod.deleting) return { state: 'Terminating', severity: severities.leaving };
  if (pod.unschedulable !== undefined) return inTrouble(unschedulablePod(pod.unschedulable, pod), severities.waiting);
  if (pod.gated !== undefined) {
    return {
      state: waitingForQueue,
      severity: severities.waiting,
      message: `waiting for queue capacity: ${pod.gated}`,
    };
  }
  return (
    notStarted(pod) ??
    agentGaveUp(pod.agent) ??
    scriptEnded(pod, agent) ??
    up(pod, registration, mode) ??
    agentProblem(agent) ??
    starting(pod, registration, agent, mode)
  );
}

function failing(state: string, message: string, next?: string): InstanceState {
  return { state, severity: severities.failing, message, ...(next === undefined ? {} : { next }) };
}

function inTrouble({ reason, message, next }: Trouble, severity: number): InstanceState {
  return { state: reason, severity, message, ...(next === undefined ? {} : { next }) };
}

/** A container that cannot be started, or a pod that does not get so far. */
function notStarted(pod: PodView): InstanceState | undefined {
  const trouble = waitingTrouble(pod) ?? startTrouble(pod);
  if (trouble === undefined) return undefined;
  return inTrouble(trouble, trouble.passing === true ? severities.starting : severities.failing);
}

/** The latest termination of a container that is not running now. */
function downWith(container: ContainerView | undefined): Termination | undefined {
  if (container === undefined || container.state.kind === 'running') return undefined;
  return container.state.kind === 'terminated' ? container.state : container.lastTermination;
}

function agentGaveUp(agent: ContainerView | undefined): InstanceState | undefined {
  const ended = downWith(agent);
  if (ended === undefined || ended.exitCode === 0) return undefined;
  const said = parseTermination(ended.message);
  if (said !== undefined) return failing(reasonOf(said.code), said.message, said.next);
  return failing('AgentFailed', `the agent ended with status ${ended.exitCode} (${ended.reason}): ${ended.message}`);
}

function parseTermination(text: string): { code: string; message: string; next: string } | undefined {
  for (const line of text.trim().split('\n').reverse()) {
    const { value } = readJson(line, terminationMessage);
    if (value !== undefined) return value;
  }
  return undefined;
}

const upStages: ReadonlySet<AgentStatus['stage']> = new Set(['Registered', 'Unregistering', 'Shadow', 'Drained']);

/**
 * The script's end as the kubelet recorded it. A script that runs again counts as failing until its model answers,
 * because a crash loop is mostly seen between two crashes.
 */
function scriptEnded(pod: PodView, agent: AgentStatus | undefined): InstanceState | undefined {
  const { model } = pod;
  if (model === undefined || (agent !== undefined && upStages.has(agent.stage))) return undefined;
  const ended = downWith(model) ?? (model.restarts > 0 ? model.lastTermination : undefined);
  if (ended === undefined) return undefined;
  const unstarted = unstartable(pod, ended);
  if (unstarted !== undefined) return inTrouble(unstarted, severities.failing);
  const again = model.state.kind === 'running' ? 'it runs again' : '';
  if (ended.reason === 'OOMKilled') {
    return failing(
      'OutOfMemory',
      `the model was killed for using more than its memory${again === '' ? '' : `; ${again}`}`,
      'Raise spec.memory.',
    );
  }
  const asked = /maas: restarting: (.*)/.exec(ended.message)?.[1];
  if (asked !== undefined) {
    const code = /^([A-Z_]+): /.exec(asked)?.[1];
    if (code !== undefined && code in errorCatalogue) {
      return failing(
        reasonOf(code),
        `${asked.slice(code.length + 2)}; the script was started again`,
        errorCatalogue[code as keyof typeof errorCatalogue].next,
      );
    }
    return failing('Restarted', asked);
  }
  const { code, message, next } = scriptEnd(ended.message, ended.exitCode, again);
  return failing(reasonOf(code), message, next);
}

function up(pod: PodView, registration: Registration | undefined, mode: AgentMode): InstanceState | undefined {
  if (!pod.ready || (registration !== undefined) !== registers(mode)) return undefined;
  return { state: upStates[mode], severity: severities.up };
}

const upStates = { active: 'Registered', shadow: 'Shadow', drain: 'Drained' } as const;

function agentProblem(agent: AgentStatus | undefined): InstanceState | undefined {
  if (agent?.problem === undefined) return undefined;
  return failing(reasonOf(agent.problem.code), agent.problem.message, agent.problem.next);
}

function starting(
  pod: PodView,
  registration: Registration | undefined,
  agent: AgentStatus | undefined,
  mode: AgentMode,
): InstanceState {
  if (registration !== undefined) {
    return registers(mode)
      ? { state: 'Registered', severity: severities.up }
      : { state: 'Unregistering', severity: severities.starting, message: 'is still registered' };
  }
  if (agent === undefined) {
    const waiting = pod.model?.state.kind === 'waiting' ? pod.model.state : undefined;
    if (pod.ready)
      return { state: 'Unregistered', severity: severities.starting, message: 'answers, but is not registered yet' };
    return {
      state: 'Starting',
      severity: severities.starting,
      ...(waiting?.message ? { message: waiting.message } : {}),
    };
  }
  // The agent is ahead of the pod's readiness: the word that says "up" would be misleading.
  if (agent.stage === 'Shadow' || agent.stage === 'Drained') {
    return { state: 'Starting', severity: severities.starting, message: 'answers, but the pod is not ready yet' };
  }
  if (agent.stage === 'FetchingPayload' && agent.payload !== undefined) {
    const { bytesDone, bytesTotal } = agent.payload;
    return {
      state: agent.stage,
      severity: severities.starting,
      message: `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`,
    };
  }
  return { state: agent.stage, severity: severities.starting };
}
