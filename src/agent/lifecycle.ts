/**
 * What an agent does, as a pure function: state and event give the next state and what is to be done. It does no IO,
 * reads no clock and keeps nothing; run.ts carries the actions out and brings the events.
 *
 * A start goes: fetch the payload, open the gate, see the model start, see its endpoint and an answer, register.
 * Then the model is looked at for as long as it lives. A stop goes: unregister, say so, and register never again.
 *
 * The mode decides whether a model that answers is registered. It decides nothing else: in `shadow` and `drain` a model
 * is started, looked at and restarted as in `active`, and is ready while it answers.
 */

import { formatDuration } from '../contracts/duration.ts';
import { MaasError } from '../contracts/errors.ts';
import { type AgentMode, registers } from '../contracts/modes.ts';
import type { AgentStatus, TerminationMessage } from '../contracts/pod-contract.ts';
import { type EndpointFile, portOf } from '../wire/endpoint-file.ts';
import type { EndpointReading } from './endpoint-reading.ts';

/** Milliseconds, but for the failures. */
export interface Limits {
  /** From the model's start to its first answer. */
  readonly startup: number;
  /** How long a stop waits for the registration to go. */
  readonly unregister: number;
  /** Nothing listening for so long is a model that stopped answering; less is one that is between two requests. */
  readonly silence: number;
  /** As many failed health checks in a row are a model that stopped answering. */
  readonly failures: number;
  /** A model that stopped answering for so long, without its container having ended, hangs. */
  readonly hang: number;
  /** Trouble that may be gone in a moment is told only after so long. */
  readonly notice: number;
  /** Between two attempts at ZooKeeper, and between two registrations, whatever a model or somebody else does. */
  readonly retry: number;
  /** Between two requests to restart the model. */
  readonly askAgain: number;
}

export const usualLimits: Omit<Limits, 'startup' | 'unregister'> = {
  silence: 3_000,
  failures: 3,
  hang: 30_000,
  notice: 1_000,
  retry: 1_000,
  askAgain: 5_000,
};

export type Problem = TerminationMessage;
export type PayloadProgress = NonNullable<AgentStatus['payload']>;
export type SessionState = AgentStatus['zookeeper'];
export type Stage = AgentStatus['stage'];

/** What came of asking whether the model answers at its endpoint. */
export type Answer = 'answers' | 'none' | 'loopback-only' | 'elsewhere' | 'unhealthy';

/** Everything that was seen of the model at one moment. */
export interface Look {
  /** Changes with each start of the model; undefined before the first. */
  readonly mark: string | undefined;
  readonly reading: EndpointReading;
  /** The endpoint that was asked, if any: the one just read, or the last one known. */
  readonly asked?: { readonly endpoint: EndpointFile; readonly answer: Answer; readonly binding?: Binding };
}

/** How a model listens that clients cannot reach. */
export interface Binding {
  /** The addresses that it listens on. */
  readonly found: readonly string[];
  /** The host that clients are told. */
  readonly told: string;
  /** What it should bind to. */
  readonly advice: string;
}

export type Event =
  | { readonly type: 'payload-progress'; readonly progress: PayloadProgress }
  | { readonly type: 'payload-trouble'; readonly problem: Problem }
  | { readonly type: 'payload-verified' }
  | { readonly type: 'payload-lost'; readonly problem: Problem }
  | { readonly type: 'gate-opened' }
  | { readonly type: 'look'; readonly look: Look }
  | { readonly type: 'zookeeper'; readonly session: SessionState }
  /** The session ended, and everything it held is gone. */
  | { readonly type: 'expired' }
  /** The registration stands. `written`: it had to be made. */
  | { readonly type: 'registered'; readonly url: string; readonly written: boolean }
  | { readonly type: 'register-failed'; readonly problem: Problem }
  /** Somebody else changed or removed what was registered. */
  | { readonly type: 'disturbed' }
  | { readonly type: 'unregistered' }
  | { readonly type: 'unregister-failed'; readonly problem: Problem }
  /** The operator forbids this instance to be registered. */
  | { readonly type: 'revoked' }
  | { readonly type: 'mode'; readonly mode: AgentMode }
  | { readonly type: 'stop' }
  /** Stop, and end the process after that. */
  | { readonly type: 'terminate' }
  | { readonly type: 'tick' };

export type Action =
  | { readonly do: 'open-gate' }
  | { readonly do: 'register'; readonly endpoint: EndpointFile }
  | { readonly do: 'unregister' }
  /** `mark`: the start of the model that is ready. */
  | { readonly do: 'set-ready'; readonly ready: true; readonly mark: string }
  | { readonly do: 'set-ready'; readonly ready: false }
  /** Only while the model's start is still the one of this mark. */
  | { readonly do: 'ask-restart'; readonly mark: string; readonly why: Problem }
  | { readonly do: 'say-stopped'; readonly neverRegistered: boolean }
  | { readonly do: 'give-up'; readonly problem: Problem }
  | { readonly do: 'leave' };

type Payload =
  | { readonly kind: 'fetching'; readonly begun: boolean; readonly problem?: Problem }
  | { readonly kind: 'verified' }
  /** `told`: the action that ends the process has been asked for. */
  | { readonly kind: 'lost'; readonly problem: Problem; readonly told: boolean };

/** Whether the model answers, since its present start; undefined before its first answer. */
type Serving =
  | { readonly kind: 'answers' }
  | {
      readonly kind: 'silent';
      readonly since: number;
      /** Since when nothing listens; undefined while something does. */
      readonly deafSince: number | undefined;
      readonly failures: number;
      /** True once it counts as having stopped. */
      readonly lost: boolean;
    };

/** The last attempt at ZooKeeper failed; the same is not attempted again before its time. */
interface Failure {
  readonly of: 'register' | 'unregister';
  readonly problem: Problem;
  readonly retryAt: number;
}

type Registration =
  | { readonly kind: 'none'; readonly failed?: Failure }
  | { readonly kind: 'writing'; readonly endpoint: EndpointFile; readonly disturbed: boolean }
  | { readonly kind: 'held'; readonly endpoint: EndpointFile; readonly url: string }
  | { readonly kind: 'removing' };

export interface State {
  readonly limits: Limits;
  readonly payload: Payload;
  readonly progress?: PayloadProgress;
  readonly gate: 'closed' | 'opening' | 'open';
  readonly start?: { readonly mark: string; readonly at: number };
  readonly endpoint?: EndpointFile;
  readonly serving?: Serving;
  /**
   * An earlier agent may have registered the model and was killed before it could note more. Unknown is no reason to take
   * that away: it stays until somebody has looked, and from then on for as long as a model may be silent.
   */
  readonly inherited?: { readonly deafSince: number | undefined };
  /** What is wrong with the endpoint or its listener, and since when. */
  readonly trouble?: { readonly problem: Problem; readonly since: number };
  /** Why the model had to be restarted; kept until it answers. */
  readonly verdict?: Problem;
  readonly askedAt?: number;
  readonly session: SessionState;
  readonly registration: Registration;
  /** Something of this instance may be in ZooKeeper. */
  readonly mayExist: boolean;
  /** Undefined until it is known: nothing new is registered before, and nothing is taken away. */
  readonly mode?: AgentMode;
  /** It was once all that its mode asks for, in this process or one before it: registered, or only up. */
  readonly completeOnce: boolean;
  /** Clients may have had the URL. */
  readonly mayBeKnown: boolean;
  readonly registrations: number;
  /** When the last of them was made. */
  readonly registeredAt?: number;
  readonly ready: boolean;
  /** The start that the model was last said to be ready in. */
  readonly readyMark?: string;
  readonly revoked: boolean;
  readonly stop?: {
    readonly at: number;
    readonly terminate: boolean;
    readonly stopped: boolean;
    readonly left: boolean;
  };
  readonly stage: Stage;
  readonly stageAt: number;
}

/** What an agent that ran in this pod before has left. All false in a new pod. */
export interface Remains {
  /** The payload was verified and the gate opened. */
  readonly gateOpen: boolean;
  /** The instance was ready, with the model's start of this mark. */
  readonly readyMark?: string;
  /** What was registered last, or was about to be, and of which start. */
  readonly registered?: { readonly mark: string; readonly endpoint: EndpointFile };
  /** The pod was being stopped. */
  readonly stopping: boolean;
  readonly revoked: boolean;
}

/** Times are milliseconds of a clock that never goes back. */
export function initialState(limits: Limits, remains: Remains, at: number): State {
  const wasReady = remains.readyMark !== undefined;
  const mark = remains.readyMark ?? remains.registered?.mark;
  return {
    limits,
    payload: remains.gateOpen ? { kind: 'verified' } : { kind: 'fetching', begun: false },
    gate: 'closed',
    // A ready instance stays ready while the restarted agent finds out how the model does; that nobody has looked yet
    // does not count against it.
    ...(mark === undefined ? {} : { start: { mark, at } }),
    ...(remains.registered !== undefined && remains.registered.mark === mark
      ? { endpoint: remains.registered.endpoint }
      : {}),
    ...(wasReady
      ? {
          readyMark: remains.readyMark,
          serving: { kind: 'silent', since: at, deafSince: undefined, failures: 0, lost: false },
        }
      : {}),
    ...(remains.gateOpen && !wasReady ? { inherited: { deafSince: undefined } } : {}),
    session: 'connecting',
    registration: { kind: 'none' },
    mayExist: remains.gateOpen,
    completeOnce: wasReady,
    mayBeKnown: remains.gateOpen,
    registrations: 0,
    ready: wasReady,
    revoked: remains.revoked,
    ...(remains.stopping ? { stop: { at, terminate: false, stopped: false, left: false } } : {}),
    stage: 'Starting',
    stageAt: at,
  };
}

export interface Step {
  readonly state: State;
  readonly actions: readonly Action[];
}

/** The next state, and what is to be done. */
export function step(state: State, event: Event, at: number): Step {
  return settle(take(state, event, at), at);
}

/** The event as a fact; what follows from it is for settle. */
function take(state: State, event: Event, at: number): State {
  switch (event.type) {
    case 'payload-progress':
      if (state.payload.kind !== 'fetching') return state;
      return { ...state, progress: event.progress, payload: { kind: 'fetching', begun: true } };
    case 'payload-trouble':
      if (state.payload.kind !== 'fetching') return state;
      return { ...state, payload: { kind: 'fetching', begun: true, problem: event.problem } };
    case 'payload-verified':
      return state.payload.kind === 'fetching' ? { ...state, payload: { kind: 'verified' } } : state;
    case 'payload-lost':
      return state.payload.kind === 'fetching'
        ? { ...state, payload: { kind: 'lost', problem: event.problem, told: false } }
        : state;
    case 'gate-opened':
      return { ...state, gate: 'open' };
    case 'look':
      return takeLook(state, event.look, at);
    case 'zookeeper':
      return { ...state, session: event.session };
    case 'expired':
      return state.registration.kind === 'held' ? { ...state, registration: { kind: 'none' } } : state;
    case 'registered':
      if (state.registration.kind !== 'writing') return state;
      return {
        ...state,
        registration: state.registration.disturbed
          ? { kind: 'none' }
          : { kind: 'held', endpoint: state.registration.endpoint, url: event.url },
        completeOnce: true,
        ...(event.written ? { registrations: state.registrations + 1, registeredAt: at } : {}),
      };
    case 'register-failed':
    case 'unregister-failed': {
      const of = event.type === 'register-failed' ? 'register' : 'unregister';
      const failed: Failure = { of, problem: event.problem, retryAt: at + state.limits.retry };
      return { ...state, registration: { kind: 'none', failed } };
    }
    case 'disturbed':
      if (state.registration.kind === 'held') return { ...state, registration: { kind: 'none' } };
      if (state.registration.kind !== 'writing') return state;
      return { ...state, registration: { ...state.registration, disturbed: true } };
    case 'unregistered':
      return { ...state, registration: { kind: 'none' }, mayExist: false };
    case 'revoked':
      return { ...state, revoked: true };
    case 'mode':
      return { ...state, mode: event.mode };
    case 'stop':
      return { ...state, stop: state.stop ?? { at, terminate: false, stopped: false, left: false } };
    case 'terminate':
      return { ...state, stop: { ...(state.stop ?? { at, stopped: false, left: false }), terminate: true } };
    case 'tick':
      return state;
  }
}

function takeLook(before: State, look: Look, at: number): State {
  // Before its shell has started, what lies in the payload's directory is not the model's word.
  if (before.gate !== 'open' || look.mark === undefined) return before;
  let state = before;
  if (before.start?.mark !== look.mark) {
    state = { ...before, start: { mark: look.mark, at } };
    if (before.start !== undefined) {
      state = without(state, 'endpoint', 'serving', 'inherited', 'trouble', 'askedAt');
    }
  }
  if (look.asked !== undefined) state = { ...state, endpoint: look.asked.endpoint };
  const answer = look.asked?.answer;
  if (answer === 'answers') {
    return { ...without(state, 'trouble', 'verdict', 'askedAt', 'inherited'), serving: { kind: 'answers' } };
  }
  // Without an endpoint the model has only just started, and whatever is registered is of a start before.
  if (answer === undefined) state = without(state, 'inherited');
  else if (state.inherited !== undefined) {
    state = { ...state, inherited: { deafSince: state.inherited.deafSince ?? at } };
  }
  const problem = troubleOf(look, state.endpoint);
  if (problem === undefined) state = without(state, 'trouble');
  else {
    const since = state.trouble?.problem.code === problem.code ? state.trouble.since : at;
    state = { ...state, trouble: { problem, since } };
  }
  return state.serving === undefined ? state : { ...state, serving: silence(state.serving, answer, at) };
}

function silence(serving: Serving, answer: Answer | undefined, at: number): Serving {
  const before = serving.kind === 'silent' ? serving : { since: at, deafSince: undefined, failures: 0, lost: false };
  return {
    kind: 'silent',
    since: before.since,
    deafSince: answer === 'unhealthy' ? undefined : (before.deafSince ?? at),
    failures: before.failures + (answer === 'unhealthy' ? 1 : 0),
    lost: before.lost,
  };
}

function troubleOf({ reading, asked }: Look, endpoint: EndpointFile | undefined): Problem | undefined {
  const answer = asked?.answer;
  if (reading.kind === 'unusable') return problemOf(reading.problem);
  if (answer === undefined || answer === 'answers' || endpoint === undefined) return undefined;
  const port = portOf(endpoint);
  switch (answer) {
    case 'none':
      return problemOf(new MaasError('ENDPOINT_NOT_LISTENING', `Nothing listens on port ${port}`));
    case 'elsewhere':
      return unreachable('ENDPOINT_NOT_REACHABLE', port, asked?.binding);
    case 'loopback-only':
      return unreachable('ENDPOINT_LOOPBACK_ONLY', port, asked?.binding);
    case 'unhealthy':
      return problemOf(new MaasError('ENDPOINT_UNHEALTHY', `The health check of the model on port ${port} fails`));
  }
}

function unreachable(
  code: 'ENDPOINT_NOT_REACHABLE' | 'ENDPOINT_LOOPBACK_ONLY',
  port: number,
  binding: Binding | undefined,
): Problem {
  // It may have closed the port between two looks at it.
  if (binding === undefined || binding.found.length === 0) {
    return problemOf(new MaasError(code, `Clients cannot reach port ${port}`));
  }
  const { found, told, advice } = binding;
  // On `::` it seems to listen everywhere, so what is missing is said.
  const only = found.includes('::') ? ':: for IPv6 only' : `${found.join(' and ')} only`;
  return problemOf(
    new MaasError(code, `Port ${port} listens on ${only}, but clients are told ${told}`, {
      next: `Let the service bind to ${advice}.`,
    }),
  );
}

/** What follows from the state and the time. Applied again to its own result it does nothing. */
function settle(taken: State, at: number): Step {
  const actions: Action[] = [];
  let state = taken;
  const { limits } = state;

  if (state.payload.kind === 'lost' && !state.payload.told && state.stop === undefined) {
    actions.push({ do: 'give-up', problem: state.payload.problem });
    state = { ...state, payload: { ...state.payload, told: true } };
  }

  if (state.payload.kind === 'verified' && state.gate === 'closed' && state.stop === undefined) {
    actions.push({ do: 'open-gate' });
    state = { ...state, gate: 'opening' };
  }

  if (state.serving?.kind === 'silent' && !state.serving.lost) {
    const { deafSince, failures } = state.serving;
    const deaf = deafSince !== undefined && at >= deafSince + limits.silence;
    if (deaf || failures >= limits.failures) state = { ...state, serving: { ...state.serving, lost: true } };
  }

  if (state.session === 'connected' && !isBusy(state)) {
    if (mayRegister(state) && !isRegisteredAsWanted(state) && isDue(state, 'register', at)) {
      const endpoint = state.endpoint as EndpointFile;
      actions.push({ do: 'register', endpoint });
      state = {
        ...state,
        registration: { kind: 'writing', endpoint, disturbed: false },
        mayExist: true,
        mayBeKnown: true,
      };
    } else if (
      !mayStayRegistered(state) &&
      !isInherited(state, at) &&
      state.mayExist &&
      isDue(state, 'unregister', at)
    ) {
      actions.push({ do: 'unregister' });
      state = { ...state, registration: { kind: 'removing' } };
    }
  }

  if (isUnregisteredByMode(state) && isUp(state)) state = { ...state, completeOnce: true };
  const ready = state.completeOnce && isUp(state);
  const mark = state.start?.mark;
  if (ready && mark !== undefined && (!state.ready || mark !== state.readyMark)) {
    actions.push({ do: 'set-ready', ready, mark });
    state = { ...state, ready, readyMark: mark };
  } else if (!ready && state.ready) {
    actions.push({ do: 'set-ready', ready });
    state = { ...state, ready };
  }

  const verdict = restartVerdict(state, at);
  if (
    verdict !== undefined &&
    state.start !== undefined &&
    at >= (state.askedAt ?? at - limits.askAgain) + limits.askAgain
  ) {
    actions.push({ do: 'ask-restart', mark: state.start.mark, why: verdict });
    state = { ...state, verdict, askedAt: at };
  }

  if (state.stop !== undefined && !state.stop.stopped) {
    const gone = !state.mayExist && !isBusy(state);
    if (gone || at >= state.stop.at + limits.unregister) {
      actions.push({ do: 'say-stopped', neverRegistered: !state.mayBeKnown });
      state = { ...state, stop: { ...state.stop, stopped: true } };
    }
  }
  if (state.stop?.terminate && state.stop.stopped && !state.stop.left) {
    actions.push({ do: 'leave' });
    state = { ...state, stop: { ...state.stop, left: true } };
  }
  return { state: staged(state, at), actions };
}

/** The model answers, or has only just fallen silent, and nothing forbids the instance to serve. */
function isUp(state: State): boolean {
  const up = state.serving !== undefined && (state.serving.kind === 'answers' || !state.serving.lost);
  return state.payload.kind === 'verified' && up && !state.revoked && state.stop === undefined;
}

function isUnregisteredByMode(state: State): boolean {
  return state.mode !== undefined && !registers(state.mode);
}

function isInherited(state: State, at: number): boolean {
  if (state.inherited === undefined || state.stop !== undefined || state.revoked || isUnregisteredByMode(state)) {
    return false;
  }
  const { deafSince } = state.inherited;
  return deafSince === undefined || at < deafSince + state.limits.silence;
}

/** Asked again immediately before a registration is written. */
export function mayStayRegistered(state: State): boolean {
  return isUp(state) && !isUnregisteredByMode(state);
}

function mayRegister(state: State): boolean {
  if (state.mode === undefined || !registers(state.mode)) return false;
  return state.gate === 'open' && state.endpoint !== undefined && state.serving?.kind === 'answers' && isUp(state);
}

function isDue(state: State, what: Failure['of'], at: number): boolean {
  const { registeredAt } = state;
  if (what === 'register' && registeredAt !== undefined && at < registeredAt + state.limits.retry) return false;
  const failed = state.registration.kind === 'none' ? state.registration.failed : undefined;
  return failed?.of !== what || at >= failed.retryAt;
}

function isBusy(state: State): boolean {
  return state.registration.kind === 'writing' || state.registration.kind === 'removing';
}

function isRegisteredAsWanted(state: State): boolean {
  return state.registration.kind === 'held' && sameEndpoint(state.registration.endpoint, state.endpoint);
}

/** Why the model is to be restarted; undefined where it is not. */
function restartVerdict(state: State, at: number): Problem | undefined {
  if (state.stop !== undefined || state.start === undefined) return undefined;
  if (state.serving === undefined) {
    if (at < state.start.at + state.limits.startup) return undefined;
    if (state.trouble !== undefined) return state.trouble.problem;
    const time = formatDuration(state.limits.startup);
    return problemOf(new MaasError('ENDPOINT_MISSING', `endpoint.dat did not appear within ${time}`));
  }
  if (state.serving.kind === 'answers' || !state.serving.lost) return undefined;
  if (at < state.serving.since + state.limits.hang) return undefined;
  return state.trouble?.problem ?? problemOf(new MaasError('ENDPOINT_NOT_LISTENING', 'The model stopped answering'));
}

/** False while the model is to be restarted. */
export function modelIsLive(state: State, at: number): boolean {
  return restartVerdict(state, at) === undefined;
}

function staged(state: State, at: number): State {
  const stage = stageOf(state);
  return stage === state.stage ? state : { ...state, stage, stageAt: at };
}

function stageOf(state: State): Stage {
  if (state.stop !== undefined || state.revoked) return 'Unregistered';
  if (state.gate !== 'open') {
    return state.payload.kind === 'fetching' && !state.payload.begun ? 'Starting' : 'FetchingPayload';
  }
  if (isUnregisteredByMode(state) && isUp(state)) {
    if (state.mayExist) return 'Unregistering';
    return state.mode === 'shadow' ? 'Shadow' : 'Drained';
  }
  if (state.registration.kind === 'held') return 'Registered';
  if (state.serving?.kind === 'silent' && state.serving.lost) return 'NotAnswering';
  if (state.endpoint === undefined) return 'WaitingForEndpoint';
  if (state.serving === undefined) return 'WaitingForListener';
  return 'Registering';
}

/** What is wrong just now, if anything. */
export function currentProblem(state: State, at: number): Problem | undefined {
  if (state.payload.kind !== 'verified') return state.payload.problem;
  if (state.revoked) {
    return problemOf(
      new MaasError(
        'REGISTRATION_REVOKED',
        'The operator took the registration away and lets nothing new be registered',
      ),
    );
  }
  const verdict = restartVerdict(state, at);
  if (verdict !== undefined) return verdict;
  if (state.serving?.kind !== 'answers') {
    if (state.trouble !== undefined && at >= state.trouble.since + state.limits.notice) return state.trouble.problem;
    return state.verdict;
  }
  if (state.stop !== undefined) return undefined;
  return isUnregisteredByMode(state) ? unregisteringProblem(state, at) : registeringProblem(state, at);
}

function registeringProblem(state: State, at: number): Problem | undefined {
  if (state.registration.kind === 'held') return undefined;
  if (state.registration.kind === 'none' && state.registration.failed?.of === 'register') {
    return state.registration.failed.problem;
  }
  if (at < state.stageAt + state.limits.notice) return undefined;
  if (state.session !== 'connected') {
    return problemOf(
      new MaasError('ZOOKEEPER_UNREACHABLE', 'The model answers, but there is no ZooKeeper session to register it in'),
    );
  }
  if (state.mode !== undefined) return undefined;
  return problemOf(
    new MaasError('ZOOKEEPER_ERROR', 'The model answers, but its mode cannot be read, so it is not registered', {
      next: 'Check the ACLs of the znodes below operatorRoot.',
    }),
  );
}

function unregisteringProblem(state: State, at: number): Problem | undefined {
  if (!state.mayExist) return undefined;
  if (state.registration.kind === 'none' && state.registration.failed?.of === 'unregister') {
    return state.registration.failed.problem;
  }
  if (state.session === 'connected' || at < state.stageAt + state.limits.notice) return undefined;
  return problemOf(
    new MaasError('ZOOKEEPER_UNREACHABLE', 'The mode is not to register, but there is no ZooKeeper session to say so'),
  );
}

/** `closely`: something is awaited. `seldom`: all is well. */
export type Looking = 'closely' | 'seldom' | 'never';

export function looking(state: State): Looking {
  if (state.gate !== 'open' || state.stop !== undefined) return 'never';
  return state.serving?.kind === 'answers' ? 'seldom' : 'closely';
}

/** When the passing of time alone changes something; undefined where it never does. */
export function wakeAt(state: State, at: number): number | undefined {
  const { limits } = state;
  const times: number[] = [];
  if (state.registration.kind === 'none' && state.registration.failed !== undefined) {
    times.push(state.registration.failed.retryAt);
  }
  if (state.stop === undefined) {
    if (state.registeredAt !== undefined) times.push(state.registeredAt + limits.retry);
    if (state.serving?.kind === 'silent') {
      if (state.serving.deafSince !== undefined) times.push(state.serving.deafSince + limits.silence);
      times.push(state.serving.since + limits.hang);
    }
    if (state.inherited?.deafSince !== undefined) times.push(state.inherited.deafSince + limits.silence);
    if (state.start !== undefined && state.serving === undefined) times.push(state.start.at + limits.startup);
    if (state.askedAt !== undefined) times.push(state.askedAt + limits.askAgain);
  } else if (!state.stop.stopped) {
    times.push(state.stop.at + limits.unregister);
  }
  const future = times.filter((time) => time > at);
  return future.length === 0 ? undefined : Math.min(...future);
}

export function sameEndpoint(left: EndpointFile | undefined, right: EndpointFile | undefined): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}

export function problemOf(error: MaasError): Problem {
  return { code: error.code, message: error.message, next: error.next };
}

type Optional = 'endpoint' | 'serving' | 'inherited' | 'trouble' | 'verdict' | 'askedAt';

function without(state: State, ...keys: Optional[]): State {
  const copy: { -readonly [Key in keyof State]: State[Key] } = { ...state };
  for (const key of keys) delete copy[key];
  return copy;
}
