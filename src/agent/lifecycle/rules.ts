/** The rules of an agent's life. Each says what follows from the state and the time, and from its result nothing more. */
import { registers } from '../../contracts/modes.ts';
import type { EndpointFile } from '../../wire/endpoint-file.ts';
import { deadlines, isAhead, isDue } from './deadlines.ts';
import type { Action, Stage } from './events.ts';
import { restartVerdict } from './problems.ts';
import { reach } from './reached.ts';
import { isBusy, isKeptBack, isUp, isWarm, mayStayRegistered, type State } from './state.ts';

export interface Step {
  readonly state: State;
  readonly actions: readonly Action[];
}

/** Undefined where nothing follows. */
type Rule = (state: State, at: number) => Step | undefined;

/** In this order, each upon what those before it have made of the state. */
export const rules: readonly Rule[] = [
  giveUp,
  openGate,
  noticeSilence,
  warmUp,
  register,
  unregister,
  completeKeptBack,
  tellReadiness,
  askRestart,
  sayStopped,
  leave,
  enterStage,
];

const next = (state: State, ...actions: Action[]): Step => ({ state, actions });

function giveUp(state: State): Step | undefined {
  const { payload } = state;
  if (payload.kind !== 'lost' || payload.told || state.stop !== undefined) return undefined;
  return next({ ...state, payload: { ...payload, told: true } }, { do: 'give-up', problem: payload.problem });
}

function openGate(state: State): Step | undefined {
  if (state.payload.kind !== 'verified' || state.gate !== 'closed' || state.stop !== undefined) return undefined;
  return next({ ...state, gate: 'opening' }, { do: 'open-gate' });
}

function noticeSilence(state: State, at: number): Step | undefined {
  const { serving, limits } = state;
  if (serving?.kind !== 'silent' || serving.lost) return undefined;
  if (!isDue(deadlines(state).silence, at) && serving.failures < limits.failures) return undefined;
  return next({ ...state, serving: { ...serving, lost: true } });
}

function warmUp(state: State, at: number): Step | undefined {
  const { warmUp: asked, endpoint, start, serving } = state;
  if (asked === undefined || endpoint === undefined || start === undefined || isWarm(state)) return undefined;
  if (serving?.kind !== 'answers' || asked.calling || state.stop !== undefined) return undefined;
  if (isAhead(deadlines(state).warmUpAgain, at)) return undefined;
  return next({ ...state, warmUp: { ...asked, calling: true } }, { do: 'warm-up', endpoint, mark: start.mark });
}

function register(state: State, at: number): Step | undefined {
  const { endpoint } = state;
  if (!mayWrite(state) || endpoint === undefined || !mayRegister(state)) return undefined;
  if (isRegistered(state, endpoint) || isAhead(deadlines(state).registerAgain, at)) return undefined;
  const registration = { kind: 'writing', endpoint, disturbed: false } as const;
  return next({ ...state, registration, mayExist: true, mayBeKnown: true }, { do: 'register', endpoint });
}

function unregister(state: State, at: number): Step | undefined {
  if (!mayWrite(state) || !state.mayExist || mayStayRegistered(state) || isInherited(state, at)) return undefined;
  if (isAhead(deadlines(state).unregisterAgain, at)) return undefined;
  return next({ ...state, registration: { kind: 'removing' } }, { do: 'unregister' });
}

/** Where it is not to be registered, a model that is up is all that it is to be. */
function completeKeptBack(state: State): Step | undefined {
  if (state.completeOnce || !isKeptBack(state) || !isUp(state)) return undefined;
  return next({ ...state, completeOnce: true });
}

function tellReadiness(state: State): Step | undefined {
  const ready = state.completeOnce && isUp(state);
  const mark = state.start?.mark;
  if (ready && mark !== undefined && (!state.ready || mark !== state.readyMark)) {
    return next({ ...state, ready, readyMark: mark }, { do: 'set-ready', ready, mark });
  }
  return !ready && state.ready ? next({ ...state, ready }, { do: 'set-ready', ready }) : undefined;
}

function askRestart(state: State, at: number): Step | undefined {
  const why = restartVerdict(state, at);
  if (why === undefined || state.start === undefined || isAhead(deadlines(state).askAgain, at)) return undefined;
  return next({ ...state, verdict: why, askedAt: at }, { do: 'ask-restart', mark: state.start.mark, why });
}

function sayStopped(state: State, at: number): Step | undefined {
  if (state.stop === undefined || state.stop.stopped) return undefined;
  const gone = !state.mayExist && !isBusy(state);
  if (!gone && !isDue(deadlines(state).stopped, at)) return undefined;
  const neverRegistered = !state.mayBeKnown;
  return next({ ...state, stop: { ...state.stop, stopped: true } }, { do: 'say-stopped', neverRegistered });
}

function leave(state: State): Step | undefined {
  if (state.stop === undefined || !state.stop.terminate || !state.stop.stopped || state.stop.left) return undefined;
  return next({ ...state, stop: { ...state.stop, left: true } }, { do: 'leave' });
}

function enterStage(state: State, at: number): Step | undefined {
  const stage = stageOf(state);
  return stage === state.stage
    ? undefined
    : next({ ...state, stage, stageAt: at, reached: reach(state.reached, { stage, at }) });
}

function mayWrite(state: State): boolean {
  return state.session === 'connected' && !isBusy(state);
}

function mayRegister(state: State): boolean {
  if (state.mode === undefined || !registers(state.mode) || state.held !== false) return false;
  return state.gate === 'open' && state.serving?.kind === 'answers' && isUp(state);
}

function isRegistered({ registration }: State, endpoint: EndpointFile): boolean {
  return registration.kind === 'held' && JSON.stringify(registration.endpoint) === JSON.stringify(endpoint);
}

/** What an earlier agent may have left stands until somebody has looked, and then for as long as a model may be silent. */
function isInherited(state: State, at: number): boolean {
  if (state.inherited === undefined || state.stop !== undefined || state.revoked || isKeptBack(state)) {
    return false;
  }
  return !isDue(deadlines(state).inheritance, at);
}

function stageOf(state: State): Stage {
  if (state.stop !== undefined || state.revoked) return 'Unregistered';
  if (state.gate !== 'open') {
    return state.payload.kind === 'fetching' && !state.payload.begun ? 'Starting' : 'FetchingPayload';
  }
  if (isKeptBack(state) && isUp(state)) return unregisteredStage(state);
  if (state.registration.kind === 'held') return 'Registered';
  if (state.serving?.kind === 'silent' && state.serving.lost) return 'NotAnswering';
  if (state.endpoint === undefined) return 'WaitingForEndpoint';
  if (state.serving === undefined) return 'WaitingForListener';
  if (!isWarm(state)) return 'WarmingUp';
  return 'Registering';
}

function unregisteredStage({ mayExist, mode }: State): Stage {
  if (mayExist) return 'Unregistering';
  if (mode === undefined || registers(mode)) return 'Held';
  return mode === 'shadow' ? 'Shadow' : 'Drained';
}
