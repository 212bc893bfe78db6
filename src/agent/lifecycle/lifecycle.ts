/**
 * What an agent does, as a pure function: state and event give the next state and what is to be done. It does no IO,
 * reads no clock and keeps nothing; running-lifecycle.ts keeps the state and hands the actions out.
 *
 * A start goes: fetch the payload, open the gate, see the model start, see its endpoint and an answer, register.
 * Then the model is looked at for as long as it lives. A stop goes: unregister, say so, and register never again.
 *
 * The mode decides whether a model that answers is registered. It decides nothing else: in `shadow` and `drain` a model
 * is started, looked at and restarted as in `active`, and is ready while it answers.
 */
import type { Event } from './events.ts';
import { rules, type Step } from './rules.ts';
import type { State } from './state.ts';
import { take } from './take.ts';

/** The next state, and what is to be done. Told again that time has passed, it does nothing more at the same time. */
export function step(before: State, event: Event, at: number): Step {
  let state = take(before, event, at);
  const actions = [];
  for (const rule of rules) {
    const followed = rule(state, at);
    if (followed === undefined) continue;
    state = followed.state;
    actions.push(...followed.actions);
  }
  return { state, actions };
}
