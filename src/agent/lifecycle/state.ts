/** All that an agent knows, as one value, and what follows from it without any time passing. */
import { type AgentMode, registers } from '../../contracts/modes.ts';
import type { DownloadProgress } from '../../contracts/payload.ts';
import type { EndpointFile } from '../../wire/endpoint-file.ts';
import type { Problem, SessionState, Stage } from './events.ts';
import type { Reached } from './reached.ts';

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

type Payload =
  | { readonly kind: 'fetching'; readonly begun: boolean; readonly problem?: Problem }
  | { readonly kind: 'verified' }
  /** `told`: the action that ends the process has been asked for. */
  | { readonly kind: 'lost'; readonly problem: Problem; readonly told: boolean };

/** Whether the model answers, since its present start; undefined before its first answer. */
export type Serving =
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
export interface Failure {
  readonly of: 'register' | 'unregister';
  readonly problem: Problem;
  readonly retryAt: number;
}

type RegistrationState =
  | { readonly kind: 'none'; readonly failed?: Failure }
  | { readonly kind: 'writing'; readonly endpoint: EndpointFile; readonly disturbed: boolean }
  | { readonly kind: 'held'; readonly endpoint: EndpointFile; readonly url: string }
  | { readonly kind: 'removing' };

/** `passed`: the start in which it succeeded. */
export interface WarmingUp {
  readonly passed?: string;
  readonly calling: boolean;
  readonly failed?: { readonly problem: Problem; readonly retryAt: number };
}

export interface State {
  readonly limits: Limits;
  readonly payload: Payload;
  readonly progress?: DownloadProgress;
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
  /** The call that has to succeed once in each start; absent where none is asked for. */
  readonly warmUp?: WarmingUp;
  /** Why the model had to be restarted; kept until it answers. */
  readonly verdict?: Problem;
  readonly askedAt?: number;
  readonly session: SessionState;
  readonly registration: RegistrationState;
  /** Something of this instance may be in ZooKeeper. */
  readonly mayExist: boolean;
  /** Undefined until it is known: nothing new is registered before, and nothing is taken away. */
  readonly mode?: AgentMode;
  /** Its version is held back; undefined until it is known, as with the mode. */
  readonly held?: boolean;
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
  /** The stages that it has entered, the present one last; see reached.ts. */
  readonly reached: readonly Reached[];
}

const nothingAsked: Asked = { mayBeHeld: false, warmUp: false };

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

/** What the pod asks of its agent. */
export interface Asked {
  /** Holds may be published for its version. */
  readonly mayBeHeld: boolean;
  readonly warmUp: boolean;
}

/** Times are milliseconds of a clock that never goes back. */
export function initialState(limits: Limits, remains: Remains, at: number, asked: Asked = nothingAsked): State {
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
    ...(asked.warmUp ? { warmUp: { calling: false, ...(mark === undefined ? {} : { passed: mark }) } } : {}),
    ...(asked.mayBeHeld ? {} : { held: false }),
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
    reached: [{ stage: 'Starting', at }],
  };
}

/** The model answers, or has only just fallen silent, and nothing forbids the instance to serve. */
export function isUp(state: State): boolean {
  const answers = state.serving !== undefined && (state.serving.kind === 'answers' || !state.serving.lost);
  const up = answers && isWarm(state);
  return state.payload.kind === 'verified' && up && !state.revoked && state.stop === undefined;
}

/** Nothing more has to succeed before the model's present start counts as up. */
export function isWarm({ warmUp, start }: State): boolean {
  return warmUp === undefined || (start !== undefined && warmUp.passed === start.mark);
}

/** It is not to be registered, however well it answers: by the mode of its model, or because its version is held. */
export function isKeptBack(state: State): boolean {
  return state.held === true || (state.mode !== undefined && !registers(state.mode));
}

/** Asked again immediately before a registration is written. */
export function mayStayRegistered(state: State): boolean {
  return isUp(state) && !isKeptBack(state);
}

export function isBusy(state: State): boolean {
  return state.registration.kind === 'writing' || state.registration.kind === 'removing';
}

/** `closely`: something is awaited. `seldom`: all is well. */
export type Looking = 'closely' | 'seldom' | 'never';

export function looking(state: State): Looking {
  if (state.gate !== 'open' || state.stop !== undefined) return 'never';
  return state.serving?.kind === 'answers' ? 'seldom' : 'closely';
}
