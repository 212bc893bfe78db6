/**
 * Follows payloads in HDFS in the background and remembers what was found, so that a pass never waits for HDFS. What is
 * to be done when is decided in payload-following.ts.
 */

import { asMaasError } from '../contracts/errors.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import { Slots } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import type { PayloadView } from '../plan/observation.ts';
import {
  type Action,
  dueIn,
  type Event,
  type Result,
  type State,
  step,
  type WantedPayload,
} from './payload-following.ts';
import type { Payloads } from './ports.ts';

/** An object stands for one life of a resource: what is told of one that was forgotten finds nobody. */
interface Entry {
  state?: State;
}

type Work = Exclude<Action, { readonly do: 'tell' }>;

/** Looks under way at once; and payloads that are copied at once, which may take long. */
const parallelLooks = 8;
const parallelCopies = 2;

export class PayloadWatch {
  readonly #payloads: Payloads;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #checkMs: number;
  readonly #news: (uid: string) => void;
  readonly #entries = new Map<string, Entry>();
  readonly #stop = new AbortController();
  readonly #looks = new Slots(parallelLooks);
  readonly #copies = new Slots(parallelCopies);

  /**
   * @param checkMs how often a pinned payload is compared with HDFS
   * @param news told when what is known of a resource's payload has changed, or something can be decided about it
   */
  constructor(payloads: Payloads, clock: Pick<Clock, 'monotonic'>, checkMs: number, news: (uid: string) => void) {
    this.#payloads = payloads;
    this.#clock = clock;
    this.#checkMs = checkMs;
    this.#news = news;
  }

  /**
   * The wanted version of a resource; a look is begun where one is due.
   *
   * @param pinned the version's pin, where there is one
   */
  want(uid: string, wanted: WantedPayload, pinned: PinnedPayload | undefined): void {
    const entry = this.#entries.get(uid) ?? {};
    this.#entries.set(uid, entry);
    this.#dispatch(uid, entry, { type: 'want', wanted, pinned });
  }

  /** Begins to copy what was found to the payload store, or to mend the copy that is pinned. */
  copy(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry !== undefined) this.#dispatch(uid, entry, { type: 'copy' });
  }

  /** What is known now. */
  view(uid: string): PayloadView {
    return this.#entries.get(uid)?.state?.view ?? { state: 'pending' };
  }

  /** Milliseconds until the next look is due. */
  dueIn(uid: string): number {
    return dueIn(this.#entries.get(uid)?.state, this.#clock.monotonic(), this.#checkMs);
  }

  forget(uid: string): void {
    this.#entries.delete(uid);
  }

  stop(): void {
    this.#stop.abort();
  }

  #dispatch(uid: string, entry: Entry, event: Event): void {
    if (this.#stop.signal.aborted || this.#entries.get(uid) !== entry) return;
    const next = step(entry.state, event, this.#clock.monotonic(), this.#checkMs);
    if (next === undefined) return;
    entry.state = next.state;
    for (const action of next.actions) {
      if (action.do === 'tell') this.#news(uid);
      else void this.#perform(uid, entry, action);
    }
  }

  async #perform(uid: string, entry: Entry, action: Work): Promise<void> {
    const tell = (event: Result) => this.#dispatch(uid, entry, event);
    const { turn } = action;
    try {
      tell(await this.#do(action, (copied) => tell({ type: 'progress', turn, ...copied })));
    } catch (error) {
      const { code, message, next, transient } = asMaasError(error);
      tell({ type: 'failed', turn, problem: { code, message, next }, transient });
    }
  }

  async #do(action: Work, progress: Parameters<Payloads['keep']>[1]): Promise<Result> {
    const { signal } = this.#stop;
    const { turn } = action;
    switch (action.do) {
      case 'resolve': {
        const { path, completeAt } = action.wanted;
        const payload = await this.#looks.within(() => this.#payloads.resolve(path, completeAt, signal));
        return { type: 'found', turn, payload };
      }
      case 'keep': {
        const payload = await this.#copies.within(() => this.#payloads.keep(action.found, progress, signal));
        return { type: 'kept', turn, payload };
      }
      case 'mend':
        await this.#copies.within(() => this.#payloads.mend(action.pinned, signal));
        return { type: 'mended', turn };
      case 'compare':
        return this.#looks.within(async () => ({
          type: 'compared',
          turn,
          drift: await this.#payloads.drift(action.pinned, signal),
          original: await this.#payloads.originalDrift(action.pinned, signal),
        }));
    }
  }
}
