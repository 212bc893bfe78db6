/**
 * A lifecycle that runs. It keeps the present state; sources tell it of events, and those who follow it hear what came of
 * each.
 */
import type { Clock } from '../kernel/clock.ts';
import type { Event } from './lifecycle/events.ts';
import { step } from './lifecycle/lifecycle.ts';
import type { Step } from './lifecycle/rules.ts';
import type { State } from './lifecycle/state.ts';

/** Hears of every event; `before` is the state that the event met. */
export type Follower = (step: Step, before: State) => void;

export class RunningLifecycle {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #over = new AbortController();
  readonly #followers: Follower[] = [];
  #state: State;
  #steppedAt: number;

  constructor(state: State, clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#state = state;
    this.#steppedAt = clock.monotonic();
  }

  get state(): State {
    return this.#state;
  }

  /** When the last event came: what became due since then has not been noticed yet. */
  get steppedAt(): number {
    return this.#steppedAt;
  }

  /** Fires when the agent ends. No event counts after that. */
  get ended(): AbortSignal {
    return this.#over.signal;
  }

  /** In the order of their asking. */
  follow(follower: Follower): void {
    this.#followers.push(follower);
  }

  dispatch(event: Event): void {
    if (this.ended.aborted) return;
    const before = this.#state;
    this.#steppedAt = this.#clock.monotonic();
    const stepped = step(before, event, this.#steppedAt);
    this.#state = stepped.state;
    for (const follower of this.#followers) follower(stepped, before);
  }

  end(): void {
    this.#over.abort();
  }
}
