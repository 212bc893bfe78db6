/**
 * The payload store of one operator in one nameservice: a directory with a copy of each payload that instances read
 * from there. See docs/adr/0024.
 */

import { hasCode, MaasError } from '../contracts/errors.ts';
import { joinHdfsPath } from '../contracts/hdfs-path.ts';
import type { PinnedPayload, TransferProgress } from '../contracts/payload.ts';
import type { Clock } from '../kernel/clock.ts';
import { copyPayload, digestOfName } from './copy-payload.ts';
import type { PayloadHdfs } from './payload-hdfs.ts';
import { shown } from './payload-rules.ts';
import { payloadChange, resolvePayload } from './resolve.ts';

type Progress = (progress: TransferProgress) => void;

export interface PayloadStoreOptions {
  readonly nameservice: string;
  /** Absolute; nobody but this operator writes there. */
  readonly root: string;
  readonly removeAfterMs: number;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
}

/** How often a payload may change while it is copied, before that is reported. */
const maxLooks = 3;

export class PayloadStore {
  readonly #hdfs: PayloadHdfs;
  readonly #options: PayloadStoreOptions;
  /** What is being copied now, by digest; and who wants to know how far it is. */
  readonly #copying = new Map<string, { readonly done: Promise<PinnedPayload>; readonly progress: Set<Progress> }>();
  readonly #removing = new Map<string, Promise<unknown>>();
  /** When a copy was last asked for, by digest; monotonic. */
  readonly #asked = new Map<string, number>();
  /** Since when nothing refers to a directory, by name; monotonic. */
  readonly #idle = new Map<string, number>();

  constructor(hdfs: PayloadHdfs, options: PayloadStoreOptions) {
    this.#hdfs = hdfs;
    this.#options = options;
  }

  /**
   * A copy of a payload that was found. When it has changed since, or changes meanwhile, what is there by then is copied.
   *
   * @returns the pin of the copy
   * @throws PAYLOAD_* and HDFS_* codes; PAYLOAD_INCOMPLETE when it keeps changing
   */
  async keep(found: PinnedPayload, progress: Progress, signal: AbortSignal): Promise<PinnedPayload> {
    for (let source = found, look = 1; ; look++) {
      try {
        const copy = await this.#copy(source, progress, signal);
        if ((await payloadChange(this.#hdfs, source, signal)) === undefined) return copy;
      } catch (error) {
        if (!hasCode(error, 'PAYLOAD_CHANGED')) throw error;
      }
      if (look === maxLooks) {
        throw new MaasError(
          'PAYLOAD_INCOMPLETE',
          `The files in ${shown(found.path)} keep changing while they are copied`,
        );
      }
      source = await this.#resolve(found.path, signal);
    }
  }

  /**
   * Copies again what is missing or wrong in a copy, where the payload that it was made from is there still.
   * @throws HDFS_* codes
   */
  async mend({ copiedFrom, digest }: PinnedPayload, signal: AbortSignal): Promise<void> {
    if (copiedFrom === undefined) return;
    try {
      const source = await this.#resolve(copiedFrom, signal);
      if (source.digest === digest) await this.#copy(source, () => {}, signal);
    } catch (error) {
      // What is at the path now is another payload, or none.
      const gone = hasCode(error, 'HDFS_PATH_MISSING');
      if (!gone && !(error instanceof MaasError && error.code.startsWith('PAYLOAD_'))) throw error;
    }
  }

  /**
   * Removes the copies, finished or begun, that nothing has referred to for long enough.
   *
   * @param referred directories that pins name
   * @param may asked right before each removal
   * @returns what was removed
   */
  async sweep(referred: ReadonlySet<string>, may: () => boolean, signal: AbortSignal): Promise<string[]> {
    const { root, removeAfterMs, clock } = this.#options;
    const removed: string[] = [];
    const idle = (await this.#entries(signal)).flatMap(({ name, type }) => {
      const digest = digestOfName(name);
      const path = joinHdfsPath(root, name);
      return digest === undefined || type !== 'DIRECTORY' || referred.has(path) ? [] : [{ name, digest, path }];
    });
    const names = new Set(idle.map(({ name }) => name));
    for (const name of this.#idle.keys()) if (!names.has(name)) this.#idle.delete(name);
    for (const { name, digest, path } of idle) {
      const now = clock.monotonic();
      const idleSince = Math.max(this.#idle.get(name) ?? now, this.#asked.get(digest) ?? Number.NEGATIVE_INFINITY);
      this.#idle.set(name, idleSince);
      if (now - idleSince < removeAfterMs || this.#copying.has(digest)) continue;
      if (!may()) return removed;
      await this.#remove(path, digest, signal);
      this.#idle.delete(name);
      removed.push(path);
    }
    for (const [digest, at] of this.#asked) if (clock.monotonic() - at > removeAfterMs) this.#asked.delete(digest);
    return removed;
  }

  /** Nobody begins a copy of the same digest meanwhile. */
  async #remove(path: string, digest: string, signal: AbortSignal): Promise<void> {
    const removal = this.#hdfs.delete(path, { recursive: true, signal });
    this.#removing.set(digest, removal);
    try {
      await removal;
    } finally {
      this.#removing.delete(digest);
    }
  }

  async #resolve(directory: string, signal: AbortSignal): Promise<PinnedPayload> {
    const { nameservice, clock } = this.#options;
    return await resolvePayload(this.#hdfs, { nameservice, directory }, clock.now, signal);
  }

  async #entries(signal: AbortSignal) {
    try {
      return await this.#hdfs.list(this.#options.root, { signal });
    } catch (error) {
      if (hasCode(error, 'HDFS_PATH_MISSING')) return [];
      throw error;
    }
  }

  /** One copy of a digest at a time, however many ask for it. */
  async #copy(source: PinnedPayload, progress: Progress, signal: AbortSignal): Promise<PinnedPayload> {
    const { digest } = source;
    const asked = () => this.#asked.set(digest, this.#options.clock.monotonic());
    asked();
    let job = this.#copying.get(digest);
    if (job === undefined) {
      const listeners = new Set<Progress>();
      job = { done: this.#copyNow(source, listeners, signal), progress: listeners };
      this.#copying.set(digest, job);
    }
    job.progress.add(progress);
    try {
      const copy = await job.done;
      // Another one of the same digest may have been copied from elsewhere.
      return { ...copy, copiedFrom: source.path };
    } finally {
      asked();
      if (this.#copying.get(digest) === job) this.#copying.delete(digest);
    }
  }

  async #copyNow(source: PinnedPayload, listeners: ReadonlySet<Progress>, signal: AbortSignal): Promise<PinnedPayload> {
    await this.#removing.get(source.digest)?.catch(() => {});
    const progress = (now: TransferProgress) => {
      for (const listener of listeners) listener(now);
    };
    return await copyPayload(this.#hdfs, source, this.#options.root, { progress, signal });
  }
}
