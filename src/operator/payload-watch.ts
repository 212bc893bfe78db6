/**
 * Follows payloads in HDFS in the background and remembers what was found, so that a pass never waits for HDFS, and a
 * resource of whose payload there is nothing new needs none. What is to be done when is decided in payload-following.ts;
 * whatever asks the same of HDFS is answered by one look.
 */

import { createHash } from 'node:crypto';

import { asMaasError } from '../contracts/errors.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import { Slots } from '../kernel/bounded.ts';
import { canonicalJson } from '../kernel/canonical-json.ts';
import type { Clock } from '../kernel/clock.ts';
import { Timetable } from '../kernel/timetable.ts';
import type { PayloadView } from '../plan/observation.ts';
import {
  type Action,
  dueAt,
  type Event,
  type Result,
  type State,
  step,
  type WantedPayload,
} from './payload-following.ts';
import type { Payloads } from './ports.ts';
import { SharedLooks } from './shared-looks.ts';

/** An object stands for one life of a resource: what is told of one that was forgotten finds nobody. */
interface Entry {
  state?: State;
}

type Work = Exclude<Action, { readonly do: 'tell' }>;

/** Looks under way at once; and payloads that are copied at once, which may take long. */
const parallelLooks = 8;
const parallelCopies = 2;
/** The same is looked at no more often: resources that are made one after the other wait for one look together. */
const sameLookEveryMs = 250;

export class PayloadWatch {
  readonly #payloads: Payloads;
  readonly #clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly #checkMs: number;
  readonly #news: (uid: string) => void;
  readonly #entries = new Map<string, Entry>();
  readonly #timetable: Timetable;
  readonly #stop = new AbortController();
  readonly #looks: SharedLooks;
  readonly #copies = new Slots(parallelCopies);

  /**
   * @param checkMs how often a pinned payload is compared with HDFS
   * @param news told when what is known of a resource's payload has changed, or something can be decided about it
   */
  constructor(
    payloads: Payloads,
    clock: Pick<Clock, 'monotonic' | 'sleep'>,
    checkMs: number,
    news: (uid: string) => void,
  ) {
    this.#payloads = payloads;
    this.#clock = clock;
    this.#checkMs = checkMs;
    this.#news = news;
    this.#timetable = new Timetable(clock, (uid) => this.#tick(uid));
    const { signal } = this.#stop;
    this.#looks = new SharedLooks({ clock, parallel: parallelLooks, everyMs: sameLookEveryMs, signal });
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

  /** Nothing is looked at any more for this resource. */
  forget(uid: string): void {
    this.#entries.delete(uid);
    this.#timetable.delete(uid);
  }

  stop(): void {
    this.#stop.abort();
    this.#timetable.stop();
  }

  #tick(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry !== undefined) this.#dispatch(uid, entry, { type: 'tick' });
  }

  #dispatch(uid: string, entry: Entry, event: Event): void {
    if (this.#stop.signal.aborted || this.#entries.get(uid) !== entry) return;
    const next = step(entry.state, event, this.#clock.monotonic(), this.#checkMs);
    if (next === undefined) return;
    entry.state = next.state;
    const due = dueAt(next.state);
    if (due === undefined) this.#timetable.delete(uid);
    else this.#timetable.set(uid, due);
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
        const question = JSON.stringify(['resolve', path, completeAt]);
        const payload = await this.#looks.ask(question, () => this.#payloads.resolve(path, completeAt, signal));
        return { type: 'found', turn, payload };
      }
      case 'keep': {
        const payload = await this.#copies.within(() => this.#payloads.keep(action.found, progress, signal));
        return { type: 'kept', turn, payload };
      }
      case 'mend':
        await this.#copies.within(() => this.#payloads.mend(action.pinned, signal));
        return { type: 'mended', turn };
      case 'compare': {
        const question = JSON.stringify(['compare', contentOf(action.pinned)]);
        const found = await this.#looks.ask(question, async () => ({
          drift: await this.#payloads.drift(action.pinned, signal),
          original: await this.#payloads.originalDrift(action.pinned, signal),
        }));
        return { type: 'compared', turn, ...found };
      }
    }
  }
}

const contents = new WeakMap<PinnedPayload, string>();

/** Equal for pins that say the same in everything, so that what is true of the one is true of the other. */
function contentOf(pinned: PinnedPayload): string {
  let content = contents.get(pinned);
  if (content === undefined) {
    content = createHash('sha256').update(canonicalJson(pinned)).digest('base64');
    contents.set(pinned, content);
  }
  return content;
}
