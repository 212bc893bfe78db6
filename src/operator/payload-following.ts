/**
 * How the payload of one ModelDeployment is followed, as a pure function: state and event give the next state and what
 * is to be done. It does no IO, reads no clock and keeps nothing; payload-watch.ts carries the actions out and brings
 * the events.
 *
 * A version without a pin is looked for, again and again with a growing wait while that fails; a pinned one is compared
 * with HDFS from time to time, all that are at one path at the same moments, so that one look does for all of them.
 * Where instances read from the payload store, it is the plan that says when to copy. One thing is done at a time: an
 * action, then the event that says what came of it.
 */
import type { PinnedPayload } from '../contracts/payload.ts';
import type { ModelDeploymentSpec } from '../contracts/resource.ts';
import { backOffMs } from '../kernel/back-off.ts';
import { sameJson } from '../kernel/canonical-json.ts';
import type { PayloadView, Problem } from '../plan/observation.ts';

/** Where a version's payload is, and where its instances read it. */
export interface WantedPayload extends Pick<ModelDeploymentSpec['payload'], 'path' | 'readFrom'> {
  /** Milliseconds since the epoch: what was at the path by then is whole. */
  readonly completeAt?: number | undefined;
}

/** What a look at a pinned payload found: how the files differ, and where they are a copy, how their original does. */
export interface Comparison {
  readonly drift?: string | undefined;
  readonly original?: string | undefined;
}

export type Event =
  /** A pass wants this version, and looks at what is known of it. */
  | { readonly type: 'want'; readonly wanted: WantedPayload; readonly pinned: PinnedPayload | undefined }
  /** What was found is to be copied to the payload store, or the copy that is pinned to be mended. */
  | { readonly type: 'copy' }
  /** Time has passed: it may be what `dueAt` says. */
  | { readonly type: 'tick' }
  | Result;

/** What came of an action. `turn`: the action's. */
export type Result = { readonly turn: number } & (
  | { readonly type: 'found'; readonly payload: PinnedPayload }
  /** Of copying; there may be several, and it goes on. */
  | { readonly type: 'progress'; readonly bytesDone: number; readonly bytesTotal: number }
  | { readonly type: 'kept'; readonly payload: PinnedPayload }
  | { readonly type: 'mended' }
  | ({ readonly type: 'compared' } & Comparison)
  | { readonly type: 'failed'; readonly problem: Problem; readonly transient: boolean }
);

export type Action =
  | { readonly do: 'resolve'; readonly turn: number; readonly wanted: WantedPayload }
  | { readonly do: 'keep'; readonly turn: number; readonly found: PinnedPayload }
  | { readonly do: 'mend'; readonly turn: number; readonly pinned: PinnedPayload }
  | { readonly do: 'compare'; readonly turn: number; readonly pinned: PinnedPayload }
  /** There is something new for a pass to look at. */
  | { readonly do: 'tell' };

export interface State {
  /** Changes with the version that is followed: what comes of an action for an earlier one is of no interest. */
  readonly turn: number;
  readonly wanted: WantedPayload;
  readonly pinned: PinnedPayload | undefined;
  readonly view: PayloadView;
  /** What is under way. `before`: what was known when it began. */
  readonly work?: { readonly before: PayloadView; readonly copies: boolean };
  /** Monotonic; when to look again. */
  readonly due: number;
  /** Attempts that failed in a row. */
  readonly failures: number;
  /** What the last look found, which is to be copied to the payload store. */
  readonly found?: PinnedPayload;
  /** Digest of what was copied to the payload store and not pinned yet. */
  readonly kept?: string;
  /** What could not be copied, or is to be mended, may be tried again: it was looked at since. */
  readonly again: boolean;
}

export interface Step {
  readonly state: State;
  readonly actions: readonly Action[];
}

const retries = { firstMs: 1_000, longestMs: 20_000, factor: 1.5 };
/** Nothing is random here; payloads fail each at its own time. */
const inFull = () => 1;
/** A result that nobody pinned (the name is another's, say) is not trusted for longer. */
const resolvedForMs = 30_000;

/**
 * The next state, and what is to be done.
 *
 * @param state undefined before anything is wanted
 * @param at monotonic, milliseconds
 * @param checkMs how often a pinned payload is compared with HDFS
 */
export function step(state: State | undefined, event: Event, at: number, checkMs: number): Step | undefined {
  if (event.type === 'want') return want(state, event, at, checkMs);
  if (state === undefined) return undefined;
  if (event.type === 'copy') return copy(state);
  if (event.type === 'tick') return look(state, at);
  if (state.work === undefined || event.turn !== state.turn) return { state, actions: [] };
  return take(state, state.work, event, at, checkMs);
}

/** When to come with the next tick, on the monotonic clock; undefined while something is under way. */
export function dueAt(state: State | undefined): number | undefined {
  return state?.work === undefined ? state?.due : undefined;
}

/** When what is at a path is compared next: no later than `checkMs` from now. Paths have their moments spread. */
function nextCheck(path: string, at: number, checkMs: number): number {
  let hash = 0;
  for (const letter of path) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003;
  const phase = hash % checkMs;
  return (Math.floor((at - phase) / checkMs) + 1) * checkMs + phase;
}

function want(
  before: State | undefined,
  { wanted, pinned }: Extract<Event, { readonly type: 'want' }>,
  at: number,
  checkMs: number,
): Step {
  let state = before;
  if (state === undefined || !isSame(state.wanted, wanted) || state.pinned?.digest !== pinned?.digest) {
    // What was looked at just now, and pinned, need not be compared at once; what another leader pinned has to be.
    const looked =
      state?.view.state === 'resolved' && isSame(state.wanted, wanted) && state.view.payload.digest === pinned?.digest;
    state = {
      turn: (state?.turn ?? 0) + 1,
      wanted,
      pinned,
      view: pinned === undefined ? { state: 'pending' } : { state: 'pinned', looked },
      due: looked ? nextCheck(wanted.path, at, checkMs) : at,
      failures: 0,
      again: false,
    };
  }
  if (state.wanted.completeAt !== wanted.completeAt) {
    // What was incomplete may be whole, as somebody has said since.
    state = { ...state, wanted, due: state.view.state === 'failed' ? at : state.due };
  }
  return look(state, at);
}

/** Begins the next look where it is due. */
function look(state: State, at: number): Step {
  if (state.work !== undefined || at < state.due) return { state, actions: [] };
  const { turn, wanted, pinned } = state;
  return {
    state: { ...state, work: { before: state.view, copies: false } },
    actions: [pinned === undefined ? { do: 'resolve', turn, wanted } : { do: 'compare', turn, pinned }],
  };
}

function copy(state: State): Step {
  const { turn, view, pinned, found } = state;
  if (state.work !== undefined || !(view.state === 'found' || state.again)) return { state, actions: [] };
  const copying: State = { ...state, again: false, work: { before: view, copies: true } };
  if (pinned !== undefined) return { state: copying, actions: [{ do: 'mend', turn, pinned }] };
  return found === undefined ? { state, actions: [] } : { state: copying, actions: [{ do: 'keep', turn, found }] };
}

function take(state: State, work: NonNullable<State['work']>, event: Result, at: number, checkMs: number): Step {
  const { turn, pinned } = state;
  switch (event.type) {
    case 'progress': {
      const { bytesDone, bytesTotal } = event;
      return { state: { ...state, view: { state: 'copying', bytesDone, bytesTotal } }, actions: [] };
    }
    case 'found':
      return found(state, work, event.payload, at);
    case 'kept':
      return settled(resolved({ ...state, kept: event.payload.digest }, event.payload, at), work);
    case 'mended':
      return pinned === undefined ? { state, actions: [] } : { state, actions: [{ do: 'compare', turn, pinned }] };
    case 'compared': {
      const { drift, original } = event;
      const view: PayloadView = {
        state: 'pinned',
        looked: true,
        ...(drift === undefined ? {} : { drift }),
        ...(original === undefined ? {} : { original }),
      };
      // A copy that was mended just now, and is damaged all the same, waits for the next look.
      const again = !work.copies && drift !== undefined && pinned?.copiedFrom !== undefined;
      return settled({ ...state, view, again, due: nextCheck(state.wanted.path, at, checkMs) }, work);
    }
    case 'failed': {
      const { problem, transient } = event;
      const view: PayloadView =
        pinned !== undefined
          ? { state: 'pinned', looked: true, problem }
          : { state: 'failed', problem, transient, ...(work.copies ? { copying: true } : {}) };
      const due = at + backOffMs(retries, state.failures, inFull);
      return ended({ ...state, view, due, failures: state.failures + 1 }, work);
    }
  }
}

function found(state: State, work: NonNullable<State['work']>, payload: PinnedPayload, at: number): Step {
  if (state.wanted.readFrom !== 'Store') return settled(resolved(state, payload, at), work);
  if (state.kept === payload.digest) {
    // The copy that is there is asked for again, so that nobody takes it for unused.
    const keeping: State = { ...state, again: false, work: { ...work, copies: true } };
    return { state: keeping, actions: [{ do: 'keep', turn: state.turn, found: payload }] };
  }
  // What could not be copied is shown as such until something of it was.
  const again = state.view.state === 'failed' && state.view.copying === true;
  const view: PayloadView = again ? state.view : { state: 'found' };
  return settled({ ...state, found: payload, again, view, due: at + resolvedForMs }, work);
}

function resolved(state: State, payload: PinnedPayload, at: number): State {
  return { ...state, view: { state: 'resolved', payload }, due: at + resolvedForMs };
}

/** A look that only led back to what failed before does not make that more likely to succeed. */
function settled(state: State, work: NonNullable<State['work']>): Step {
  return ended(state.again ? state : { ...state, failures: 0 }, work);
}

function ended({ work: _, ...state }: State, { before }: NonNullable<State['work']>): Step {
  const isNews = state.again || !sameJson(state.view, before);
  return { state, actions: isNews ? [{ do: 'tell' }] : [] };
}

function isSame(one: WantedPayload, other: WantedPayload): boolean {
  return one.path === other.path && (one.readFrom === 'Store') === (other.readFrom === 'Store');
}
