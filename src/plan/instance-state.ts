/** What one pod is doing, or what it fails at, in the words that a user reads in the status. */

import { errorCatalogue } from '../contracts/error-catalogue.ts';
import { type AgentMode, registers } from '../contracts/modes.ts';
import { type AgentStatus, terminationMessage } from '../contracts/pod-contract.ts';
import { formatBytes } from '../contracts/quantity.ts';
import type { Severity } from '../contracts/reason-catalogue.ts';
import { heardReasonOf, type Reason, reasonOf, traitsOf } from '../contracts/reasons.ts';
import { shellWords } from '../contracts/shell-words.ts';
import { readJson } from '../kernel/schema-json.ts';
import { startTrouble, type Trouble, unschedulablePod, unstartable, waitingTrouble } from './kubernetes-words.ts';
import type { ContainerView, PodView, RegisteredPod, Termination } from './observation.ts';
import { scriptEnd } from './script-end.ts';

export interface InstanceState {
  /** A reason of the resource's Ready condition where this instance is the worst. */
  readonly state: Reason;
  readonly severity: Severity;
  readonly message?: string;
  readonly next?: string;
}

/**
 * The state of a pod that lives. The order of the checks is the order in which one explains another: who is not
 * scheduled has no containers.
 *
 * @param held its version is held back, so that it is not registered
 */
export function stateOf(
  pod: PodView,
  registration: RegisteredPod | undefined,
  agent: AgentStatus | undefined,
  mode: AgentMode = 'active',
  held = false,
): InstanceState {
  if (pod.deleting) return stateFor('Terminating');
  // Whatever keeps it from a node, nothing has been tried yet that could have failed.
  if (pod.unschedulable !== undefined)
    return { ...inTrouble(unschedulablePod(pod.unschedulable, pod)), severity: 'waiting' };
  if (pod.gated !== undefined) return stateFor('WaitingForQueueCapacity', `waiting for queue capacity: ${pod.gated}`);
  return (
    notStarted(pod) ??
    agentGaveUp(pod.agent) ??
    scriptEnded(pod, agent) ??
    up(pod, registration, mode) ??
    agentProblem(agent) ??
    heldBack(pod, registration, mode, held) ??
    starting(pod, registration, agent, mode)
  );
}

function stateFor(state: Reason, message?: string, next?: string): InstanceState {
  return {
    state,
    severity: traitsOf(state).severity,
    ...(message === undefined ? {} : { message }),
    ...(next === undefined ? {} : { next }),
  };
}

function inTrouble({ reason, message, next }: Trouble): InstanceState {
  return stateFor(reason, message, next);
}

/** A container that cannot be started, or a pod that does not get so far. */
function notStarted(pod: PodView): InstanceState | undefined {
  const trouble = waitingTrouble(pod) ?? startTrouble(pod);
  return trouble === undefined ? undefined : inTrouble(trouble);
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
  if (said !== undefined) return stateFor(heardReasonOf(said.code), said.message, said.next);
  return stateFor('AgentFailed', `the agent ended with status ${ended.exitCode} (${ended.reason}): ${ended.message}`);
}

function parseTermination(text: string): { code: string; message: string; next: string } | undefined {
  for (const line of text.trim().split('\n').reverse()) {
    const { value } = readJson(line, terminationMessage);
    if (value !== undefined) return value;
  }
  return undefined;
}

const upStages: ReadonlySet<AgentStatus['stage']> = new Set([
  'Registered',
  'Unregistering',
  'Held',
  'Shadow',
  'Drained',
]);

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
  if (unstarted !== undefined) return inTrouble(unstarted);
  const again = model.state.kind === 'running' ? 'it runs again' : '';
  if (ended.reason === 'OOMKilled') {
    return stateFor(
      'OutOfMemory',
      `the model was killed for using more than its memory${again === '' ? '' : `; ${again}`}`,
      'Raise spec.memory.',
    );
  }
  const words = shellWords(ended.message);
  if (words.restart !== undefined) {
    const { code, what } = words.restart;
    if (code === undefined) return stateFor('Restarted', what);
    return stateFor(reasonOf(code), `${what}; the script was started again`, errorCatalogue[code].next);
  }
  const { code, message, next } = scriptEnd(words, ended.exitCode, again);
  return stateFor(reasonOf(code), message, next);
}

function up(pod: PodView, registration: RegisteredPod | undefined, mode: AgentMode): InstanceState | undefined {
  if (!pod.ready || (registration !== undefined) !== registers(mode)) return undefined;
  return stateFor(upStates[mode]);
}

/** It is up, and is not to be registered for now. */
function heldBack(
  pod: PodView,
  registration: RegisteredPod | undefined,
  mode: AgentMode,
  held: boolean,
): InstanceState | undefined {
  if (!held || !pod.ready || registration !== undefined || !registers(mode)) return undefined;
  return stateFor('Held', 'answers, and is registered together with the others');
}

const upStates = { active: 'Registered', shadow: 'Shadow', drain: 'Drained' } as const satisfies Record<
  AgentMode,
  Reason
>;

function agentProblem(agent: AgentStatus | undefined): InstanceState | undefined {
  if (agent?.problem === undefined) return undefined;
  return stateFor(heardReasonOf(agent.problem.code), agent.problem.message, agent.problem.next);
}

function starting(
  pod: PodView,
  registration: RegisteredPod | undefined,
  agent: AgentStatus | undefined,
  mode: AgentMode,
): InstanceState {
  if (registration !== undefined) {
    return registers(mode) ? stateFor('Registered') : stateFor('Unregistering', 'is still registered');
  }
  if (agent === undefined) {
    if (pod.ready) return stateFor('Unregistered', 'answers, but is not registered yet');
    const waiting = pod.model?.state.kind === 'waiting' ? pod.model.state.message : '';
    return stateFor('Starting', waiting || undefined);
  }
  // The agent is ahead of the pod's readiness: the word that says "up" would be misleading.
  if (agent.stage === 'Shadow' || agent.stage === 'Drained' || (agent.stage === 'Held' && !pod.ready)) {
    return stateFor('Starting', 'answers, but the pod is not ready yet');
  }
  if (agent.stage === 'FetchingPayload' && agent.payload !== undefined) {
    const { bytesDone, bytesTotal } = agent.payload;
    return stateFor(agent.stage, `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`);
  }
  // Nor is it up by its own word that it is registered.
  return { ...stateFor(agent.stage), severity: 'starting' };
}
