/**
 * Looks at payloads in HDFS in the background and remembers what was found, so that a reconcile never waits for HDFS.
 * A version without a pin is resolved, again and again with a growing wait while that fails; a pinned one is compared
 * with HDFS from time to time.
 */
import { asMaasError } from '../api/errors.ts';
import type { PinnedPayload } from '../api/payload.ts';
import type { PayloadView } from '../plan/observation.ts';
import type { Clock, Payloads } from './ports.ts';

interface Entry {
  view: PayloadView;
  readonly path: string;
  pinnedDigest?: string;
  busy: boolean;
  failures: number;
  /** Monotonic; when to look again. */
  due: number;
}

const firstRetryMs = 1_000;
const longestRetryMs = 20_000;
/** A result that nobody pinned (the name is another's, say) is not trusted for longer. */
const resolvedForMs = 30_000;
/** Looks under way at once. */
const parallel = 8;

export class PayloadWatch {
  readonly #payloads: Payloads;
  readonly #clock: Clock;
  readonly #checkMs: number;
  readonly #entries = new Map<string, Entry>();
  readonly #stop = new AbortController();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(payloads: Payloads, clock: Clock, checkMs: number) {
    this.#payloads = payloads;
    this.#clock = clock;
    this.#checkMs = checkMs;
  }

  /**
   * What is known now; starts a look where one is due.
   *
   * @param uid the resource's UID
   * @param path the wanted version's payload path
   * @param pinned the version's pin, where there is one
   * @param onNews called when a look has changed what is known
   */
  view(uid: string, path: string, pinned: PinnedPayload | undefined, onNews: () => void): PayloadView {
    let entry = this.#entries.get(uid);
    if (entry === undefined || entry.path !== path || entry.pinnedDigest !== pinned?.digest) {
      entry = {
        view: pinned === undefined ? { state: 'pending' } : { state: 'pinned' },
        path,
        ...(pinned === undefined ? {} : { pinnedDigest: pinned.digest }),
        busy: false,
        failures: 0,
        // A version that was pinned just now need not be compared at once.
        due: this.#clock.monotonic() + (pinned === undefined ? 0 : this.#checkMs),
      };
      this.#entries.set(uid, entry);
    }
    if (!entry.busy && this.#clock.monotonic() >= entry.due) {
      entry.busy = true;
      void this.#look(uid, entry, pinned, onNews);
    }
    return entry.view;
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

  async #look(uid: string, entry: Entry, pinned: PinnedPayload | undefined, onNews: () => void): Promise<void> {
    await this.#slot();
    const before = JSON.stringify(entry.view);
    try {
      if (pinned === undefined) {
        entry.view = { state: 'resolved', payload: await this.#payloads.resolve(entry.path, this.#stop.signal) };
        entry.due = this.#clock.monotonic() + resolvedForMs;
      } else {
        const drift = await this.#payloads.drift(pinned, this.#stop.signal);
        entry.view = { state: 'pinned', ...(drift === undefined ? {} : { drift }) };
        entry.due = this.#clock.monotonic() + this.#checkMs;
      }
      entry.failures = 0;
    } catch (error) {
      const { code, message, next, transient } = asMaasError(error);
      const problem = { code, message, next };
      entry.view = pinned === undefined ? { state: 'failed', problem, transient } : { state: 'pinned', problem };
      entry.due = this.#clock.monotonic() + Math.min(firstRetryMs * 1.5 ** entry.failures, longestRetryMs);
      entry.failures += 1;
    } finally {
      entry.busy = false;
      this.#release();
    }
    if (this.#stop.signal.aborted || this.#entries.get(uid) !== entry) return;
    if (JSON.stringify(entry.view) !== before) onNews();
  }

  async #slot(): Promise<void> {
    if (this.#running >= parallel) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
  }

  #release(): void {
    this.#running -= 1;
    this.#waiting.shift()?.();
  }
}
