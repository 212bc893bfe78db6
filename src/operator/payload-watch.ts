/**
 * Looks at payloads in HDFS in the background and remembers what was found, so that a reconcile never waits for HDFS.
 * A version without a pin is resolved, again and again with a growing wait while that fails; a pinned one is compared
 * with HDFS from time to time. Where instances read from the payload store, it is the plan that says when to copy.
 */

import { asMaasError } from '../contracts/errors.ts';
import type { PinnedPayload } from '../contracts/payload.ts';
import type { ModelDeploymentSpec } from '../contracts/resource.ts';
import { Slots } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import type { PayloadView } from '../plan/observation.ts';
import type { Payloads } from './ports.ts';

/** Where a version's payload is, and where its instances read it. */
export interface WantedPayload extends Pick<ModelDeploymentSpec['payload'], 'path' | 'readFrom'> {
  /** Milliseconds since the epoch: what was at the path by then is whole. */
  readonly completeAt?: number | undefined;
}

interface Entry {
  view: PayloadView;
  wanted: WantedPayload;
  readonly pinned: PinnedPayload | undefined;
  readonly onNews: () => void;
  busy: boolean;
  failures: number;
  /** Monotonic; when to look again. */
  due: number;
  /** What the last look found, which is to be copied to the payload store. */
  found?: PinnedPayload;
  /** What is done now, or was done last, is copying. */
  copying: boolean;
  /** Digest of what was copied to the payload store and not pinned yet. */
  kept?: string;
  /** What could not be copied, or mended, may be tried again: it was looked at since. */
  again: boolean;
}

const firstRetryMs = 1_000;
const longestRetryMs = 20_000;
/** A result that nobody pinned (the name is another's, say) is not trusted for longer. */
const resolvedForMs = 30_000;
/** Looks under way at once; and payloads that are copied at once, which may take long. */
const parallelLooks = 8;
const parallelCopies = 2;

export class PayloadWatch {
  readonly #payloads: Payloads;
  readonly #clock: Clock;
  readonly #checkMs: number;
  readonly #entries = new Map<string, Entry>();
  readonly #stop = new AbortController();
  readonly #looks = new Slots(parallelLooks);
  readonly #copies = new Slots(parallelCopies);

  constructor(payloads: Payloads, clock: Clock, checkMs: number) {
    this.#payloads = payloads;
    this.#clock = clock;
    this.#checkMs = checkMs;
  }

  /**
   * What is known now; starts a look where one is due.
   *
   * @param uid the resource's UID
   * @param wanted the wanted version's payload
   * @param pinned the version's pin, where there is one
   * @param onNews called when a look has changed what is known
   */
  view(uid: string, wanted: WantedPayload, pinned: PinnedPayload | undefined, onNews: () => void): PayloadView {
    let entry = this.#entries.get(uid);
    // A version that was pinned just now need not be compared at once; one that another leader pinned has to be.
    const isNews = entry?.view.state === 'resolved';
    if (entry === undefined || !isSame(entry.wanted, wanted) || entry.pinned?.digest !== pinned?.digest) {
      entry = {
        view: pinned === undefined ? { state: 'pending' } : { state: 'pinned', looked: false },
        wanted,
        pinned,
        onNews,
        busy: false,
        failures: 0,
        due: this.#clock.monotonic() + (isNews ? this.#checkMs : 0),
        copying: false,
        again: false,
      };
      this.#entries.set(uid, entry);
    }
    if (entry.wanted.completeAt !== wanted.completeAt) {
      entry.wanted = wanted;
      // What was incomplete may be whole, as somebody has said since.
      if (entry.view.state === 'failed') entry.due = this.#clock.monotonic();
    }
    if (this.#clock.monotonic() >= entry.due) this.#work(uid, entry, (of) => this.#look(of));
    return entry.view;
  }

  /** Copies what was found to the payload store, or mends the copy that is pinned; in the background. */
  copy(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined || !(entry.view.state === 'found' || entry.again)) return;
    const { pinned, found } = entry;
    if (pinned !== undefined) this.#work(uid, entry, (of) => this.#mend(of, pinned));
    else if (found !== undefined) this.#work(uid, entry, (of) => this.#keep(of, found));
  }

  /** Milliseconds until the next look is due. */
  dueIn(uid: string): number {
    const entry = this.#entries.get(uid);
    return entry === undefined || entry.busy ? this.#checkMs : Math.max(0, entry.due - this.#clock.monotonic());
  }

  forget(uid: string): void {
    this.#entries.delete(uid);
  }

  stop(): void {
    this.#stop.abort();
  }

  #work(uid: string, entry: Entry, work: (entry: Entry) => Promise<void>): void {
    if (entry.busy) return;
    entry.busy = true;
    void this.#finish(uid, entry, work);
  }

  async #finish(uid: string, entry: Entry, work: (entry: Entry) => Promise<void>): Promise<void> {
    const before = JSON.stringify(entry.view);
    try {
      await work(entry);
      // A look that only led back to what failed before does not make that more likely to succeed.
      if (!entry.again) entry.failures = 0;
    } catch (error) {
      const { code, message, next, transient } = asMaasError(error);
      const problem = { code, message, next };
      entry.view =
        entry.pinned !== undefined
          ? { state: 'pinned', looked: true, problem }
          : { state: 'failed', problem, transient, ...(entry.copying ? { copying: true } : {}) };
      entry.due = this.#clock.monotonic() + Math.min(firstRetryMs * 1.5 ** entry.failures, longestRetryMs);
      entry.failures += 1;
    } finally {
      entry.busy = false;
    }
    if (this.#stop.signal.aborted || this.#entries.get(uid) !== entry) return;
    if (entry.again || JSON.stringify(entry.view) !== before) entry.onNews();
  }

  async #look(entry: Entry): Promise<void> {
    const { pinned, wanted } = entry;
    const { signal } = this.#stop;
    entry.copying = false;
    if (pinned !== undefined) {
      const drift = await this.#compare(entry, pinned);
      entry.again = drift !== undefined && pinned.copiedFrom !== undefined;
      return;
    }
    const payload = await this.#looks.within(() => this.#payloads.resolve(wanted.path, wanted.completeAt, signal));
    if (wanted.readFrom !== 'Store') this.#resolved(entry, payload);
    // The copy that is there is asked for again, so that nobody takes it for unused.
    else if (entry.kept === payload.digest) await this.#keep(entry, payload);
    else {
      entry.found = payload;
      // What could not be copied is shown as such until something of it was.
      entry.again = entry.view.state === 'failed' && entry.view.copying === true;
      if (!entry.again) entry.view = { state: 'found' };
      entry.due = this.#clock.monotonic() + resolvedForMs;
    }
  }

  async #keep(entry: Entry, found: PinnedPayload): Promise<void> {
    const { signal } = this.#stop;
    entry.copying = true;
    entry.again = false;
    const progress = ({ bytesDone, bytesTotal }: { readonly bytesDone: number; readonly bytesTotal: number }) => {
      entry.view = { state: 'copying', bytesDone, bytesTotal };
    };
    const payload = await this.#copies.within(() => this.#payloads.keep(found, progress, signal));
    entry.kept = payload.digest;
    this.#resolved(entry, payload);
  }

  async #mend(entry: Entry, pinned: PinnedPayload): Promise<void> {
    const { signal } = this.#stop;
    entry.again = false;
    await this.#copies.within(() => this.#payloads.mend(pinned, signal));
    await this.#compare(entry, pinned);
  }

  #resolved(entry: Entry, payload: PinnedPayload): void {
    entry.view = { state: 'resolved', payload };
    entry.due = this.#clock.monotonic() + resolvedForMs;
  }

  async #compare(entry: Entry, pinned: PinnedPayload): Promise<string | undefined> {
    const { signal } = this.#stop;
    const [drift, original] = await this.#looks.within(async () => [
      await this.#payloads.drift(pinned, signal),
      await this.#payloads.originalDrift(pinned, signal),
    ]);
    entry.view = {
      state: 'pinned',
      looked: true,
      ...(drift === undefined ? {} : { drift }),
      ...(original === undefined ? {} : { original }),
    };
    entry.due = this.#clock.monotonic() + this.#checkMs;
    return drift;
  }
}

function isSame(one: WantedPayload, other: WantedPayload): boolean {
  return one.path === other.path && (one.readFrom === 'Store') === (other.readFrom === 'Store');
}
