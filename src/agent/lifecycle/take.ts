/** An event as a fact: what is known after it. What follows from that is for the rules. */
import type { Answer, Event, Look, Problem } from './events.ts';
import { troubleOf } from './problems.ts';
import { type Failure, isWarm, type Serving, type State, type WarmingUp } from './state.ts';

export function take(state: State, event: Event, at: number): State {
  switch (event.type) {
    case 'payload-progress':
    case 'payload-trouble':
    case 'payload-verified':
    case 'payload-lost':
      return takePayload(state, event);
    case 'gate-opened':
      return { ...state, gate: 'open' };
    case 'look':
      return takeLook(state, event.look, at);
    case 'zookeeper':
      return { ...state, session: event.session };
    case 'expired':
    case 'disturbed':
      return takeLoss(state, event.type);
    case 'registered':
      return takeRegistered(state, event, at);
    case 'register-failed':
      return takeFailure(state, 'register', event.problem, at);
    case 'unregister-failed':
      return takeFailure(state, 'unregister', event.problem, at);
    case 'unregistered':
      return { ...state, registration: { kind: 'none' }, mayExist: false };
    case 'revoked':
      return { ...state, revoked: true };
    case 'mode':
      return { ...state, mode: event.mode };
    case 'hold':
      return { ...state, held: event.held };
    case 'warmed-up':
    case 'warm-up-failed':
      return takeWarmUp(state, event, at);
    case 'stop':
      return { ...state, stop: state.stop ?? { at, terminate: false, stopped: false, left: false } };
    case 'terminate':
      return { ...state, stop: { ...(state.stop ?? { at, stopped: false, left: false }), terminate: true } };
    case 'tick':
      return state;
  }
}

/** Nothing that is said of the payload counts once it is verified or lost. */
function takePayload(state: State, event: Extract<Event, { type: `payload-${string}` }>): State {
  if (state.payload.kind !== 'fetching') return state;
  switch (event.type) {
    case 'payload-progress':
      return { ...state, progress: event.progress, payload: { kind: 'fetching', begun: true } };
    case 'payload-trouble':
      return { ...state, payload: { kind: 'fetching', begun: true, problem: event.problem } };
    case 'payload-verified':
      return { ...state, payload: { kind: 'verified' } };
    case 'payload-lost':
      return { ...state, payload: { kind: 'lost', problem: event.problem, told: false } };
  }
}

/** What stood is gone. A session that expires under an attempt fails it; what somebody disturbs under one is made again. */
function takeLoss(state: State, how: 'expired' | 'disturbed'): State {
  const { registration } = state;
  if (registration.kind === 'held') return { ...state, registration: { kind: 'none' } };
  if (registration.kind !== 'writing' || how === 'expired') return state;
  return { ...state, registration: { ...registration, disturbed: true } };
}

function takeRegistered(state: State, { url, written }: Extract<Event, { type: 'registered' }>, at: number): State {
  const { registration } = state;
  if (registration.kind !== 'writing') return state;
  const { disturbed, endpoint } = registration;
  return {
    ...state,
    registration: disturbed ? { kind: 'none' } : { kind: 'held', endpoint, url },
    completeOnce: true,
    ...(written ? { registrations: state.registrations + 1, registeredAt: at } : {}),
  };
}

function takeFailure(state: State, of: Failure['of'], problem: Problem, at: number): State {
  return { ...state, registration: { kind: 'none', failed: { of, problem, retryAt: at + state.limits.retry } } };
}

/** What is heard of an earlier start says nothing of the present one. */
function takeWarmUp(state: State, event: Extract<Event, { type: `warm${string}` }>, at: number): State {
  if (state.warmUp === undefined) return state;
  const warmUp: WarmingUp = {
    ...(state.warmUp.passed === undefined ? {} : { passed: state.warmUp.passed }),
    calling: false,
  };
  if (event.mark !== state.start?.mark) return { ...state, warmUp };
  if (event.type === 'warmed-up')
    return { ...without(state, 'verdict'), warmUp: { passed: event.mark, calling: false } };
  return { ...state, warmUp: { ...warmUp, failed: { problem: event.problem, retryAt: at + state.limits.retry } } };
}

function takeLook(before: State, look: Look, at: number): State {
  // Before its shell has started, what lies in the payload's directory is not the model's word.
  if (before.gate !== 'open' || look.mark === undefined) return before;
  let state = atStart(before, look.mark, at);
  if (look.asked !== undefined) state = { ...state, endpoint: look.asked.endpoint };
  const answer = look.asked?.answer;
  if (answer === 'answers') {
    return answering(state);
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

/** Nothing that was seen of an earlier start is true of another one. */
function atStart(before: State, mark: string, at: number): State {
  if (before.start?.mark === mark) return before;
  const state = { ...before, start: { mark, at } };
  if (before.start === undefined) return state;
  return withoutFailedWarmUp(without(state, 'endpoint', 'serving', 'inherited', 'trouble', 'askedAt'));
}

/** Until it is warm it is not up, and may have to be restarted for that. */
function answering(state: State): State {
  const heard = without(state, 'trouble', 'inherited');
  return { ...(isWarm(state) ? without(heard, 'verdict', 'askedAt') : heard), serving: { kind: 'answers' } };
}

function withoutFailedWarmUp(state: State): State {
  if (state.warmUp?.failed === undefined) return state;
  const { failed, ...warmUp } = state.warmUp;
  return { ...state, warmUp };
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

type Optional = 'endpoint' | 'serving' | 'inherited' | 'trouble' | 'verdict' | 'askedAt';

function without(state: State, ...keys: Optional[]): State {
  const copy: { -readonly [Key in keyof State]: State[Key] } = { ...state };
  for (const key of keys) delete copy[key];
  return copy;
}
