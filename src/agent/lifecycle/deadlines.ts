/** When the passing of time alone changes something: one table for what is due, and for when to wake. */
import { isWarm, type State } from './state.ts';

/** Times of the clock that the lifecycle is told. What is absent is not waited for. */
export interface Deadlines {
  /** Not before: an attempt failed, or the last registration is still fresh. */
  readonly registerAgain?: number | undefined;
  /** Not before: the last call failed. */
  readonly warmUpAgain?: number | undefined;
  /** Not before: an attempt failed. */
  readonly unregisterAgain?: number | undefined;
  /** From then on a model at whose port nothing listens counts as having stopped. */
  readonly silence?: number | undefined;
  /** From then on the same takes away what an earlier agent has left of it. */
  readonly inheritance?: number | undefined;
  /** From then on the model is to be restarted: it did not come up, or it hangs. */
  readonly restart?: number | undefined;
  /** Not before: the model's shell was asked and may still hear it. */
  readonly askAgain?: number | undefined;
  /** From then on a stop waits no longer for the registration to go. */
  readonly stopped?: number | undefined;
}

export function deadlines(state: State): Deadlines {
  const { limits, registration, registeredAt, serving, start, stop } = state;
  const failed = registration.kind === 'none' ? registration.failed : undefined;
  const unregisterAgain = failed?.of === 'unregister' ? failed.retryAt : undefined;
  if (stop !== undefined) return { unregisterAgain, stopped: stop.stopped ? undefined : stop.at + limits.unregister };
  const silent = serving?.kind === 'silent' ? serving : undefined;
  const hung = silent?.lost === true ? silent.since : undefined;
  return {
    registerAgain: failed?.of === 'register' ? failed.retryAt : after(registeredAt, limits.retry),
    unregisterAgain,
    silence: after(silent?.deafSince, limits.silence),
    inheritance: after(state.inherited?.deafSince, limits.silence),
    warmUpAgain: isWarm(state) ? undefined : state.warmUp?.failed?.retryAt,
    restart: hasStarted(state) ? after(hung, limits.hang) : after(start?.at, limits.startup),
    askAgain: after(state.askedAt, limits.askAgain),
  };
}

/** In its present start it has been up. */
function hasStarted(state: State): boolean {
  return state.serving !== undefined && isWarm(state);
}

function after(since: number | undefined, ms: number): number | undefined {
  return since === undefined ? undefined : since + ms;
}

/** Has what happens at this time happened? What has no time never happens. */
export function isDue(deadline: number | undefined, at: number): boolean {
  return deadline !== undefined && at >= deadline;
}

/** Is this time still to be waited for? What has no time is not. */
export function isAhead(deadline: number | undefined, at: number): deadline is number {
  return deadline !== undefined && at < deadline;
}

/** When to wake the lifecycle next, if nothing else happens; undefined where nothing will change. */
export function wakeAt(state: State, at: number): number | undefined {
  const ahead = Object.values(deadlines(state)).filter((deadline) => isAhead(deadline, at));
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}
