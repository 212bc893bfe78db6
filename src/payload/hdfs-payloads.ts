/** Payload rules, payload store and HDFS together, by paths as people write them: one connection a nameservice, kept. */

import type { HdfsSettings } from '../contracts/hadoop-side.ts';
import { joinHdfsPath, parseHdfsPath } from '../contracts/hdfs-path.ts';
import type { PinnedPayload, TransferProgress } from '../contracts/payload.ts';
import type { PayloadStoreSettings } from '../contracts/settings.ts';
import type { Clock } from '../kernel/clock.ts';
import { directoryOf, storeLocation } from './hdfs-directory.ts';
import { Originals } from './originals.ts';
import type { PayloadHdfs } from './payload-hdfs.ts';
import { PayloadStore } from './payload-store.ts';
import { payloadChange, resolvePayload } from './resolve.ts';

export interface HdfsPayloadsOptions {
  readonly hdfs: HdfsSettings;
  readonly store: PayloadStoreSettings;
  /** Names this operator's own directory below the store's root. */
  readonly owner: { readonly clusterId: string; readonly namespace: string };
  /** @throws HDFS_NAMESERVICE_UNKNOWN */
  readonly open: (nameservice: string) => PayloadHdfs;
  readonly clock: Clock;
}

interface Nameservice {
  readonly hdfs: PayloadHdfs;
  readonly originals: Originals;
  /** Made when it is first needed: a relative root is below a home directory that HDFS has to tell. */
  store?: PayloadStore;
}

export class HdfsPayloads {
  readonly #options: HdfsPayloadsOptions;
  readonly #open = new Map<string, Nameservice>();

  constructor(options: HdfsPayloadsOptions) {
    this.#options = options;
  }

  /** @throws MaasError PAYLOAD_* or HDFS_*; see resolvePayload */
  async resolve(path: string, completeAt: number | undefined, signal: AbortSignal): Promise<PinnedPayload> {
    const location = parseHdfsPath(path, this.#options.hdfs);
    const { nameservice } = location;
    const { hdfs } = this.#of(nameservice);
    const directory = await directoryOf(hdfs, location, signal);
    return resolvePayload(hdfs, { nameservice, directory, completeAt }, this.#options.clock.now, signal);
  }

  async keep(
    found: PinnedPayload,
    progress: (progress: TransferProgress) => void,
    signal: AbortSignal,
  ): Promise<PinnedPayload> {
    return (await this.#storeOf(found.nameservice, signal)).keep(found, progress, signal);
  }

  async mend(pinned: PinnedPayload, signal: AbortSignal): Promise<void> {
    await (await this.#storeOf(pinned.nameservice, signal)).mend(pinned, signal);
  }

  async drift(pinned: PinnedPayload, signal: AbortSignal): Promise<string | undefined> {
    return payloadChange(this.#of(pinned.nameservice).hdfs, pinned, signal);
  }

  async originalDrift(pinned: PinnedPayload, signal: AbortSignal): Promise<string | undefined> {
    return this.#of(pinned.nameservice).originals.change(pinned, signal);
  }

  async sweep(referred: ReadonlySet<string>, may: () => boolean, signal: AbortSignal): Promise<readonly string[]> {
    const removed = await Promise.allSettled(
      Object.keys(this.#options.hdfs.nameservices).map(async (name) =>
        (await this.#storeOf(name, signal)).sweep(referred, may, signal),
      ),
    );
    // One that is away keeps no other from being swept.
    const failed = removed.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return removed.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  }

  #of(name: string): Nameservice {
    let nameservice = this.#open.get(name);
    if (nameservice === undefined) {
      const hdfs = this.#options.open(name);
      nameservice = { hdfs, originals: new Originals(hdfs) };
      this.#open.set(name, nameservice);
    }
    return nameservice;
  }

  async #storeOf(name: string, signal: AbortSignal): Promise<PayloadStore> {
    const { hdfs, store, owner, clock } = this.#options;
    const nameservice = this.#of(name);
    if (nameservice.store !== undefined) return nameservice.store;
    const root = await directoryOf(nameservice.hdfs, storeLocation(store, hdfs, name), signal);
    // Two looks at once may have got here; what one of them has remembered must not be forgotten.
    nameservice.store ??= new PayloadStore(nameservice.hdfs, {
      nameservice: name,
      root: joinHdfsPath(root, `${owner.clusterId}/${owner.namespace}`),
      removeAfterMs: store.removeAfterMs,
      clock,
    });
    return nameservice.store;
  }
}
